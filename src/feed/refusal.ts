import { z } from "zod";
import { REFUSED_OUTCOMES } from "../domain/request.ts";
import type { Bus } from "../ports/bus.ts";
import type { Clock } from "../ports/clock.ts";
import type { RequestNote } from "../ports/request-log.ts";
import { iso } from "../shared/time.ts";
import { Feed } from "./feed.ts";

/** A request that was refused or ignored. Never message text: it goes over the bus to every replica. */
export const refusalSchema = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  request_id: z.string().describe("The X-Request-Id of its answer."),
  // A replica of a newer version may say more than this one knows.
  platform: z.string(),
  outcome: z.string().describe(`${REFUSED_OUTCOMES.join(", ")}; later versions may say more`),
  reason: z.string().describe("Why: a word or a sentence. Where there is nothing to add, the outcome."),
  peer: z.string().nullable().describe("Who was at the other end of the connection: the sender, or a proxy."),
  event_id: z.string().optional(),
  conversation: z.string().optional(),
  alike: z
    .int()
    .optional()
    .describe("So many before it, of the same peer and reason, came too fast and are left out."),
});
export type RefusalView = z.output<typeof refusalSchema>;

export function refusalView(note: RequestNote): RefusalView {
  const { id, atMs, requestId, platform, outcome, reason, peer, eventId, conversation, alike } = note;
  return {
    id,
    at: iso(atMs),
    request_id: requestId,
    platform,
    outcome,
    reason: reason ?? outcome,
    peer,
    ...(eventId !== null && { event_id: eventId }),
    ...(conversation !== null && { conversation }),
    ...(alike > 0 && { alike }),
  };
}

/** Requests as they are refused or ignored. */
export class RefusalFeed extends Feed<RefusalView> {
  constructor(of: { bus: Bus; clock: Clock }) {
    super({ ...of, topic: "refusal", schema: refusalSchema });
  }
}
