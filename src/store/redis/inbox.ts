import type { RefusalCause } from "../../domain/refusal.ts";
import type { Acceptance, Inbox, Offer, RateLimit } from "../../ports/inbox.ts";
import { wellFormed } from "../sqlite/well-formed.ts";
import { refused } from "./errors.ts";
import { type Argument, isUnavailable } from "./link.ts";
import type { Parts } from "./parts.ts";

export function createInbox(parts: Parts): Inbox {
  const { run, now, refusal, clock } = parts;
  return {
    async accept(offer) {
      const args = [now(), ...offerArgs(offer, parts)];
      try {
        const [answer] = (await run("accept", args, "brief")) as [AcceptRow];
        refusal.written();
        return toAcceptance(answer, offer);
      } catch (error) {
        if (isUnavailable(error)) refusal.refused(error.message, clock.nowMs());
        throw error;
      }
    },
  };
}

/** One offer as the script takes it. Gathered in one text, because each value costs the client and Redis a part of its own. */
function offerArgs(offer: Offer, { limits, clock }: Parts): Argument[] {
  const { event, refusal, lane } = offer;
  const { text, attachments, ...rest } = event;
  const head = [
    wellFormed(event.id),
    wellFormed(lane),
    event.conversation === lane ? "" : wellFormed(event.conversation),
    event.platform,
    wellFormed(event.tenant),
    wellFormed(event.sender.id),
    refusal === null ? "" : JSON.stringify(refusal),
    refusal?.cause ?? "",
    refusal?.noticeWindowMs ?? 0,
    offer.onlyIfKnown ? 1 : 0,
    offer.isTold ? 1 : 0,
    offer.dedupMs,
    limits.waitingPerLaneMax,
    limits.waitingMax,
    offer.spooledAtMs ?? Math.trunc(clock.nowMs()),
    offer.spooledAtMs === undefined ? 0 : 1,
    refusal === null ? offer.limits.flatMap(toLimit) : [],
    event.aliases.map(wellFormed),
  ];
  const tail = `,"text":${JSON.stringify(text)},"attachments":${JSON.stringify(attachments)}}`;
  return [JSON.stringify(head), JSON.stringify(rest).slice(0, -1), tail];
}

function toLimit({ scope, key, messages, perMs }: RateLimit): [string, number, number] {
  return [wellFormed(`${scope}:${key}`), messages, perMs];
}

type AcceptRow =
  | readonly ["accepted" | "duplicate" | "unknown-conversation" | "full"]
  | readonly ["failed", why: string]
  | readonly ["refused", cause: string, detail: string, noticeMs: number, retryMs: number, told: number];

/** A refusal that was offered is given back as it was; one by a limit was made by the script. */
function toAcceptance(row: AcceptRow, offer: Offer): Acceptance {
  if (row[0] === "failed") throw refused("accept", row[1]);
  if (row[0] !== "refused") return { kind: row[0] };
  const [, cause, detail, noticeWindowMs, retryAfterMs, told] = row;
  const refusal = offer.refusal ?? { cause: cause as RefusalCause, detail, noticeWindowMs, retryAfterMs };
  return { kind: "refused", refusal, told: told === 1 };
}
