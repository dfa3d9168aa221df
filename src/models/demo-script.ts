/** One thing that a person asked the demo model to do. */
export type Directive =
  | { readonly kind: "sleep"; readonly ms: number }
  | { readonly kind: "long"; readonly chars: number }
  | { readonly kind: "stream"; readonly words: number; readonly perSecond: number }
  | { readonly kind: "fail"; readonly when: "always" | "once" | "for good" }
  | { readonly kind: "ask"; readonly question: string }
  | { readonly kind: "tool"; readonly name: string; readonly input: unknown }
  /** US cents, of each model call of the turn; `ofCents`: what it may cost at most. */
  | { readonly kind: "cost"; readonly cents: number; readonly ofCents: number }
  | { readonly kind: "choices"; readonly choices: readonly string[] }
  | { readonly kind: "markdown" }
  | { readonly kind: "prompt" };

export interface Script {
  readonly directives: readonly Directive[];
  /** What is left without the directives; all of it when nothing else would be. */
  readonly said: string;
}

const SLEEP_MS_MAX = 10 * 60_000;
const LONG_CHARS_MAX = 100_000;
const STREAM_WORDS_MAX = 10_000;
const STREAM_RATE_MAX = 1_000;
const DIRECTIVES_MAX = 20;

/** Reads `demo: …` lines. A line that is none, misspelt ones included, is said like any other. */
export function scriptOf(text: string): Script {
  const directives: Directive[] = [];
  const rest: string[] = [];
  for (const line of text.split("\n")) {
    const directive = directives.length < DIRECTIVES_MAX ? directiveIn(line) : null;
    if (directive === null) rest.push(line);
    else directives.push(directive);
  }
  if (directives.length === 0) return { directives, said: text };
  const said = rest.join("\n").trim();
  const answersItself = directives.some(({ kind }) => ANSWERS.has(kind));
  return { directives, said: said === "" && !answersItself ? text : said };
}

/** Those that there is an answer to without a word of the person. */
const ANSWERS: ReadonlySet<Directive["kind"]> = new Set([
  "long",
  "stream",
  "tool",
  "ask",
  "markdown",
  "choices",
  "prompt",
]);

function directiveIn(line: string): Directive | null {
  const words = /^\s*demo:\s*(\w+)(?:\s+(\S.*?))?\s*$/i.exec(line);
  const name = words?.[1]?.toLowerCase();
  const rest = words?.[2] ?? "";
  if ((name === "markdown" || name === "prompt") && rest === "") return { kind: name };
  if (name === "fail" && /^(once)?$/i.test(rest))
    return { kind: "fail", when: rest === "" ? "always" : "once" };
  if (name === "dead" && rest === "") return { kind: "fail", when: "for good" };
  if (name === "sleep") return sleepOf(rest);
  if (name === "long" && /^\d{1,9}$/.test(rest)) {
    return { kind: "long", chars: Math.min(Number(rest), LONG_CHARS_MAX) };
  }
  if (name === "stream") return streamOf(rest);
  if (name === "choices") return choicesOf(rest);
  if (name === "cost") return costOf(rest);
  if (name === "ask" && rest !== "") return { kind: "ask", question: rest };
  return name === "tool" ? toolOf(rest) : null;
}

/** Between bars, or commas where there is no bar. */
function choicesOf(rest: string): Directive | null {
  const choices = rest
    .split(rest.includes("|") ? "|" : ",")
    .map((choice) => choice.trim())
    .filter((choice) => choice !== "");
  return choices.length === 0 ? null : { kind: "choices", choices };
}

function costOf(rest: string): Directive | null {
  const parts = /^(\d{1,7}(?:\.\d{1,6})?)(?:\s+of\s+(\d{1,7}(?:\.\d{1,6})?))?$/i.exec(rest);
  if (parts === null) return null;
  const cents = Number(parts[1]);
  const ofCents = Number(parts[2] ?? parts[1]);
  return cents <= ofCents ? { kind: "cost", cents, ofCents } : null;
}

/** Whether there is anything to read at all, for those who only ask what it costs. */
export function mayCost(text: string): boolean {
  return /demo:\s*cost/i.test(text);
}

function sleepOf(rest: string): Directive | null {
  const parts = /^(\d{1,9}(?:\.\d{1,3})?)\s*(ms|s|m)$/i.exec(rest);
  if (parts === null) return null;
  const unitMs = { ms: 1, s: 1000, m: 60_000 }[parts[2]?.toLowerCase() ?? ""] ?? 1;
  return { kind: "sleep", ms: Math.min(Number(parts[1]) * unitMs, SLEEP_MS_MAX) };
}

function streamOf(rest: string): Directive | null {
  const [, words, rate] = /^(\d{1,9})\s+(\d{1,9}(?:\.\d{1,3})?)$/.exec(rest) ?? [];
  const perSecond = Math.min(Number(rate), STREAM_RATE_MAX);
  if (!(perSecond > 0)) return null;
  return { kind: "stream", words: Math.min(Number(words), STREAM_WORDS_MAX), perSecond };
}

function toolOf(rest: string): Directive | null {
  const parts = /^(\S+)\s*(.*)$/.exec(rest);
  if (parts?.[1] === undefined) return null;
  try {
    return { kind: "tool", name: parts[1], input: parts[2] ? JSON.parse(parts[2]) : {} };
  } catch {
    return null;
  }
}

/** Exactly `chars` characters of numbered sentences in paragraphs: where a part is missing or twice, one can see it. */
export function longText(chars: number): string {
  let text = "";
  for (let n = 1; text.length < chars; n++) {
    text += `Sentence ${n} of a long answer, one of many.${n % 5 === 0 ? "\n\n" : " "}`;
  }
  const cut = text.slice(0, chars);
  // A space at the very end would be lost on the way, and with it the exact length.
  return /\s$/.test(cut) ? `${cut.slice(0, -1)}.` : cut;
}

/** `w1 w2 … wN`. */
export function streamedText(words: number): string {
  return Array.from({ length: words }, (_, index) => `w${index + 1}`).join(" ");
}

/** A sample with everything that a reply may hold. */
export const MARKDOWN_SAMPLE = `# A heading

Plain words, **bold**, *italic*, ***both***, ~~struck out~~, \`code\` and [a link](https://example.com/a?b=1&c=2).

## Lists

- first
- second
  - nested, with **bold**
    - deeper
- third

1. one
2. two
   continued on a second line
3. three

- [x] done
- [ ] to do

> A quotation
> of two lines.
>
> > And one inside it.

\`\`\`ts
export function twice(n: number): number {
  return n * 2; // <b>not</b> & *not* bold
}
\`\`\`

| Left     |      Right | Middle |
|:---------|-----------:|:------:|
| one      |     12,000 |  yes   |
| two      |      2,000 |   no   |
| three    |      4,096 |  yes   |

---

Things to escape: 1 < 2 && 3 > 2, snake_case_name, 2 * 3 * 4, @everyone, <!channel>, \\*not italic\\*, 👩‍👩‍👧‍👦.`;
