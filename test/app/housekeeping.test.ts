import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { standForDuties } from "../../src/app/duties.ts";
import type { Elected } from "../../src/app/elected.ts";
import { createHousekeeping, type Housekeeping, type HousekeepingDeps } from "../../src/app/housekeeping.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import type { Retention } from "../../src/ports/retention.ts";
import type { Store } from "../../src/ports/store.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { openBench } from "../store/redis/bench.ts";
import { newPrefix } from "../store/redis/setup.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { eventually } from "../support/eventually.ts";
import { countOf } from "../support/metrics.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { anOffer, openTestStore } from "../support/store.ts";

const MINUTE_MS = 60_000;
const RETENTION: Retention = { finishedMs: 60_000, deadMs: 120_000, turnsMs: 5_000 };

let clock: FakeClock;
let store: Store;
let sweeps: Retention[];
let sweep: () => Promise<number>;
let deps: HousekeepingDeps;

beforeEach(async () => {
  clock = new FakeClock();
  store = await openTestStore(clock);
  sweeps = [];
  sweep = async () => 0;
  deps = {
    store: {
      ...store,
      sweep(retention) {
        sweeps.push(retention);
        return sweep();
      },
    },
    retention: () => RETENTION,
    clock,
    log: silentLogger(),
    metrics: createMetrics(),
  };
});

type Started = Housekeeping & Pick<Elected, "stop">;

function standing(deps: HousekeepingDeps): Started {
  const housekeeping = createHousekeeping(deps);
  const elected = standForDuties([housekeeping], { ...deps, random: () => 0.5 });
  onTestFinished(() => elected.stop());
  return { ...housekeeping, stop: () => elected.stop() };
}

/** Started, elected, and asleep until the next sweep. */
async function start(): Promise<Started> {
  const housekeeping = standing(deps);
  await advance(0);
  return housekeeping;
}

async function advance(ms: number): Promise<void> {
  clock.advance(ms);
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** In steps that no renewal misses. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) await advance(Math.min(1_000, left));
}

describe("housekeeping", () => {
  it("sweeps once a minute what the operator does not keep, by what holds then", async () => {
    let finishedMs = 60_000;
    deps = { ...deps, retention: () => ({ ...RETENTION, finishedMs }) };
    await start();
    await pass(MINUTE_MS - 1);
    expect(sweeps).toEqual([]);
    await advance(1);
    expect(sweeps).toEqual([RETENTION]);
    finishedMs = 1;
    await pass(MINUTE_MS);
    expect(sweeps).toEqual([RETENTION, { ...RETENTION, finishedMs: 1 }]);
  });

  it("tells who sweeps, when it was done last, and that it fails", async () => {
    const { report } = await start();
    expect(report()).toEqual({ status: "ok", details: "this process sweeps" });
    expect(await countOf(deps.metrics, "housekeeper")).toBe(1);
    sweep = async () => 7;
    await pass(MINUTE_MS);
    const at = new Date(clock.nowMs()).toISOString();
    expect(report()).toEqual({ status: "ok", details: `this process sweeps; last at ${at}, 7 rows` });
    expect(await countOf(deps.metrics, "sweptAt")).toBe(clock.nowMs() / 1000);
    sweep = () => Promise.reject(new GatewayError("STORE_WRITE_FAILED", "disk full"));
    await pass(MINUTE_MS);
    expect(report()).toEqual({
      status: "degraded",
      code: "STORE_WRITE_FAILED",
      details: "it sweeps, in vain: disk full",
    });
    sweep = async () => 0;
    await pass(MINUTE_MS);
    expect(report().status).toBe("ok");
  });

  it("goes on when the next sweep is due, after a restart", async () => {
    const before = await start();
    await pass(MINUTE_MS + 20_000);
    expect(sweeps).toHaveLength(1);
    await before.stop();
    const { report } = await start();
    await advance(0);
    expect(report().details).toMatch(/^this process sweeps; last at /);
    await pass(40_000 - 1);
    expect(sweeps).toHaveLength(1);
    await advance(1);
    expect(sweeps).toHaveLength(2);
  });

  it.each(["", "[]", '{"at_ms":"x","rows":0}', '{"at_ms":9e99,"rows":0}'])(
    "sweeps within a minute whatever the last one has noted (%j)",
    async (note) => {
      const held = await store.holds.hold("housekeeping", 1_000);
      if (held === null) throw new Error("Expected to hold it");
      await store.notes.put("sweep", note, held);
      await start();
      await pass(MINUTE_MS);
      expect(sweeps).toHaveLength(1);
    },
  );

  it("goes on when a sweep fails", async () => {
    sweep = () => Promise.reject(new GatewayError("STORE_WRITE_FAILED", "disk full"));
    await start();
    await pass(3 * MINUTE_MS);
    expect(sweeps).toHaveLength(3);
  });

  it("ends when it is stopped", async () => {
    await (await start()).stop();
    await pass(MINUTE_MS);
    expect(sweeps).toEqual([]);
    expect(clock.sleeping).toBe(0);
  });

  it("reads the queue's gauges as they are scraped", async () => {
    await start();
    await store.inbox.accept(anOffer(anEvent()));
    await advance(3_000);
    const text = await deps.metrics.scrape();
    expect(text).toContain('parley_queue_events{state="queued"} 1');
    expect(await countOf(deps.metrics, "queueOldest")).toBe(3);
    expect(await countOf(deps.metrics, "storeBytes")).toBeGreaterThan(0);
    expect(await countOf(deps.metrics, "storeUp")).toBe(1);
  });

  it("keeps the last values while the store is away", async () => {
    const stats = () => Promise.reject(new GatewayError("STORE_CLOSED", "closed"));
    deps = { ...deps, store: { ...store, journal: { ...store.journal, stats } } };
    deps.metrics.queueEvents.set({ state: "queued" }, 7);
    await start();
    const text = await deps.metrics.scrape();
    expect(text).toContain('parley_queue_events{state="queued"} 7');
    expect(text).toContain("parley_store_up 0");
  });

  it.each([
    ["says so", async () => ({ status: "failed", code: "STORE_UNAVAILABLE" }) as const],
    ["rejects", () => Promise.reject(new GatewayError("STORE_WRITE_FAILED", "disk full"))],
  ])("counts a store as down that is read and takes no events (%s)", async (_, check) => {
    deps = { ...deps, store: { ...store, check } };
    await start();
    await store.inbox.accept(anOffer(anEvent()));
    const text = await deps.metrics.scrape();
    expect(text).toContain('parley_queue_events{state="queued"} 1');
    expect(text).toContain("parley_store_up 0");
  });

  it("does not keep a scrape waiting for a store that does not answer", async () => {
    const stats = () => new Promise<never>(() => {});
    deps = { ...deps, store: { ...store, journal: { ...store.journal, stats } } };
    await start();
    const scraped = deps.metrics.scrape();
    await advance(2_000);
    expect(await scraped).toContain("parley_store_up 0");
  });
});

