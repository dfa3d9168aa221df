import type { Named } from "../../src/domain/mention.ts";
import type { Block, MentionSpan, Span } from "./markdown-blocks.ts";

/** Slack and Discord read these as everybody; whoever is called so is not named by it. */
const OF_ALL = /^(?:channel|here|everyone)$/i;
const NAME_CHARS_MAX = 100;

/**
 * Blocks in which `@Ann` and `#ops` are those who are called so, where they stand as words of their own: not in code, and not
 * in the label of a link. Of names that begin alike the longest counts.
 */
export function withMentions(blocks: readonly Block[], named: readonly Named[]): readonly Block[] {
  const bySign = new Map(named.filter(isUsable).map((one) => [signed(one), one]));
  if (bySign.size === 0) return blocks;
  const names = [...bySign.keys()].sort((a, b) => b.length - a.length).map((name) => RegExp.escape(name));
  // "@Ann" is no mention in "me@Ann", "@Anna", "@Ann-Marie" and "@ann.smith".
  const pattern = new RegExp(
    `(?<![\\p{L}\\p{N}_@#<])(?:${names.join("|")})(?![\\p{L}\\p{N}_]|[-.'’@][\\p{L}\\p{N}_])`,
    "gu",
  );
  return blocks.map((block) => {
    if (block.kind !== "text") return block;
    return { ...block, spans: block.spans.flatMap((span) => mentionsIn(span, pattern, bySign)) };
  });
}

function mentionsIn(span: Span, pattern: RegExp, bySign: ReadonlyMap<string, Named>): readonly Span[] {
  if (span.code || span.href !== null) return [span];
  const pieces: Span[] = [];
  let from = 0;
  for (const { 0: text, index } of span.text.matchAll(pattern)) {
    const one = bySign.get(text);
    if (one === undefined) continue;
    const mention: MentionSpan = { kind: one.kind, id: one.id, text };
    pieces.push({ ...span, text: span.text.slice(from, index) }, { ...span, text, mention });
    from = index + text.length;
  }
  if (pieces.length === 0) return [span];
  return [...pieces, { ...span, text: span.text.slice(from) }].filter(({ text }) => text !== "");
}

function isUsable({ name }: Named): boolean {
  return (
    name !== "" &&
    name.trim() === name &&
    name.length <= NAME_CHARS_MAX &&
    !OF_ALL.test(name) &&
    !/[\p{C}\n]/u.test(name)
  );
}

function signed({ kind, name }: Named): string {
  return (kind === "channel" ? "#" : "@") + name;
}
