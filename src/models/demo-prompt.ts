import type { Message } from "../ports/model.ts";

const FILE = /^(\s*)⟦attached (\w+)(?: "([^"⟧]*)")?(?:[^⟧]*?( could not be read: [^⟧]*))?[^⟧]*⟧$/gm;
const FILE_END = /\n⟦end of that file⟧/g;

/**
 * What the model was shown, for `demo: prompt`: memory, then what the message refers to as `name: text`, its files as
 * `[file NAME]` with their text, and last the message itself, its directive included.
 */
export function promptText(messages: readonly Message[]): string {
  return messages.flatMap(shown).join("\n");
}

function shown(message: Message): string[] {
  if (message.role === "tool") return [`tool: ${message.result}`];
  const name = message.role === "assistant" ? "assistant" : message.name;
  const text = message.text
    .replace(FILE, (_line, indent: string, kind: string, file?: string, unread = "") => {
      return `${indent}[file ${file ?? kind}]${unread}`;
    })
    .replace(FILE_END, "")
    .replaceAll("⟦you⟧", "you")
    .replaceAll("⟦", "[")
    .replaceAll("⟧", "]");
  return text === "" ? [] : [name === undefined ? text : `${name}: ${text}`];
}

/** Where a person wrote nothing (a forward, a command for a message), what it is about: all that there is to repeat. */
export function referenceOf(messages: readonly Message[]): string[] {
  const [before, last] = messages.slice(-2);
  if (before?.role !== "user" || last?.role !== "user" || !before.text.startsWith("⟦")) return [];
  if (last.text !== "(no text)" && !before.text.startsWith("⟦The message that the command")) return [];
  const lines = before.text.split("\n").filter((line) => !line.startsWith("⟦"));
  return lines.length === 0 ? [] : [lines.join("\n")];
}

const SUMMARY = "The demo model's summary: ";
const SUMMARY_WORDS = 6;

/** Of a conversation that is to be made a summary of: how each line begins, without what directs this model. */
export function summaryOf(conversation: string): string {
  const lines = conversation.split("\n").filter((line) => !/^⟦(?!you⟧)|^\s*\||^$/.test(line));
  const begins = lines.map((line) => {
    // A summary of before stays as it is.
    if (line.startsWith(SUMMARY)) return line.slice(SUMMARY.length);
    const words = line.replaceAll("⟦you⟧", "you").replaceAll("demo:", "demo").split(/\s+/);
    return words.length <= SUMMARY_WORDS ? words.join(" ") : `${words.slice(0, SUMMARY_WORDS).join(" ")} …`;
  });
  return `${SUMMARY}${begins.join("; ")}`;
}
