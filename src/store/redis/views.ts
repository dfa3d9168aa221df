import { LRUCache } from "lru-cache";
import { ADOPTED_AFTER_MS_MAX, PEOPLE_KEPT_MS } from "../../domain/bounds.ts";
import { asKnown } from "../../domain/conversation.ts";
import { REMOVED } from "../../domain/privacy.ts";
import type { Progress, Turn } from "../../domain/run.ts";
import { type Signal, signalKey, WITHDRAW_KEY } from "../../domain/signal.ts";
import type { Archive, ReplayAnswer } from "../../ports/archive.ts";
import type { EventRecord, EventState, Journal, ReplayNote } from "../../ports/journal.ts";
import { type LaneState, type Lanes, SIGNAL_TOPIC, SIGNALS_MAX, signalMessage } from "../../ports/lanes.ts";
import type { Memory, Withdrawn } from "../../ports/memory.ts";
import type { Outbox, Reservation } from "../../ports/outbox.ts";
import type { People } from "../../ports/people.ts";
import type { Job } from "../../ports/queue.ts";
import { fateParts, readable, storedEvent, storedHead, storedOrNull, storedReceipt } from "../stored.ts";
import { wellFormed } from "../well-formed.ts";
import type { Parts } from "./parts.ts";
import { progressArgs } from "./queue.ts";

/** Parts reserved and not yet recorded, in this process. */
const PARTS_MAX = 10_000;

export function createOutbox(parts: Parts): Outbox {
  const { run, persistence, holdings, owner, now, newOp } = parts;
  /** Which event a part is of: an id that came again after its keys had expired has another event of the same name. */
  const reservations = new LRUCache<string, { readonly seq: string; readonly op: string }>({
    max: PARTS_MAX,
  });

  async function reserve(job: Job, partId: string, progress: Progress | null): Promise<Reservation> {
    const seq = holdings.seqOf(job);
    if (seq === undefined) return { kind: "lost" };
    const op = newOp();
    reservations.set(partId, { seq, op });
    const kept = progress === null ? ["", "", 0] : progressArgs(job, progress, parts);
    const args = [seq, job.token, op, wellFormed(partId), owner, ...kept];
    const call = () => run("reserve", [now(), ...args], "long");
    const reservation = toReservation(await persistence.until(call));
    if (reservation.kind === "lost") holdings.end(job);
    return reservation;
  }

  return {
    begin: (job, progress, partId) => reserve(job, partId, progress),
    reserve: (job, partId) => reserve(job, partId, null),
    async record(partId, fate) {
      const reservation = reservations.get(partId);
      if (reservation === undefined) return;
      const { seq, op } = reservation;
      const [kind, receipt] = fateParts(fate);
      const args = [seq, wellFormed(partId), kind, receipt === null ? "" : JSON.stringify(receipt), op];
      await persistence.until(() => run("record", [now(), ...args], "long"));
    },
  };
}

function toReservation(answer: unknown): Reservation {
  const row = answer as
    | readonly ["lost"]
    | readonly ["sent" | "shown", string]
    | readonly ["fresh" | "in-doubt", sendsBefore: number, isSenderGone: number];
  switch (row[0]) {
    case "lost":
      return { kind: "lost" };
    case "sent":
    case "shown":
      return { kind: row[0], receipt: storedReceipt(row[1]) };
    case "in-doubt":
      return { kind: "in-doubt", sendsBefore: row[1], isSenderGone: row[2] === 1 };
    default:
      return { kind: "fresh", sendsBefore: row[1] };
  }
}

export function createMemory({ run, persistence, now }: Parts): Memory {
  return {
    async recall(conversation, { turnsMax, sinceMs }) {
      const args = [now(), wellFormed(conversation), turnsMax, sinceMs];
      const turns = (await persistence.until(() => run("recall", args, "long"))) as string[];
      return readable<Turn>(turns);
    },
    async forget(conversation, untilEventId) {
      const args = [wellFormed(conversation), untilEventId === undefined ? "" : wellFormed(untilEventId)];
      await persistence.until(() => run("forget", [now(), ...args], "long"));
    },
    async withdraw(eventId) {
      const signal: Signal = { kind: "withdraw", eventId };
      const said = [`"event":${JSON.stringify(wellFormed(eventId))}`, REMOVED];
      const args = [wellFormed(eventId), WITHDRAW_KEY, JSON.stringify(signal), SIGNAL_TOPIC, ...said];
      return (await persistence.until(() => run("withdraw", [now(), ...args], "long"))) as Withdrawn;
    },
  };
}

