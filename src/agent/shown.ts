import type { ContextItem } from "../domain/context.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { Turn } from "../domain/run.ts";
import type { Message } from "../ports/model.ts";
import { ATTACHMENTS_MAX } from "./bounds.ts";
import { contextText } from "./context.ts";
import { attachmentLine } from "./files.ts";
import { amongOthers, ourLine, quotedLabel, speaker, theirWords } from "./voice.ts";

/*
 * What of an event the model is shown, and the same for memory: what it refers to, then the files that came with it
 * and the command or button that it is, and last what the person wrote.
 */

type Heard = Pick<TriggerEvent, "isDirect" | "sender" | "trigger" | "command" | "text" | "attachments"> &
  Partial<Pick<TriggerEvent, "context" | "pressed">>;

export function eventMessages(
  event: Heard,
  earlier: readonly ContextItem[],
  contextTokensMax: number,
): Message[] {
  const who = event.isDirect ? {} : { name: speaker(event.sender.name) };
  const context = contextText(contextOf(event, earlier), contextTokensMax);
  return [
    ...(context === "" ? [] : [{ role: "user" as const, text: context }]),
    ...saidParts(event).map((text) => ({ role: "user" as const, text, ...who })),
  ];
}

/** The turn of the person as memory keeps it; what it refers to is a turn of its own, of nobody. */
export function rememberedTurns(
  event: Heard & { occurredAtMs: number },
  earlier: readonly ContextItem[],
): Turn[] {
  const atMs = event.occurredAtMs;
  const context = contextText(contextOf(event, earlier));
  return [
    ...(context === "" ? [] : [{ role: "user" as const, name: null, text: context, atMs }]),
    { role: "user", name: event.sender.name, text: saidParts(event).join("\n"), atMs },
  ];
}

function contextOf(event: Heard, earlier: readonly ContextItem[]): readonly ContextItem[] {
  return [...earlier, ...(event.context ?? [])];
}

/** What came with the words, then the words themselves, so that the last is what the person wrote. Never empty. */
function saidParts(event: Heard): string[] {
  const files = event.attachments.slice(0, ATTACHMENTS_MAX).map(attachmentLine);
  // Of a command for a message, the text is that message's, which is shown as such.
  const own = event.context?.some(({ kind }) => kind === "target") ? "" : event.text;
  const text = theirWords(own.trim() === "" ? wordless(event) : own);
  const words = event.isDirect ? text : amongOthers(text);
  const before = [...files, ...howSaid(event, own)].join("\n");
  const parts = [before, words].filter((part) => part !== "");
  return parts.length === 0 ? ["(no text)"] : parts;
}

/** Of a press or a command without words, its name stands for them. */
function wordless({ command, pressed }: Heard): string {
  return pressed?.label ?? command ?? "";
}

/** By what means, where it was more than writing: which command, which button. */
function howSaid({ trigger, command, pressed }: Heard, words: string): string[] {
  if (trigger === "button") return [ourLine(pressLine(command, pressed))];
  return command === null || words.trim() === "" ? [] : [ourLine(`command ${quotedLabel(command)}`)];
}

function pressLine(command: string | null, pressed: TriggerEvent["pressed"]): string {
  const what = { button: "pressed the button", choice: "chose", form: "sent the form" }[
    pressed?.kind ?? "button"
  ];
  const label = pressed?.label ?? null;
  const name = command === null ? "" : quotedLabel(command);
  if (label === null) return `${what} ${name}`.trim();
  return `${what} ${quotedLabel(label)}${name === "" || command === label ? "" : ` (${name})`}`;
}
