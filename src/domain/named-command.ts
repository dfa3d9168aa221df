import { CARRIER } from "./command.ts";
import type { TriggerEvent } from "./event.ts";
import { commandName } from "./route.ts";

/** What the configuration says of commands, as routes hold them: in small letters, without their slash. */
export interface KnownCommands {
  /** Of each command and each of its aliases, the name of the command. */
  readonly names: ReadonlyMap<string, string>;
  /** What stands on the buttons of menus, as it is written there: `/deploy api`. */
  readonly onButtons: ReadonlySet<string>;
}

export const NO_COMMANDS: KnownCommands = { names: new Map(), onButtons: new Set() };

/** `!deploy api` and `/deploy api`, where a platform or a room has no slash commands. */
const SAID = /^[!/]([a-z0-9][a-z0-9_-]*)(?:\s+(.*))?$/is;
/** `/ask !deploy api`: where an app has one command only. */
const SAID_WITHIN = /^!([a-z0-9][a-z0-9_-]*)(?:\s+(.*))?$/is;

/**
 * The event as the command that it is: an alias is the command itself, what is written as one is one, and what is pressed in
 * a menu is what stands behind the button. The same again where it is that already.
 */
export function commanded(event: TriggerEvent, { names, onButtons }: KnownCommands): TriggerEvent {
  if (names.size === 0 && onButtons.size === 0) return event;
  if (event.trigger === "button") return pressedIn(event, onButtons, names);
  if (event.command === null) return saidIn(event, SAID, names);
  if (event.trigger !== "command") return event;
  const [word = "", ...rest] = commandName(event.command).split(" ");
  const name = names.get(word);
  if (name !== undefined) return word === name ? event : { ...event, command: slashed(name, rest) };
  if (rest.length > 0) return event;
  return word === CARRIER
    ? saidIn({ ...event, text: `/${event.text}` }, SAID, names, event)
    : saidIn(event, SAID_WITHIN, names);
}

/** `otherwise`: where it is none. */
function saidIn(
  event: TriggerEvent,
  shape: RegExp,
  names: KnownCommands["names"],
  otherwise: TriggerEvent = event,
): TriggerEvent {
  const [, word = "", text = ""] = shape.exec(event.text.trim()) ?? [];
  const name = names.get(word.toLowerCase());
  return name === undefined ? otherwise : { ...event, command: `/${name}`, text: text.trim() };
}

function pressedIn(
  event: TriggerEvent,
  onButtons: KnownCommands["onButtons"],
  names: KnownCommands["names"],
): TriggerEvent {
  const { command, pressed, ...rest } = event;
  if (command === null || pressed?.kind === "form" || !onButtons.has(command)) return event;
  const [word = "", ...words] = command.split(" ");
  const name = commandName(word);
  return { ...rest, trigger: "command", command: `/${names.get(name) ?? name}`, text: words.join(" ") };
}

function slashed(name: string, rest: readonly string[]): string {
  return `/${[name, ...rest].join(" ")}`;
}
