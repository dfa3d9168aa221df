/** A piece of Markdown, as far as the playground tells pieces apart. */
export interface Block {
  readonly kind: "text" | "heading" | "code" | "table";
  readonly lines: readonly string[];
}

const FENCE = /^ {0,3}(`{3,}|~{3,})/;

/** One walk, line by line: an answer may be long, and made to take long. */
export function blocksOf(lines: readonly string[]): readonly Block[] {
  const blocks: { kind: Block["kind"]; lines: string[] }[] = [];
  let fence: string | null = null;
  for (const line of lines) {
    const mark: string | null = FENCE.exec(line)?.[1] ?? null;
    if (fence !== null) {
      if (mark?.startsWith(fence) && line.trim() === mark) fence = null;
      else blocks.at(-1)?.lines.push(line);
      continue;
    }
    if (mark !== null) {
      fence = mark;
      blocks.push({ kind: "code", lines: [] });
      continue;
    }
    const kind = /^#{1,6} /.test(line) ? "heading" : line.startsWith("|") ? "table" : "text";
    const last = blocks.at(-1);
    if (last?.kind === kind && kind !== "heading") last.lines.push(line);
    else blocks.push({ kind, lines: [line] });
  }
  return blocks;
}
