import type { TriggerEvent } from "../domain/event.ts";
import type { Step } from "../domain/run.ts";
import type { Run } from "../ports/agent.ts";
import type { Clock } from "../ports/clock.ts";
import type { TurnAbout } from "../ports/model.ts";
import type { ModelCall } from "./model-call.ts";

/** What a model that is more than one is told as data: of the last message that it is shown, and of what is left. */
export function turnAbout(
  { agent: { name, model }, ledger, deadlineMs }: Pick<ModelCall, "agent" | "ledger" | "deadlineMs">,
  run: Run,
  steps: readonly Step[],
  joined: readonly TriggerEvent[],
  { clock }: { readonly clock: Clock },
): TurnAbout {
  const shown = steps.findLast((step) => step.kind === "joined");
  const event = joined.find(({ id }) => id === shown?.eventId) ?? run.event;
  const seconds = Math.max(0, (deadlineMs - clock.nowMs()) / 1000);
  return { runId: run.id, agent: name, event, budget: { cents: ledger.leftCents(model.goesOn), seconds } };
}
