import { CARRIER, controlCommandOf } from "./command.ts";
import type { ContextItem } from "./context.ts";
import type { TriggerEvent } from "./event.ts";
import type { Menu } from "./menu.ts";
import type { KnownCommands } from "./named-command.ts";
import { commandName } from "./route.ts";

/** The menu that was shown last in a conversation: a number means one of its choices. */
export interface ShownMenu extends Menu {
  /** What it answers. */
  readonly eventId: string;
  readonly atMs: number;
}

/** So long a number means a menu; a button means it for as long as it is there. */
export const MENU_MS = 15 * 60_000;

/** `2`, `2.`, `2)` */
const NUMBER = /^\s*([1-9]\d?)[.)]?\s*$/;

/** What is written beside nothing else; null: it is no number, or nobody's word. */
export function numberIn(event: TriggerEvent): number | null {
  const { text, attachments, agent, sender } = event;
  if (!isPlain(event) || sender.isBot || agent !== undefined || attachments.length > 0) return null;
  const found = NUMBER.exec(text)?.[1];
  return found === undefined ? null : Number(found);
}

/** A message, or what stands behind the command of an app that has one only: `/parley 2`, `/ask 2`. */
function isPlain(event: TriggerEvent): boolean {
  if (event.trigger === "button") return false;
  if (event.command === null) return true;
  const isOneWord = event.trigger === "command" && !event.command.includes(" ");
  return isOneWord && controlCommandOf(event) === null;
}

/**
 * The event with the choice in place of its number, as if that had been written: who may not use the command may not do so by
 * its number either. As it was, where the number means nothing there.
 */
export function chosenByNumber(
  event: TriggerEvent,
  menu: ShownMenu | null,
  { onButtons }: Pick<KnownCommands, "onButtons">,
): TriggerEvent {
  const number = numberIn(event);
  if (number === null || menu === null || !isAbout(event, menu)) return event;
  const choice = menu.choices[number - 1];
  if (choice === undefined) return event;
  const { label, command } = choice;
  if (command === undefined) return { ...event, text: label };
  // One that the configuration has no more.
  if (!onButtons.has(command)) return event;
  const isCarried = event.command !== null && commandName(event.command) === CARRIER;
  // As they are written behind the one command of an app (`commanded`).
  return { ...event, text: `${isCarried ? "" : event.command === null ? "/" : "!"}${command.slice(1)}` };
}

/** Not what was said before it, nor what answers something else. Platforms tell whole seconds. */
function isAbout({ occurredAtMs, context = [] }: TriggerEvent, { atMs, text }: ShownMenu): boolean {
  const ageMs = occurredAtMs - atMs;
  return ageMs > -1_000 && ageMs < MENU_MS && context.every((item) => isOf(item, text));
}

function isOf({ kind, author, text }: ContextItem, menuText: string): boolean {
  return kind === "note" || (author?.isSelf === true && bare(text).includes(bare(menuText)));
}

/** What a platform leaves of words as they are. */
function bare(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}]/gu, "");
}
