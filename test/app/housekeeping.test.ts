import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type HousekeepingDeps, startHousekeeping } from "../../src/app/housekeeping.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import type { Retention, Store } from "../../src/ports/store.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { AGENT, load } from "../config/helpers.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { countOf } from "../support/metrics.ts";
import { anOffer, openTestStore } from "../support/store.ts";

const MINUTE_MS = 60_000;

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
  const loaded = load({
    "agents/assistant.yaml": AGENT,
    "gateway.yaml":
      "kind: Gateway\nspec: { routes: [{ agent: assistant }], retention: { finished_seconds: 60, dead_seconds: 120 } }\n",
  });
  if (!loaded.ok) throw new Error("Expected a configuration that loads");
  deps = {
    store: {
      ...store,
      sweep(retention) {
        sweeps.push(retention);
        return sweep();
      },
    },
    spec: loaded.config.gateway,
    turnsMs: 5_000,
    clock,
    random: () => 0.5,
    log: silentLogger(),
    metrics: createMetrics(),
  };
});

function start(): { stop(): void } {
  const housekeeping = startHousekeeping(deps);
  onTestFinished(() => housekeeping.stop());
  return housekeeping;
}

async function advance(ms: number): Promise<void> {
  clock.advance(ms);
  await new Promise((resolve) => setImmediate(resolve));
}

describe("housekeeping", () => {
  it("sweeps once a minute what the operator does not keep", async () => {
    start();
    await advance(MINUTE_MS - 1);
    expect(sweeps).toEqual([]);
    await advance(1);
    await advance(MINUTE_MS);
    expect(sweeps).toEqual([0, 1].map(() => ({ finishedMs: 60_000, deadMs: 120_000, turnsMs: 5_000 })));
  });

  it("comes at different moments on different replicas", async () => {
    deps = { ...deps, random: () => 0 };
    start();
    deps = { ...deps, random: () => 0.999 };
    start();
    await advance(MINUTE_MS / 2);
    expect(sweeps).toHaveLength(1);
  });

  it("leaves it to the replica that wakes first, and goes on when that one is gone", async () => {
    start();
    deps = { ...deps, random: () => 0 };
    const first = start();
    for (let half = 1; half <= 4; half++) {
      await advance(MINUTE_MS / 2);
      expect(sweeps).toHaveLength(half);
    }
    first.stop();
    await advance(MINUTE_MS);
    expect(sweeps).toHaveLength(5);
  });

  it("goes on when a sweep fails", async () => {
    sweep = () => Promise.reject(new GatewayError("STORE_WRITE_FAILED", "disk full"));
    start();
    for (let n = 0; n < 3; n++) await advance(MINUTE_MS);
    expect(sweeps).toHaveLength(3);
  });

  it("ends when it is stopped", async () => {
    start().stop();
    await advance(MINUTE_MS);
    expect(sweeps).toEqual([]);
    expect(clock.sleeping).toBe(0);
  });

  it("reads the queue's gauges as they are scraped", async () => {
    start();
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
    start();
    const text = await deps.metrics.scrape();
    expect(text).toContain('parley_queue_events{state="queued"} 7');
    expect(text).toContain("parley_store_up 0");
  });

  it.each([
    ["says so", async () => ({ status: "failed", code: "STORE_UNAVAILABLE" }) as const],
    ["rejects", () => Promise.reject(new GatewayError("STORE_WRITE_FAILED", "disk full"))],
  ])("counts a store as down that is read and takes no events (%s)", async (_, check) => {
    deps = { ...deps, store: { ...store, check } };
    start();
    await store.inbox.accept(anOffer(anEvent()));
    const text = await deps.metrics.scrape();
    expect(text).toContain('parley_queue_events{state="queued"} 1');
    expect(text).toContain("parley_store_up 0");
  });

  it("does not keep a scrape waiting for a store that does not answer", async () => {
    const stats = () => new Promise<never>(() => {});
    deps = { ...deps, store: { ...store, journal: { ...store.journal, stats } } };
    start();
    const scraped = deps.metrics.scrape();
    await advance(2_000);
    expect(await scraped).toContain("parley_store_up 0");
  });
});