export function createPeople({ run, now }: Parts): People {
  return {
    async settle({ lasting, passing }) {
      const names = [lasting, passing].map((name) => (name === null ? "" : wellFormed(name.conversation)));
      const args = [now(), ...names, PEOPLE_KEPT_MS, ADOPTED_AFTER_MS_MAX];
      const [conversation, ...found] = (await run("person", args, "brief")) as [string, string, string];
      return asKnown(conversation, ...found.filter((name) => name !== ""));
    },
  };
}

type RecordRow = readonly [
  id: string,
  state: EventState,
  body: string,
  attempt: number,
  cause: string,
  progress: string,
  acceptedAtMs: string,
  updatedAtMs: string,
  seq: number,
  replays: string,
  mergedInto: string,
];

type Counts = readonly [
  live: number,
  running: number,
  retrying: number,
  dead: number,
  oldest: string,
  parked: number,
];

export function createJournal({ run, now }: Parts, usedBytes: () => Promise<number>): Journal {
  return {
    async find(id) {
      const [row] = (await run("find", [now(), wellFormed(id)], "brief")) as RecordRow[];
      return row === undefined ? null : toRecord(row);
    },
    async list({ state, limit, beforeSeq }) {
      const rows: RecordRow[] = [];
      for (let below: string | number = beforeSeq ?? ""; ; ) {
        const answer = await run("list", [now(), state ?? "", limit - rows.length, below], "brief");
        const [more, ...found] = answer as [string, ...RecordRow[]];
        rows.push(...found);
        if (more === "" || rows.length >= limit) return rows.map(toRecord);
        below = more;
      }
    },
    async stats() {
      const [counts, fileBytes] = await Promise.all([run("stats", [now()], "brief"), usedBytes()]);
      const [live, running, retrying, dead, oldest, parked] = counts as Counts;
      return {
        queued: live - running - retrying - parked,
        running,
        retrying,
        parked,
        dead,
        oldestAcceptedAtMs: oldest === "" ? null : Number(oldest),
        fileBytes,
      };
    },
  };
}

function toRecord(row: RecordRow): EventRecord {
  const [id, state, body, attempt, cause, progress, at, up, seq, replays, mergedInto] = row;
  const event = storedEvent(body, id);
  return {
    id: event.id === id || wellFormed(event.id) === id ? event.id : id,
    state,
    event,
    attempt,
    cause: cause === "" ? null : cause,
    mergedInto: mergedInto === "" ? null : mergedInto,
    progress: storedOrNull<Progress>(progress === "" ? null : progress),
    acceptedAtMs: Number(at),
    updatedAtMs: Number(up),
    seq,
    replays: storedOrNull<ReplayNote[]>(replays === "" ? null : replays) ?? [],
  };
}

export function createLanes({ run, persistence, now }: Parts): Lanes {
  return {
    stateOf: async (lane) =>
      (await persistence.until(() => run("lane", [now(), wellFormed(lane)], "long"))) as LaneState,
    async head(lane) {
      const call = () => run("head", [now(), wellFormed(lane)], "long");
      const [body, progress, signals] = (await persistence.until(call)) as string[];
      return body === undefined ? null : storedHead(body, progress || null, signals || null);
    },
    async signal(lane, signal) {
      const name = wellFormed(lane);
      const what = [wellFormed(signalKey(signal)), JSON.stringify(signal), SIGNALS_MAX];
      const args = [name, ...what, SIGNAL_TOPIC, signalMessage(name, signal)];
      const call = () => run("signal", [now(), ...args], "long");
      const [state, isKept] = (await persistence.until(call)) as [LaneState, number];
      return { state, isKept: isKept === 1 };
    },
  };
}

export function createArchive({ run, limits, now }: Parts): Archive {
  return {
    async replay(id, { by, mode, states, seq }) {
      const args = [
        wellFormed(id),
        by,
        mode,
        `,${states.join(",")},`,
        limits.waitingPerLaneMax,
        limits.waitingMax,
        seq ?? "",
      ];
      return (await run("replay", [now(), ...args], "brief")) as ReplayAnswer;
    },
    async drop(id, by) {
      return (await run("drop", [now(), wellFormed(id), `dropped by ${by}`], "brief")) === 1;
    },
  };
}
