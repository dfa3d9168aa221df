import { GROWTH_MS, MERGED_CHARS_MAX, MERGED_EVENTS_MAX, SUSPECTS_MAX } from "../../domain/bounds.ts";
import type { BusyMode } from "../../domain/busy.ts";
import type { EventKind } from "../../domain/kind.ts";
import type { Progress, Turn } from "../../domain/run.ts";
import { isStopped, type Signal } from "../../domain/signal.ts";
import { SIGNAL_TOPIC, signalMessage } from "../../ports/lanes.ts";
import type { Recall } from "../../ports/memory.ts";
import type { Job, Queue, Settlement } from "../../ports/queue.ts";
import {
  isFirstAnswer,
  readable,
  readableEvents,
  STOP_OF_UNKNOWN,
  storedJob,
  storedSignals,
} from "../stored.ts";
import { wellFormed } from "../well-formed.ts";
import type { Argument } from "./link.ts";
import type { Parts } from "./parts.ts";
import type { Status } from "./pulse.ts";

/** Turns kept of one conversation: what the longest memory of an agent may show. */
const TURNS_MAX = 10_000;

export function createQueue(parts: Parts): Queue {
  const { run, persistence, holdings, pulse, now, owner, bus } = parts;
  /** A claim whose answer was lost may have been carried out; what it took is taken back before the next. */
  let claimLost = false;

  /** What is lost stays lost, and is not kept in mind. */
  function isHeld(job: Job, held: boolean): boolean {
    if (!held) holdings.end(job);
    return held;
  }

  return {
    async claim({ jobsMax, leaseMs, controlOnly, recall }) {
      if (claimLost) {
        await run("release", [now(), owner, "lost", SUSPECTS_MAX, ...holdings.tokens()], "long");
        claimLost = false;
      }
      const turns = [recall?.turnsMax ?? "", recall?.sinceMs ?? ""];
      const args = [now(), jobsMax, leaseMs, controlOnly ? 1 : 0, owner, SUSPECTS_MAX, ...turns];
      const [status, ...rows] = (await run("claim", args, "long").catch((error: unknown) => {
        claimLost = true;
        throw error;
      })) as [Status, ...ClaimedRow[]];
      parts.heardFrom(status);
      return rows.map((row) => {
        const job = toJob(row, recall);
        holdings.take(job.token, row[1]);
        return job;
      });
    },

    async extend(job, leaseMs) {
      const seq = holdings.seqOf(job);
      if (seq === undefined) return false;
      const answer = await run("extend", [now(), seq, job.token, leaseMs], "brief");
      // The word on the bus may have been lost.
      if (Array.isArray(answer))
        for (const signal of toSignals(...(answer as [string, number])))
          bus.deliver(SIGNAL_TOPIC, signalMessage(job.lane, signal));
      return isHeld(job, answer !== 0);
    },

    async checkpoint(job, progress) {
      const seq = holdings.seqOf(job);
      if (seq === undefined) return false;
      const args = [seq, job.token, ...progressArgs(job, progress, parts)];
      const call = () => run("checkpoint", [now(), ...args], "long");
      return isHeld(job, (await persistence.until(call)) === 1);
    },

    async join(job) {
      const seq = holdings.seqOf(job);
      if (seq === undefined) return [];
      const args = [seq, job.token, MERGED_EVENTS_MAX, MERGED_CHARS_MAX, GROWTH_MS];
      const texts = await persistence.until(() => run("join", [now(), ...args], "long"));
      return readableEvents(texts as string[]);
    },

    async settle(job, settlement) {
      const seq = holdings.seqOf(job);
      if (seq === undefined) return false;
      const args = [seq, job.token, parts.newOp(), ...settlementArgs(job, settlement, parts)];
      const call = () => run("settle", [now(), ...args], "long");
      const [held, status] = (await persistence.until(call)) as [number, Status | undefined];
      holdings.end(job);
      if (status !== undefined) parts.heardFrom(status);
      return held === 1;
    },

    ready: (signal) => pulse.readiness.wait(signal),
  };
}

type ClaimedRow = readonly [
  token: string,
  seq: string,
  lane: string,
  attempt: number,
  failures: number,
  cutOffs: number,
  acceptedAtMs: string,
  body: string,
  refusal: string,
  progress: string,
  crashes: number,
  replay: number,
  stop: number,
  waitsSinceMs: string,
  signals: string,
  kind: EventKind,
  agent: string,
  busy: BusyMode,
  joined: readonly string[],
  turns?: readonly string[],
];

function toJob(row: ClaimedRow, recall: Recall | undefined): Job {
  const [token, , lane, attempt, failures, cutOffs, at, ...more] = row;
  const [body, refusal, progress, crashes, replay, stop, since, signals, kind, agent, busy, joined, turns] =
    more;
  return {
    ...storedJob({
      lane,
      body,
      refusal: refusal === "" ? null : refusal,
      progress: progress === "" ? null : progress,
      joined,
    }),
    lane,
    kind,
    agent: agent === "" ? null : agent,
    busy,
    attempt,
    failures,
    cutOffs,
    crashes,
    replay,
    signals: toSignals(signals, stop),
    token: Number(token),
    acceptedAtMs: Number(at),
    waitsSinceMs: Number(since),
    ...(recall && turns && { recalled: { ...recall, turns: readable<Turn>(turns) } }),
  };
}

/** The version before keeps a stop as a mark alone. */
export function toSignals(text: string, stop: number): readonly Signal[] {
  const signals = storedSignals(text === "" ? null : text);
  return stop === 1 && !isStopped(signals) ? [...signals, STOP_OF_UNKNOWN] : signals;
}

/** As it is stored with a call: the progress, its number, and whether it has the first answer. */
export function progressArgs(job: Job, progress: Progress, { newStep }: Pick<Parts, "newStep">): Argument[] {
  return [JSON.stringify(progress), newStep(), isFirstAnswer(job, progress) ? 1 : 0];
}

function settlementArgs(job: Job, settlement: Settlement, parts: Parts): Argument[] {
  if (settlement.kind === "park") {
    const afterMs = Math.max(0, Math.ceil(settlement.untilMs - parts.clock.nowMs()));
    return ["park", "", afterMs, TURNS_MAX, ...progressArgs(job, settlement.progress, parts)];
  }
  if (settlement.kind !== "done") {
    const afterMs = "afterMs" in settlement ? Math.max(0, Math.ceil(settlement.afterMs)) : 0;
    return [settlement.kind, settlement.cause, afterMs, TURNS_MAX];
  }
  // An ordinary end needs no cause; any other is what an operator looks for.
  const cause = settlement.outcome === "answered" ? "" : settlement.outcome;
  const turns = settlement.turns.flatMap((turn) => [Math.trunc(turn.atMs), JSON.stringify(turn)]);
  const memory = settlement.memory === undefined ? "" : wellFormed(settlement.memory);
  return ["done", cause, 0, TURNS_MAX, memory, ...turns];
}
