import type { Message } from "../ports/model.ts";

const FILE = /^(\s*)⟦attached (\w+)(?: "([^"⟧]*)")?[^⟧]*⟧$/gm;

/**
 * What the model was shown, for `demo: prompt`: memory, then what the message refers to as `name: text`, its files as
 * `[file NAME]`, and last the message itself, its directive included.
 */
export function promptText(messages: readonly Message[]): string {
  return messages.flatMap(shown).join("\n");
}

function shown(message: Message): string[] {
  if (message.role === "tool") return [`tool: ${message.result}`];
  const name = message.role === "assistant" ? "assistant" : message.name;
  const text = message.text
    .replace(FILE, (_line, indent: string, kind: string, file?: string) => `${indent}[file ${file ?? kind}]`)
    .replaceAll("⟦you⟧", "you")
    .replaceAll("⟦", "[")
    .replaceAll("⟧", "]");
  return text === "" ? [] : [name === undefined ? text : `${name}: ${text}`];
}

/** Of a command that was chosen from the menu of a message, that message: it is all that there is to repeat. */
export function targetOf(messages: readonly Message[]): string[] {
  const before = messages.at(-2);
  if (before?.role !== "user" || !/^⟦The message that the command/.test(before.text)) return [];
  return [
    before.text
      .split("\n")
      .filter((line) => !line.startsWith("⟦"))
      .join("\n"),
  ];
}