describe("housekeeping of replicas that share a store", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis({ fsync: "no" });
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  interface Replica {
    readonly housekeeping: Started;
    readonly metrics: HousekeepingDeps["metrics"];
    readonly sweeps: Retention[];
    readonly link: { close(): Promise<void> };
    /** Resolves when it has gone round: what it has asked is answered, and it sleeps. */
    settled(): Promise<void>;
  }

  async function replica(prefix: string, owner: string): Promise<Replica> {
    const bench = await openBench(redis, { clock, prefix, owner });
    const mine: Retention[] = [];
    const metrics = createMetrics();
    const { store, answered } = counting(bench.store);
    const housekeeping = standing({
      ...deps,
      metrics,
      store: {
        ...store,
        async sweep(retention) {
          mine.push(retention);
          return 1;
        },
      },
    });
    return { housekeeping, metrics, sweeps: mine, link: bench.link, settled: answered };
  }

  async function passAll(ms: number, replicas: readonly Replica[]): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      clock.advance(Math.min(1_000, left));
      for (const one of replicas) await one.settled();
    }
  }

  const holders = (replicas: readonly Replica[]) =>
    Promise.all(replicas.map(({ metrics }) => countOf(metrics, "housekeeper")));

  async function two(): Promise<readonly [Replica, Replica]> {
    const prefix = newPrefix();
    const one = await replica(prefix, "one");
    await one.settled();
    const other = await replica(prefix, "other");
    await other.settled();
    return [one, other];
  }

  it("is done by one of them", async () => {
    const both = await two();
    const [one, other] = both;
    expect(await holders(both)).toEqual([1, 0]);
    await passAll(3 * MINUTE_MS, both);
    expect(one.sweeps).toHaveLength(3);
    expect(other.sweeps).toEqual([]);
    await other.metrics.scrape();
    expect(other.housekeeping.report().details).toMatch(/^another process sweeps; last at .*, 1 rows$/);
    expect(await countOf(other.metrics, "sweptAt")).toBe(await countOf(one.metrics, "sweptAt"));
  });

  it("is handed over at once when the one that does it stops", async () => {
    const both = await two();
    const [one, other] = both;
    await passAll(MINUTE_MS + 20_000, both);
    await one.housekeeping.stop();
    // Not a moment passes: the word of it is on the bus.
    await eventually(async () => expect(await holders(both)).toEqual([0, 1]), 10_000);
    await other.settled();
    await passAll(40_000 - 1_000, [other]);
    expect(other.sweeps).toEqual([]);
    await passAll(1_000, [other]);
    expect([one.sweeps.length, other.sweeps.length]).toEqual([1, 1]);
  });

  it("is taken over when the one that does it has died, once its time is over", async () => {
    const both = await two();
    const [one, other] = both;
    await one.link.close();
    await passAll(9_000, [other]);
    expect(await countOf(other.metrics, "housekeeper")).toBe(0);
    await passAll(5_000, [other]);
    expect(await countOf(other.metrics, "housekeeper")).toBe(1);
    // The first cannot know, and does not need to: it stopped by itself when it could not renew.
    expect(await countOf(one.metrics, "housekeeper")).toBe(0);
  });
});

/** Of a store, and of what goes round by it alone: resolves when all that it was asked is answered and nothing follows. */
function counting(store: Store): { readonly store: Store; readonly answered: () => Promise<void> } {
  let asked = 0;
  const counted = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get(target, key) {
        const member = Reflect.get(target, key);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          const answer = member.apply(target, args);
          if (!(answer instanceof Promise)) return answer;
          asked++;
          return answer.finally(() => asked--);
        };
      },
    });
  const parts = { holds: counted(store.holds), notes: counted(store.notes), vault: counted(store.vault) };
  return {
    store: { ...store, ...parts },
    async answered() {
      for (let quiet = 0; quiet < 5; quiet = asked === 0 ? quiet + 1 : 0)
        await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
