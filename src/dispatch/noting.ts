import { type Button, pressedDecision } from "../domain/button.ts";
import { controlCommandOf } from "../domain/command.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Feedback } from "../ports/feedback.ts";
import type { Job } from "../ports/queue.ts";
import type { DeliverDeps } from "../reply/deliver.ts";
import { messageOf } from "../shared/fault.ts";
import type { Logger } from "../telemetry/log.ts";

interface NotingDeps {
  /** Absent: no reaction means anything. */
  readonly feedback?: Pick<Feedback, "said">;
  readonly log: Logger;
}

/** Which messages of ours these are is kept for whoever reacts to them, where that means something. */
export function notedAs(
  { event }: Job,
  agent: string,
  { platform, reactions }: Adapter,
  { feedback, log }: NotingDeps,
  buttons: readonly Button[] = [],
): Pick<DeliverDeps, "onSaid"> {
  const approvalId = buttons.map(({ id }) => pressedDecision(id)?.approvalId).find((id) => id !== undefined);
  const means = approvalId === undefined ? reactions?.feedback : reactions?.approvals;
  if (feedback === undefined || means !== true || controlCommandOf(event) !== null) return {};
  const { id: eventId, tenant, conversation, place, thread, isDirect } = event;
  const saying = { eventId, agent, conversation, place, thread, isDirect, ...(approvalId && { approvalId }) };
  return {
    onSaid(messageId) {
      feedback.said({ platform, tenant, messageId }, saying).catch((error: unknown) => {
        log.warn({ event_id: eventId, platform, cause: messageOf(error) }, "feedback.not_kept");
      });
    },
  };
}
