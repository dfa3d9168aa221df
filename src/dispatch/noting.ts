import { type Button, pressedDecision } from "../domain/button.ts";
import { controlCommandOf } from "../domain/command.ts";
import { conversationKey } from "../domain/conversation.ts";
import type { Saying } from "../domain/reaction.ts";
import type { ApprovalPlace } from "../domain/run.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Feedback } from "../ports/feedback.ts";
import type { Job } from "../ports/queue.ts";
import type { DeliverDeps } from "../reply/deliver.ts";
import { messageOf } from "../shared/fault.ts";
import { eventIds } from "../telemetry/event-ids.ts";
import type { Logger } from "../telemetry/log.ts";

interface NotingDeps {
  /** Absent: no reaction means anything. */
  readonly feedback?: Pick<Feedback, "said">;
  readonly log: Logger;
}

interface Noted {
  readonly buttons?: readonly Button[];
  /** Where it is said; absent: where the event came from. */
  readonly place?: ApprovalPlace;
}

/** Which messages of ours these are is kept for whoever reacts to them, where that means something. */
export function notedAs(
  { event }: Job,
  agent: string,
  { platform, reactions }: Adapter,
  { feedback, log }: NotingDeps,
  { buttons = [], place }: Noted = {},
): Pick<DeliverDeps, "onSaid"> {
  const approvalId = buttons.map(({ id }) => pressedDecision(id)?.approvalId).find((id) => id !== undefined);
  const means = approvalId === undefined ? reactions?.feedback : reactions?.approvals;
  if (feedback === undefined || means !== true || controlCommandOf(event) !== null) return {};
  const { tenant, ...where } = place === undefined ? event : whereIn(place);
  // Reactions tell of which workspace they are.
  if (tenant === null) return {};
  const { conversation, place: channel, thread, isDirect } = where;
  const at = { conversation, place: channel, thread, isDirect };
  const saying = { eventId: event.id, agent, ...at, ...(approvalId && { approvalId }) };
  return {
    onSaid(messageId) {
      feedback.said({ platform, tenant, messageId }, saying).catch((error: unknown) => {
        log.warn({ ...eventIds(event), platform, cause: messageOf(error) }, "feedback.not_kept");
      });
    },
  };
}

function whereIn({ platform, tenant, channel, thread }: ApprovalPlace): Pick<
  Saying,
  "conversation" | "place" | "thread" | "isDirect"
> & {
  readonly tenant: string | null;
} {
  const conversation = conversationKey({ platform, tenant: tenant ?? "", place: channel, thread });
  return { tenant, conversation, place: channel, thread, isDirect: false };
}
