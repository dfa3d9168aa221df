/** What a message makes the simulated model do; part of its text, so that every life reads the same. */
export interface Script {
  /** Tools asked for, one list for each answer that asks. */
  readonly rounds: readonly (readonly ToolName[])[];
  readonly parts: number;
  /** Word by word, so that it takes seconds. */
  readonly isSlow: boolean;
}
/** `grant` needs an approval. */
export type ToolName = (typeof TOOLS)[number];
export const TOOLS = ["look", "pay", "grant"] as const;

/** Separates the parts of a reply. */
export const PART_MARK = "¶";

/** `m12 use=look,pay+look parts=3 slow`: the first answer asks for two tools, the second for one, the third is the reply. */
export function writeScript(key: string, { rounds, parts, isSlow }: Script): string {
  const words = [key];
  if (rounds.length > 0) words.push(`use=${rounds.map((names) => names.join(",")).join("+")}`);
  if (parts > 1) words.push(`parts=${parts}`);
  if (isSlow) words.push("slow");
  return words.join(" ");
}

export function readScript(text: string): Script & { readonly key: string } {
  const rounds = /use=(\S+)/.exec(text)?.[1]?.split("+") ?? [];
  return {
    key: text.split(" ", 1)[0] ?? "",
    rounds: rounds.map((names) =>
      names.split(",").map((name) => TOOLS.find((known) => known === name) ?? "look"),
    ),
    parts: Number(/parts=(\d+)/.exec(text)?.[1] ?? 1),
    isSlow: / slow$/.test(text),
  };
}

/** Repeats what it answers. `call` differs for each model call, so that what two runs say can be told apart. */
export function writeAnswer(keys: readonly string[], parts: number, call: number): string {
  return Array.from(
    { length: parts },
    (_, index) => `${opening(keys)} call ${call}, part ${index}, of some length`,
  ).join(PART_MARK);
}

/** How an answer to these messages begins. */
export function opening(keys: readonly string[]): string {
  return `re ${keys.join("+")},`;
}
