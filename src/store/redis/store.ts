import { SUSPECTS_MAX } from "../../domain/bounds.ts";
import { GatewayError } from "../../domain/errors.ts";
import type { Clock, Random } from "../../ports/clock.ts";
import type { Durability, Retention, Store } from "../../ports/store.ts";
import type { Watermarks } from "../../ports/watermarks.ts";
import { createBus } from "../bus.ts";
import { LastRefusal } from "../last-refusal.ts";
import { Holdings } from "./holdings.ts";
import { closed, type Link } from "./link.ts";
import type { LocalBus, Parts } from "./parts.ts";
import { Persistence } from "./persist.ts";
import { Pulse, type Status } from "./pulse.ts";
import { createQueue } from "./queue.ts";
import { createRequestLog } from "./requests.ts";
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

/** Of what is kept in Redis; see lua/prelude.lua. */
const FORMAT = 2;
/** Closing must not wait for a Redis that is away; its leases then run out by themselves. */
const RELEASE_MS = 1_000;
const SWEEP_STAGES = ["done", "dropped", "dead", "conversations", "limits"] as const;

export interface SharedStore extends Store {
  readonly watermarks: Watermarks;
}

/** The port, in terms of scripts. Takes back what an earlier process of the same name held. */
export async function openStoreOn(options: FrontOptions): Promise<SharedStore> {
  const { link, prefix, owner, clock, random, limits, durability, time, log } = options;
  const holdings = new Holdings();
  const pulse = new Pulse(clock);
  const persistence = new Persistence(link, clock);
  const bus = await openBus(link, `{${prefix}}:bus`);
  let closing: Promise<void> | undefined;
  let generation: string | undefined;

  const parts: Parts = {
    run: (script, args, patience) =>
      closing === undefined || script === "release"
        ? link.run(script, args, patience)
        : Promise.reject(closed()),
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

  const format = await parts.run("open", [parts.now()], "long");
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
  await parts.run("release", [parts.now(), owner, "died", SUSPECTS_MAX], "long");
  await link.subscribe(`{${prefix}}:wake`, (wakes) => pulse.heard(Number(wakes)));
  const ask = async () => parts.heardFrom((await parts.run("status", [parts.now()], "long")) as Status);
  await ask();
  // Words were lost while the connection was. If this one gets no answer, the connection will come back once more.
  link.onBack(() => void ask().catch(() => {}));

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
    pulse.readiness.end(closed());
    persistence.end();
    const timeUp = new AbortController();
    await Promise.race([
      link.run("release", [parts.now(), owner, "closed", SUSPECTS_MAX], "brief").catch(() => {}),
      clock.sleep(RELEASE_MS, timeUp.signal).catch(() => {}),
    ]);
    timeUp.abort();
    await link.close();
  }

  return {
    queue: createQueue(parts),
    outbox: createOutbox(parts),
    memory: createMemory(parts),
    people: createPeople(parts),
    journal: createJournal(parts, () => link.usedBytes()),
    lanes: createLanes(parts),
    archive: createArchive(parts),
    requests: createRequestLog(parts),
    watermarks: createWatermarks(parts),
    bus,
    durability,
    async check() {
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
}

/** All topics share one channel: a message is its topic, a new line, and the rest. */
async function openBus(link: Link, channel: string): Promise<LocalBus> {
  const local = createBus();
  await link.subscribe(channel, (line) => {
    const end = line.indexOf("\n");
    void local.publish(line.slice(0, end), line.slice(end + 1));
  });
  return {
    // At most once, says the port: what cannot be said now is not said.
    async publish(topic, message) {
      await link.run("say", ["", topic, message], "brief").catch(() => {});
    },
    subscribe: (topic, heard) => local.subscribe(topic, heard),
    deliver: (topic, message) => void local.publish(topic, message),
  };
}
