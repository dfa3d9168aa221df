import { SUSPECTS_MAX } from "../../domain/bounds.ts";
import { GatewayError } from "../../domain/errors.ts";
import type { Clock, Random } from "../../ports/clock.ts";
import type { Media } from "../../ports/media.ts";
import type { Retention } from "../../ports/retention.ts";
import type { Durability, Store } from "../../ports/store.ts";
import type { Watermarks } from "../../ports/watermarks.ts";
import { createBus } from "../bus.ts";
import { LastRefusal } from "../last-refusal.ts";
import { createAuditLog } from "./audit.ts";
import { Holdings } from "./holdings.ts";
import { createHolds, createNotes } from "./holds.ts";
import { createInbox } from "./inbox.ts";
import { closed, type Link, unavailable } from "./link.ts";
import { createMedia, type RedisMediaLimits } from "./media.ts";
import type { LocalBus, Parts } from "./parts.ts";
import { Persistence } from "./persist.ts";
import { Pulse, type Status } from "./pulse.ts";
import { createPurse } from "./purse.ts";
import { createQueue } from "./queue.ts";
import { createRecords } from "./records.ts";
import { createRequestLog } from "./requests.ts";
import { createUpkeep } from "./upkeep.ts";
import { createVault } from "./vault.ts";
import {
  createArchive,
  createJournal,
  createLanes,
  createMemory,
  createOutbox,
  createPeople,
} from "./views.ts";
import { createWatermarks } from "./watermarks.ts";

export interface FrontOptions {
  readonly link: Link;
  readonly prefix: string;
  readonly owner: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: { readonly waitingPerLaneMax: number; readonly waitingMax: number };
  readonly durability: Durability;
  /** Whose time decides over leases, delays and limits: the server's, which all processes share, or the given clock's. */
  readonly time: "server" | "clock";
  readonly log: (line: string) => void;
}

/** A store that can be handed out before Redis is there. */
export interface Front {
  readonly store: SharedStore;
  /** Looks at the format, and takes back what an earlier process of the same name held. May be tried again. */
  open(): Promise<void>;
}

export interface LateOptions extends Omit<FrontOptions, "durability"> {
  readonly durability: () => Durability;
  /** Why nothing may be asked of Redis yet; null: it may. */
  readonly whyNot: () => GatewayError | null;
  readonly onClose?: () => void;
}

/** Of what is kept in Redis; see lua/prelude.lua. */
const FORMAT = 3;
/** Closing must not wait for a Redis that is away; its leases then run out by themselves. */
const RELEASE_MS = 1_000;
const SWEEP_STAGES = ["done", "dropped", "dead", "conversations", "limits"] as const;

export interface SharedStore extends Store {
  readonly watermarks: Watermarks;
  /** Files of messages, within these limits. */
  mediaWithin(limits: RedisMediaLimits): Media;
}

/** Over a Redis that is there. */
export async function openStoreOn(options: FrontOptions): Promise<SharedStore> {
  const { durability } = options;
  const front = createFront({ ...options, durability: () => durability, whyNot: () => null });
  await front.open();
  return front.store;
}

