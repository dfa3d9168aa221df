import { asFirstKnown, asKnown } from "../../domain/conversation.ts";
import type { PersonName } from "../../domain/event.ts";
import type { Progress, Turn } from "../../domain/run.ts";
import { type Signal, signalKey } from "../../domain/signal.ts";
import type { Archive } from "../../ports/archive.ts";
import type { Bus } from "../../ports/bus.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Inbox } from "../../ports/inbox.ts";
import type { Journal } from "../../ports/journal.ts";
import type { Lanes } from "../../ports/lanes.ts";
import { SIGNAL_TOPIC, signalMessage } from "../../ports/lanes.ts";
import type { Memory } from "../../ports/memory.ts";
import type { Outbox, Reservation } from "../../ports/outbox.ts";
import type { People } from "../../ports/people.ts";
import type { Purse } from "../../ports/purse.ts";
import type { Job, Queue } from "../../ports/queue.ts";
import type { RequestLog, RequestNote } from "../../ports/request-log.ts";
import type { Durability, Store } from "../../ports/store.ts";
import { createBus } from "../bus.ts";
import { fateParts, readable, readableEvents, storedHead, storedReceipt, storedSignals } from "../stored.ts";
import { wellFormed } from "../well-formed.ts";
import { createAuditLog } from "./audit.ts";
import type { Batcher } from "./batcher.ts";
import { createElections } from "./elections.ts";
import type { LookAt } from "./look.ts";
import type { Ask, Operations, SweepCursor } from "./protocol.ts";
import type { Readiness } from "./readiness.ts";
import { createRecords } from "./records.ts";
import { toAcceptance, toJob, toOfferRow, toProgressRow, toRecord, toSettlementRow } from "./rows.ts";
import { createUpkeep } from "./upkeep.ts";
import { createVault } from "./vault.ts";

/** The port, in terms of the engine's operations: values to rows on the way in, rows to values on the way out. */
export function createFront(options: {
  readonly batcher: Batcher;
  readonly readiness: Readiness;
  readonly clock: Clock;
  readonly durability: Durability;
  readonly file: string;
  /** As `Engine.scrub`. */
  readonly scrub: (upTo: number | null) => Promise<number | string>;
  readonly lookAt: LookAt;
  /** Called once. */
  readonly close: () => Promise<void>;
}): Store {
  const { batcher, readiness, clock, durability, file, scrub, lookAt, close } = options;
  let closing: Promise<void> | undefined;
  const ask: Ask = (kind, args) => batcher.call(kind, Math.trunc(clock.nowMs()), args);
  const bus = createBus();
  return {
    inbox: createInbox(ask, readiness),
    queue: createQueue(ask, readiness, bus, clock),
    outbox: createOutbox(ask),
    memory: createMemory(ask, bus),
    people: createPeople(ask),
    purse: createPurse(ask),
    journal: createJournal(ask),
    lanes: createLanes(ask, bus),
    archive: createArchive(ask),
    requests: createRequestLog(ask),
    ...createElections(ask),
    vault: createVault(ask),
    audit: createAuditLog(ask),
    records: createRecords(ask, scrub, file),
    upkeep: createUpkeep(ask, lookAt),
    bus,
    durability,
    async check() {
      const refused = await ask("check", null);
      return refused === null
        ? { status: "ok" }
        : { status: "failed", code: "STORE_WRITE_FAILED", details: refused };
    },
    async sweep(retention) {
      let rows = 0;
      for (let cursor: SweepCursor | null = { stage: 0, afterSeq: 0 }; cursor !== null; ) {
        const { gone, next }: Operations["sweep"]["result"] = await ask("sweep", { retention, cursor });
        rows += gone;
        cursor = next;
      }
      return rows;
    },
    [Symbol.asyncDispose]() {
      closing ??= close();
      return closing;
    },
  };
}

function createInbox(ask: Ask, readiness: Readiness): Inbox {
  return {
    async accept(offer) {
      const accepted = ask("accept", toOfferRow(offer));
      readiness.expect();
      return toAcceptance(await accepted);
    },
  };
}

function createQueue(ask: Ask, readiness: Readiness, bus: Bus, clock: Clock): Queue {
  return {
    claim: async (claim) => (await ask("claim", claim)).map((row) => toJob(row, claim.recall)),
    async extend(job, leaseMs) {
      const result = await ask("extend", [job.token, leaseMs]);
      for (const signal of storedSignals(result || null))
        await bus.publish(SIGNAL_TOPIC, signalMessage(job.lane, signal));
      return result !== null;
    },
    checkpoint: async (job, progress) => await ask("checkpoint", [job.token, toProgressRow(job, progress)]),
    join: async (job) => readableEvents(await ask("join", job.token)),
    settle: async (job, settlement) =>
      await ask("settle", [job.token, toSettlementRow(job, settlement, clock)]),
    ready: (signal) => readiness.wait(signal),
  };
}

