import type { AdmissionPolicy } from "../admit/policy.ts";
import { Selection } from "../dispatch/selection.ts";
import type { TriggerEvent } from "../domain/event.ts";
import { commanded, NO_COMMANDS } from "../domain/named-command.ts";
import type { AgentChoices } from "../ports/agent-choices.ts";
import type { Clock } from "../ports/clock.ts";
import { within } from "./within.ts";

/** A platform waits for its acknowledgement: a store that is slow decides later who answers, and not how a message is taken. */
const PATIENCE_MS = 250;

export interface ChosenAgentDeps {
  readonly policy: () => AdmissionPolicy;
  readonly choices: Pick<AgentChoices, "find">;
  readonly clock: Clock;
}

/**
 * The agent that was chosen where a message is said; null: it is as the routes have it. Asked for before a message is taken,
 * where that depends on who answers it, and nowhere else.
 */
export function chosenAgentFor({ policy, choices, clock }: ChosenAgentDeps) {
  return (given: TriggerEvent): Promise<string | null> | null => {
    const { routes, chosenBy = NOBODY, commands = NO_COMMANDS } = policy();
    const event = commanded(given, commands);
    if (chosenBy.size < 2 || event.agent !== undefined || !dependsOnAgent(policy(), event)) return null;
    const selection = new Selection({ routes, agents: chosenBy, choices: { ...choices, choose } });
    const chosen = selection.agentFor(event, null).then(({ agent }) => agent);
    return within(chosen, PATIENCE_MS, clock).catch(() => null);
  };
}

const NOBODY: NonNullable<AdmissionPolicy["chosenBy"]> = new Map();

function choose(): Promise<never> {
  return Promise.reject(new Error("Expected nothing to be chosen as a message is taken"));
}

/** Whether some are paused and some are not, or do not do the same with what comes while they work. */
function dependsOnAgent({ agents, isPaused }: AdmissionPolicy, { platform }: TriggerEvent): boolean {
  const paused = new Set<boolean>();
  const busy = new Set<string>();
  for (const [agent, mode] of agents) {
    paused.add(isPaused({ platform, agent }));
    busy.add(mode);
  }
  return paused.size > 1 || busy.size > 1;
}