/** The port, in terms of scripts. */
export function createFront(options: LateOptions): Front {
  const { link, prefix, owner, clock, random, limits, durability, whyNot, time, log } = options;
  const holdings = new Holdings();
  const pulse = new Pulse(clock);
  const persistence = new Persistence(link, clock);
  const channel = `{${prefix}}:bus`;
  const bus = createSharedBus(link);
  let closing: Promise<void> | undefined;
  let generation: string | undefined;

  let steps = 0;
  const parts: Parts = {
    run(script, args, patience) {
      if (closing !== undefined && script !== "release") return Promise.reject(closed());
      const reason = whyNot();
      if (reason !== null)
        return Promise.reject(reason.code === "STORE_UNAVAILABLE" ? reason : unavailable(reason.message));
      return link.run(script, args, patience);
    },
    persistence,
    holdings,
    pulse,
    bus,
    clock,
    owner,
    limits,
    refusal: new LastRefusal(),
    now: () => (time === "server" ? "" : Math.trunc(clock.nowMs())),
    newOp: () => Math.floor(random() * 2 ** 52).toString(36),
    newStep: () => ++steps,
    heardFrom(status) {
      const [, , , current] = status;
      // Empty until something is written again.
      if (generation && current !== generation) {
        log(
          "Redis has lost everything that it held (FLUSHALL, or a start without its files): what waited is gone",
        );
      }
      generation = current;
      pulse.answered(status);
    },
  };

  const ask = async () => parts.heardFrom((await link.run("status", [parts.now()], "long")) as Status);

  async function open(): Promise<void> {
    refuseFormat(await link.run("open", [parts.now()], "long"), prefix);
    await link.run("release", [parts.now(), owner, "died", SUSPECTS_MAX], "long");
    await link.subscribe(channel, (line) => bus.heard(line));
    await link.subscribe(`{${prefix}}:wake`, (wakes) => pulse.heard(Number(wakes)));
    await ask();
    // Words were lost while the connection was. If this one gets no answer, the connection will come back once more.
    link.onBack(() => void ask().catch(() => {}));
  }

  async function sweepStage(stage: (typeof SWEEP_STAGES)[number], keepMs: number): Promise<number> {
    let rows = 0;
    for (let after = 0; after >= 0; ) {
      const answer = await parts.run("sweep", [parts.now(), stage, after, keepMs], "long");
      const [gone, next] = answer as [number, number];
      rows += gone;
      after = next;
    }
    return rows;
  }

  async function close(): Promise<void> {
    options.onClose?.();
    pulse.readiness.end(closed());
    persistence.end();
    const timeUp = new AbortController();
    // What was never opened holds nothing.
    if (whyNot() === null)
      await Promise.race([
        link.run("release", [parts.now(), owner, "closed", SUSPECTS_MAX], "brief").catch(() => {}),
        clock.sleep(RELEASE_MS, timeUp.signal).catch(() => {}),
      ]);
    timeUp.abort();
    await link.close();
  }

  const store: SharedStore = {
    inbox: createInbox(parts),
    queue: createQueue(parts),
    outbox: createOutbox(parts),
    memory: createMemory(parts),
    people: createPeople(parts),
    purse: createPurse(parts),
    journal: createJournal(parts, () => link.usedBytes()),
    lanes: createLanes(parts),
    archive: createArchive(parts),
    requests: createRequestLog(parts),
    holds: createHolds(parts),
    notes: createNotes(parts),
    vault: createVault(parts),
    audit: createAuditLog(parts),
    records: createRecords(parts, link),
    upkeep: createUpkeep(parts),
    watermarks: createWatermarks(parts),
    mediaWithin: (limits) => createMedia(parts, limits),
    bus,
    get durability() {
      return durability();
    },
    async check() {
      const reason = whyNot();
      if (reason !== null) return { status: "failed", code: reason.code, details: reason.message };
      await parts.run("check", [parts.now()], "brief");
      const details = parts.refusal.messageAt(clock.nowMs());
      return details === null ? { status: "ok" } : { status: "failed", code: "STORE_UNAVAILABLE", details };
    },
    async sweep({ finishedMs, deadMs, turnsMs }: Retention) {
      const keptMs = {
        done: finishedMs,
        dropped: finishedMs,
        dead: deadMs,
        conversations: turnsMs,
        limits: 0,
      };
      let rows = 0;
      for (const stage of SWEEP_STAGES) rows += await sweepStage(stage, keptMs[stage]);
      return rows;
    },
    [Symbol.asyncDispose]() {
      closing ??= close();
      return closing;
    },
  };
  return { store, open };
}

/** Throws where another version has used this prefix, and ours cannot read what it has left. */
function refuseFormat(format: unknown, prefix: string): void {
  if (typeof format === "number" && format < FORMAT) {
    throw new GatewayError(
      "STORE_OPEN_FAILED",
      `Expected format ${FORMAT} under the prefix ${prefix} of Redis, got ${format}: a version before the first release has ` +
        "used it. Let that version answer what waits, and choose another prefix.",
    );
  }
  if (typeof format !== "number" || format > FORMAT) {
    throw new GatewayError(
      "STORE_SCHEMA_NEWER",
      `Expected format ${FORMAT} under the prefix ${prefix} of Redis, got ${String(format)}: a newer release has ` +
        "used it. Run that release, or choose another prefix.",
    );
  }
}

/** All topics share one channel: a message is its topic, a new line, and the rest. */
function createSharedBus(link: Link): LocalBus & { heard(line: string): void } {
  const local = createBus();
  return {
    // At most once, says the port: what cannot be said now is not said.
    async publish(topic, message) {
      await link.run("say", ["", topic, message], "brief").catch(() => {});
    },
    subscribe: (topic, heard) => local.subscribe(topic, heard),
    deliver: (topic, message) => void local.publish(topic, message),
    heard(line) {
      const end = line.indexOf("\n");
      void local.publish(line.slice(0, end), line.slice(end + 1));
    },
  };
}