function createOutbox(ask: Ask): Outbox {
  async function reserve(job: Job, partId: string, progress: Progress | null): Promise<Reservation> {
    const kept = progress === null ? null : toProgressRow(job, progress);
    const row = await ask("reserve", [job.token, wellFormed(partId), kept]);
    return "receipt" in row ? { kind: row.kind, receipt: storedReceipt(row.receipt) } : row;
  }

  return {
    begin: (job, progress, partId) => reserve(job, partId, progress),
    reserve: (job, partId) => reserve(job, partId, null),
    async record(partId, fate) {
      const [kind, receipt] = fateParts(fate);
      await ask("record", [wellFormed(partId), kind, receipt && JSON.stringify(receipt)]);
    },
  };
}

function createMemory(ask: Ask, bus: Bus): Memory {
  return {
    async recall(conversation, { turnsMax, sinceMs }) {
      const turns = await ask("recall", [wellFormed(conversation), turnsMax, sinceMs]);
      return readable<Turn>(turns);
    },
    async forget(conversation, untilEventId) {
      await ask("forget", [
        wellFormed(conversation),
        untilEventId === undefined ? null : wellFormed(untilEventId),
      ]);
    },
    async withdraw(eventId) {
      const signal: Signal = { kind: "withdraw", eventId };
      const [found, lane] = await ask("withdraw", [wellFormed(eventId), JSON.stringify(signal)]);
      if (lane !== null) await bus.publish(SIGNAL_TOPIC, signalMessage(lane, signal));
      return found;
    },
  };
}

function createPeople(ask: Ask): People {
  /** As of the last answer; false as soon as two names come together. This process alone writes to the file. */
  let isNobody = false;
  return {
    async settle(person) {
      const { lasting, passing } = person;
      const isPair = lasting !== null && passing !== null;
      if (isPair) isNobody = false;
      if (isNobody) return asFirstKnown(person);
      const row = [nameOf(lasting), nameOf(passing)] as const;
      const [conversation, one, other, isAnybody] = await ask("person", row);
      isNobody = !isAnybody;
      return asKnown(conversation, one, other);
    },
  };
}

function createPurse(ask: Ask): Purse {
  return {
    async hold({ id, day, amount, caps }) {
      const named = caps.map((cap) => ({ ...cap, scope: wellFormed(cap.scope) }));
      return await ask("holdMoney", { id: wellFormed(id), day, amount, caps: named });
    },
    async settle({ id, day }, { amount, inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens }) {
      const tokens = [inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens] as const;
      await ask("settleMoney", [day, wellFormed(id), amount, ...tokens]);
    },
    async spent(day, scopes) {
      const rows = await ask("spentMoney", [day, scopes.map(wellFormed)]);
      return rows.map((row, index) => ({
        scope: scopes[index] ?? "",
        amount: row.spent,
        held: row.held,
        calls: row.calls,
        inputTokens: row.input_tokens,
        outputTokens: row.output_tokens,
        cacheReadTokens: row.cache_read_tokens,
        cacheWriteTokens: row.cache_write_tokens,
      }));
    },
  };
}

const nameOf = (name: PersonName | null) => (name === null ? null : wellFormed(name.conversation));

function createJournal(ask: Ask): Journal {
  return {
    async find(id) {
      const row = await ask("find", wellFormed(id));
      return row && toRecord(row);
    },
    async list({ state = null, limit, beforeSeq = Number.MAX_SAFE_INTEGER }) {
      return (await ask("list", { state, limit, beforeSeq })).map(toRecord);
    },
    stats: async () => await ask("stats", null),
  };
}

function createLanes(ask: Ask, bus: Bus): Lanes {
  return {
    stateOf: async (lane) => await ask("laneState", wellFormed(lane)),
    async head(lane) {
      const row = await ask("laneHead", wellFormed(lane));
      return row && storedHead(...row);
    },
    async signal(lane, signal) {
      const name = wellFormed(lane);
      const signalled = await ask("signal", [name, wellFormed(signalKey(signal)), JSON.stringify(signal)]);
      if (signalled.state === "running") await bus.publish(SIGNAL_TOPIC, signalMessage(name, signal));
      return signalled;
    },
  };
}

function createArchive(ask: Ask): Archive {
  return {
    replay: async (id, request) => await ask("replay", [wellFormed(id), request]),
    drop: async (id, by) => await ask("drop", [wellFormed(id), by]),
  };
}

function createRequestLog(ask: Ask): RequestLog {
  return {
    async record(notes, { refusedMax, afterId }) {
      const rows = notes.map((note) => {
        const { id, requestId, outcome } = note;
        return [id, wellFormed(requestId), outcome, JSON.stringify(note)] as const;
      });
      await ask("noteRequests", { rows, refusedMax, afterId });
    },
    list: async (filter) => readable<RequestNote>(await ask("listRequests", filter)),
    find: async (requestId) => readable<RequestNote>(await ask("findRequests", wellFormed(requestId))),
  };
}
