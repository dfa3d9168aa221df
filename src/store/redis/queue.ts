import { SUSPECTS_MAX } from "../../domain/bounds.ts";
import type { RefusalCause } from "../../domain/refusal.ts";
import type { Acceptance, Job, Offer, Queue, RateLimit, Settlement } from "../../ports/store.ts";
import { STOP_TOPIC } from "../../ports/store.ts";
import { wellFormed } from "../sqlite/well-formed.ts";
import { storedJob } from "../stored.ts";
import { refused } from "./errors.ts";
import { type Argument, isUnavailable } from "./link.ts";
import type { Parts } from "./parts.ts";
import type { Status } from "./pulse.ts";

/** Turns kept of one conversation: what the longest memory of an agent may show. */
const TURNS_MAX = 10_000;

export function createQueue(parts: Parts): Queue {
  const { run, persistence, holdings, pulse, now, owner, bus, refusal, clock } = parts;
  /** A claim whose answer was lost may have been carried out; what it took is taken back before the next. */
  let claimLost = false;
  let checkpoints = 0;

  /** What is lost stays lost, and is not kept in mind. */
  function isHeld(job: Job, held: boolean): boolean {
    if (!held) holdings.end(job);
    return held;
  }

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

    async claim({ jobsMax, leaseMs, controlOnly }) {
      if (claimLost) {
        await run("release", [now(), owner, "lost", SUSPECTS_MAX, ...holdings.tokens()], "long");
        claimLost = false;
      }
      const args = [now(), jobsMax, leaseMs, controlOnly ? 1 : 0, owner, SUSPECTS_MAX];
      const [status, ...rows] = (await run("claim", args, "long").catch((error: unknown) => {
        claimLost = true;
        throw error;
      })) as [Status, ...ClaimedRow[]];
      parts.heardFrom(status);
      return rows.map((row) => {
        const job = toJob(row);
        holdings.take(job.token, row[1]);
        return job;
      });
    },

    async extend(job, leaseMs) {
      const seq = holdings.seqOf(job);
      if (seq === undefined) return false;
      const answer = await run("extend", [now(), seq, job.token, leaseMs], "brief");
      // The word on the bus may have been lost.
      if (answer === 2) bus.deliver(STOP_TOPIC, job.lane);
      return isHeld(job, answer !== 0);
    },

    async checkpoint(job, progress) {
      const seq = holdings.seqOf(job);
      if (seq === undefined) return false;
      const args = [seq, job.token, JSON.stringify(progress), ++checkpoints];
      const call = () => run("checkpoint", [now(), ...args], "long");
      return isHeld(job, (await persistence.until(call)) === 1);
    },

    async settle(job, settlement) {
      const seq = holdings.seqOf(job);
      if (seq === undefined) return false;
      const args = [seq, job.token, parts.newOp(), ...settlementArgs(settlement)];
      const call = () => run("settle", [now(), ...args], "long");
      const [held, status] = (await persistence.until(call)) as [number, Status | undefined];
      holdings.end(job);
      if (status !== undefined) parts.heardFrom(status);
      return held === 1;
    },

    ready: (signal) => pulse.readiness.wait(signal),
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

type ClaimedRow = readonly [
  token: string,
  seq: string,
  lane: string,
  attempt: number,
  failures: number,
  acceptedAtMs: string,
  body: string,
  refusal: string,
  progress: string,
  crashes: number,
  replay: number,
  stop: number,
  waitsSinceMs: string,
];

function toJob([
  token,
  ,
  lane,
  attempt,
  failures,
  at,
  body,
  refusal,
  progress,
  crashes,
  replay,
  stop,
  since,
]: ClaimedRow): Job {
  return {
    ...storedJob({
      lane,
      body,
      refusal: refusal === "" ? null : refusal,
      progress: progress === "" ? null : progress,
    }),
    lane,
    attempt,
    failures,
    crashes,
    replay,
    stopRequested: stop === 1,
    token: Number(token),
    acceptedAtMs: Number(at),
    waitsSinceMs: Number(since),
  };
}

function settlementArgs(settlement: Settlement): Argument[] {
  if (settlement.kind !== "done") {
    const afterMs = "afterMs" in settlement ? Math.max(0, Math.ceil(settlement.afterMs)) : 0;
    return [settlement.kind, settlement.cause, afterMs, TURNS_MAX];
  }
  // An ordinary end needs no cause; any other is what an operator looks for.
  const cause = settlement.outcome === "answered" ? "" : settlement.outcome;
  const turns = settlement.turns.flatMap((turn) => [Math.trunc(turn.atMs), JSON.stringify(turn)]);
  return ["done", cause, 0, TURNS_MAX, ...turns];
}
