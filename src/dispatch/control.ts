import type { ControlCommand } from "../domain/command.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { Lanes } from "../ports/lanes.ts";
import type { Memory } from "../ports/memory.ts";
import { FORGOTTEN, HELP, NOTHING_TO_STOP, STOPPING, statusText } from "../reply/texts.ts";

export interface ControlDeps {
  readonly memory: Pick<Memory, "forget">;
  /** The store's: a command may arrive at another replica than the one that runs what it is about. */
  readonly lanes: Lanes;
  /** The agent that would answer, and its model; null when no route matches. */
  readonly describeAgent: (event: TriggerEvent) => { name: string; model: string } | null;
  readonly isPaused: () => boolean;
  readonly version: string;
}

/** Carries out a command to the gateway itself and gives the answer, in Markdown. Safe to repeat after a crash. */
export async function obey(command: ControlCommand, event: TriggerEvent, deps: ControlDeps): Promise<string> {
  switch (command) {
    case "help":
      return HELP;
    case "status":
      return await status(event, deps);
    case "reset":
      await deps.memory.forget(event.conversation, event.id);
      return FORGOTTEN;
    case "stop":
      return (await deps.lanes.stop(event.conversation)) === "idle" ? NOTHING_TO_STOP : STOPPING;
  }
}

async function status(
  event: TriggerEvent,
  { describeAgent, lanes, isPaused, version }: ControlDeps,
): Promise<string> {
  const lane = await lanes.stateOf(event.conversation);
  return statusText({ agent: describeAgent(event), lane, isPaused: isPaused(), version });
}
