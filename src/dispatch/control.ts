import type { ControlCommand } from "../domain/command.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { LaneState, Lanes } from "../ports/lanes.ts";
import type { Memory } from "../ports/memory.ts";

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
      return await statusText(event, deps);
    case "reset":
      await deps.memory.forget(event.conversation, event.id);
      return "Done. I have forgotten this conversation; we start afresh.";
    case "stop":
      return (await deps.lanes.stop(event.conversation)) === "idle"
        ? "Nothing is running here."
        : "Stopping.";
  }
}

const HELP = `Write to me, mention me in a channel or use a command, and I will answer. In a thread that I take part in you need not mention me.

- \`/help\`: this text
- \`/status\`: which agent answers here, and whether it is busy
- \`/reset\`: forget this conversation
- \`/stop\`: stop what I am doing here

Where slash commands are not available, write \`!help\`, \`!status\`, \`!reset\` or \`!stop\` as a message.`;

const WORK: Readonly<Record<LaneState, string>> = {
  idle: "Nothing is running in this conversation.",
  waiting: "A message in this conversation waits to be answered.",
  running: "I am working on an answer in this conversation.",
};

async function statusText(event: TriggerEvent, deps: ControlDeps): Promise<string> {
  const agent = deps.describeAgent(event);
  const lines = [
    agent === null
      ? "No agent is set up to answer here."
      : `Agent **${agent.name}** answers here, with ${agent.model}.`,
    WORK[await deps.lanes.stateOf(event.conversation)],
  ];
  if (deps.isPaused()) lines.push("I am paused: messages are not answered at the moment.");
  return `${lines.join("\n")}\n\nParley ${deps.version}`;
}
