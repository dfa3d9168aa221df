import {
  type Approvers,
  type DecidedStep,
  type Decision,
  decisionOn,
  mayDecide,
  openQuestion,
  wordOn,
} from "../domain/approval.ts";
import { decisionIn } from "../domain/command.ts";
import type { TriggerEvent } from "../domain/event.ts";
import { cleanLabel } from "../domain/text.ts";
import type { Clock } from "../ports/clock.ts";
import type { LaneHead, Lanes } from "../ports/lanes.ts";
import {
  decidedText,
  NOT_YOURS_TO_DECIDE,
  NOTHING_TO_DECIDE,
  notOpenText,
  TAKEN_BACK,
  TOO_LATE,
  VERDICTS,
} from "../reply/texts.ts";

interface DecideDeps {
  readonly lanes: Lanes;
  readonly approversOf: (agent: string) => Approvers | null;
  readonly clock: Pick<Clock, "nowMs">;
}

/**
 * `/approve` and `/deny`: a word on what a run of this conversation has asked, wherever that run is parked. Of several
 * the first counts, and each is told what was decided. Safe to repeat after a crash.
 */
export async function decide(event: TriggerEvent, deps: DecideDeps): Promise<string> {
  const said = decisionIn(event);
  const head = await deps.lanes.head(event.conversation);
  const steps = head?.progress?.steps ?? [];
  const open = openQuestion(steps);
  const id = said?.approvalId ?? open?.approvalId ?? null;
  if (head === null || said === null || id === null) return id === null ? NOTHING_TO_DECIDE : notOpenText(id);
  const verdict = said.command === "approve" ? "approved" : "denied";
  const before = decisionOf(head, id);
  if (before !== null) return outcomeText(before, verdict, event);
  if (open?.approvalId !== id) return notOpenText(id);
  if (!mayDecide(event, head.event, deps.approversOf(head.progress?.agent ?? ""), open))
    return NOT_YOURS_TO_DECIDE;
  if (deps.clock.nowMs() >= open.untilMs) return TOO_LATE;
  const { sender } = event;
  const decision: Decision = {
    kind: "decide",
    approvalId: id,
    verdict,
    by: { id: sender.id, name: onOneLine(sender.name) },
    ...(said.reason !== null && { reason: onOneLine(said.reason) }),
  };
  const { state, isKept } = await deps.lanes.signal(event.conversation, decision);
  // Where it was parked and ours is kept, it is what counts.
  if (isKept && state === "parked") return VERDICTS[verdict];
  const now = await deps.lanes.head(event.conversation);
  const counts = now === null ? null : decisionOf(now, id);
  return counts === null ? notOpenText(id) : outcomeText(counts, verdict, event);
}

/** The model is shown it, which may say it. */
function onOneLine(text: string): string {
  return cleanLabel(text.replaceAll(/\s+/g, " ").trim());
}

/** What was decided on this question: what the run has recorded, or is about to. */
function decisionOf({ progress, signals }: LaneHead, approvalId: string): DecidedStep | Decision | null {
  return decisionOn({ approvalId }, progress?.steps ?? []) ?? wordOn({ approvalId }, signals);
}

function outcomeText(
  decided: DecidedStep | Decision,
  wanted: Decision["verdict"],
  { sender }: TriggerEvent,
): string {
  if (decided.verdict === "withdrawn") return TAKEN_BACK;
  if (decided.verdict === "expired" || decided.by === null) return TOO_LATE;
  // Said twice, or once and heard of twice.
  if (decided.verdict === wanted && decided.by.id === sender.id) return VERDICTS[wanted];
  return decidedText(decided.verdict, decided.by.name);
}
