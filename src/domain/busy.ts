import type { TriggerEvent } from "./event.ts";

/**
 * What a message does that comes while a run of its lane is in hand:
 * - `queue`: it waits its turn
 * - `collect`: what waits when a run begins is answered by that run together
 * - `interrupt`: it ends the run, and the next one answers both
 * - `steer`: the run hears of it before its next call of the model
 * - `drop`: it is refused, and the person is told once a run
 */
export const BUSY_MODES = ["queue", "collect", "interrupt", "steer", "drop"] as const;
export type BusyMode = (typeof BUSY_MODES)[number];

/** Whether such a message may become part of the run of one before it. */
export function mayMerge(mode: BusyMode): boolean {
  return mode === "collect" || mode === "interrupt" || mode === "steer";
}

/**
 * A command and a press are each awaited by whoever made them, and answered where they were made: they wait their turn
 * where messages would be merged.
 */
export function busyModeFor(
  { trigger, command }: Pick<TriggerEvent, "trigger" | "command">,
  mode: BusyMode,
): BusyMode {
  const isAwaited = trigger === "command" || trigger === "button" || command !== null;
  return mayMerge(mode) && isAwaited ? "queue" : mode;
}
