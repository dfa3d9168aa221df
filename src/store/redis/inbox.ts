import { turnOf } from "../../domain/priority.ts";
import type { RefusalCause } from "../../domain/refusal.ts";
import type { Acceptance, Inbox, Offer, RateLimit } from "../../ports/inbox.ts";
import { wellFormed } from "../well-formed.ts";
import { refused } from "./errors.ts";
import { type Argument, isUnavailable } from "./link.ts";
import type { Parts } from "./parts.ts";
import { offerRow } from "./rows.ts";

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
  const { event, refusal, lane, kind, agent, busy } = offer;
  const { text, attachments, ...rest } = event;
  const head = offerRow({
    id: wellFormed(event.id),
    lane: wellFormed(lane),
    kind,
    agent: agent === null ? "" : wellFormed(agent),
    busy,
    conversation: event.conversation === lane ? "" : wellFormed(event.conversation),
    platform: event.platform,
    tenant: wellFormed(event.tenant),
    sender: wellFormed(turnOf(event)),
    refusal: refusal === null ? "" : JSON.stringify(refusal),
    cause: refusal?.cause ?? "",
    notice_ms: refusal?.noticeWindowMs ?? 0,
    only_known: offer.onlyIfKnown ? 1 : 0,
    may_be_told: offer.isTold ? 1 : 0,
    dedup_ms: offer.dedupMs,
    lane_max: limits.waitingPerLaneMax,
    all_max: limits.waitingMax,
    came: offer.spooledAtMs ?? Math.trunc(clock.nowMs()),
    spooled: offer.spooledAtMs === undefined ? 0 : 1,
    limits: refusal === null ? offer.limits.flatMap(toLimit) : [],
    aliases: event.aliases.map(wellFormed),
  });
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
  const refusal = offer.refusal ?? {
    ...{ cause: cause as RefusalCause, detail, noticeWindowMs },
    ...(retryAfterMs > 0 && { retryAfterMs }),
  };
  return { kind: "refused", refusal, told: told === 1 };
}
