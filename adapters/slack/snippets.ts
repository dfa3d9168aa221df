import type { ReplyFile } from "../shared/answer-file.ts";
import { type Block, type CodeBlock, isVisible, textOf } from "../shared/markdown-blocks.ts";
import type { Message } from "./tables.ts";

/** Code that people unfold, copy and load down, in place of pieces of it in several messages. */
export interface Snippet {
  readonly text: "";
  readonly file: ReplyFile;
}

/** A file is looked for behind a message with our mark, so there always is one. */
const LEAD: Message = { text: "_(The code is in the file that follows.)_" };

/** A table that is written as code is none. */
export function isSnippet(block: Block): block is CodeBlock {
  return block.kind === "code" && block.head.length === 0;
}

/** What is written, with snippets where `isLong` says so, in order. */
export function snippetsOf(
  blocks: readonly Block[],
  isLong: (block: Block) => boolean,
  write: (stretch: readonly Block[]) => readonly Message[],
): readonly (Message | Snippet)[] {
  const long = blocks.filter(isLong);
  if (long.length === 0) return write(blocks);
  const said: (Message | Snippet)[] = [];
  let stretch: Block[] = [];
  const close = () => {
    if (stretch.some((block) => isVisible(textOf(block)))) said.push(...write(stretch));
    stretch = [];
  };
  let count = 0;
  for (const block of blocks) {
    if (!isSnippet(block) || !isLong(block)) {
      stretch.push(block);
      continue;
    }
    close();
    if (said.length === 0) said.push(LEAD);
    count++;
    said.push({ text: "", file: fileOf(block, long.length > 1 ? `-${count}` : "") });
  }
  close();
  return said;
}

function fileOf({ language, lines }: CodeBlock, number: string): ReplyFile {
  const [snippet, ending] = KINDS.get(language.toLowerCase()) ?? ["text", "txt"];
  return { name: `code${number}.${ending}`, mime: "text/plain", text: lines.join("\n"), snippet };
}

/** What Slack colours, by how it calls it: the ending of a file, and other names that models write. */
const LANGUAGES: readonly (readonly [slack: string, ending: string, names?: string])[] = [
  ["c", "c", "h"],
  ["cpp", "cpp", "c++ cc hpp"],
  ["csharp", "cs", "c#"],
  ["clojure", "clj"],
  ["css", "css"],
  ["csv", "csv"],
  ["dart", "dart"],
  ["diff", "diff", "patch"],
  ["dockerfile", "dockerfile", "docker"],
  ["erlang", "erl"],
  ["fsharp", "fs", "f#"],
  ["go", "go", "golang"],
  ["groovy", "groovy", "gradle"],
  ["haskell", "hs"],
  ["html", "html", "htm"],
  ["java", "java"],
  ["javascript", "json"],
  ["javascript", "js", "jsx mjs cjs"],
  ["kotlin", "kt", "kts"],
  ["latex", "tex"],
  ["lisp", "lisp"],
  ["lua", "lua"],
  ["markdown", "md"],
  ["objc", "m", "objective-c"],
  ["ocaml", "ml"],
  ["perl", "pl"],
  ["php", "php"],
  ["powershell", "ps1", "pwsh"],
  ["python", "py", "python3"],
  ["r", "r"],
  ["ruby", "rb"],
  ["rust", "rs"],
  ["scala", "scala"],
  ["shell", "sh", "bash zsh console shellsession"],
  ["sql", "sql", "postgresql mysql"],
  ["swift", "swift"],
  ["typescript", "ts", "tsx"],
  ["vb", "vb", "vbnet"],
  ["xml", "xml", "svg"],
  ["yaml", "yaml", "yml"],
];

const KINDS: ReadonlyMap<string, readonly [snippet: string, ending: string]> = new Map(
  LANGUAGES.flatMap(([slack, ending, names = slack]) =>
    [slack, ending, ...names.split(" ")].map((name) => [name, [slack, ending]] as const),
  ),
);
