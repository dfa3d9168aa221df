import type { TriggerEvent } from "./event.ts";

export const CONTROL_COMMANDS = ["help", "status", "reset", "stop"] as const;
export type ControlCommand = (typeof CONTROL_COMMANDS)[number];

/** Name of the command that carries the others where a platform wants one command per app: `/parley stop`. */
const CARRIER = "parley";

/**
 * A command to the gateway itself, or null. Understood as a slash or bot command (`/stop`, `/parley stop`),
 * and as a message that is nothing else (`!stop`, `/stop`), for platforms and rooms without slash commands.
 */
export function controlCommandOf(
  event: Pick<TriggerEvent, "trigger" | "command" | "text">,
): ControlCommand | null {
  if (event.trigger === "button") return null;
  if (event.trigger === "command" && event.command !== null) {
    const words = event.command.replace(/^\//, "").split(" ");
    if (words[0] === CARRIER)
      return (
        asControl(words[1] ?? event.text.trim()) ??
        (words.length === 1 && event.text.trim() === "" ? "help" : null)
      );
    // `/ask !stop`: where an app has one command only, which is not ours to name.
    return words.length === 1 ? (asControl(words[0]) ?? saidControl(event.text, /^!(\w+)$/)) : null;
  }
  return saidControl(event.text, /^[!/](\w+)$/);
}

function saidControl(text: string, shape: RegExp): ControlCommand | null {
  return asControl(shape.exec(text.trim())?.[1]);
}

function asControl(word: string | undefined): ControlCommand | null {
  const lower = word?.toLowerCase();
  return CONTROL_COMMANDS.find((command) => command === lower) ?? null;
}

/** The lane of commands that overtake what they are about. */
export function controlLane(conversation: string): string {
  return `${conversation}!control`;
}

/** Those that must not wait for the run that they are about. */
export function overtakes(command: ControlCommand): boolean {
  return command !== "reset";
}
