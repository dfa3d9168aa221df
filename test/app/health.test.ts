import { beforeEach, describe, expect, it } from "vitest";
import { createHealth, type HealthDeps } from "../../src/app/health.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import type { Journal, StoreStats } from "../../src/ports/store.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { anOffer, openTestStore } from "../support/store.ts";

let clock: FakeClock;
let dispatcher: { lastBeatMs: number; running: number };
let deps: HealthDeps;

beforeEach(async () => {
  clock = new FakeClock();
  dispatcher = { lastBeatMs: clock.nowMs(), running: 0 };
  deps = {
    version: "1.2.3",
    startedAtMs: clock.nowMs(),
    clock,
    store: await openTestStore(clock),
    storeReport: "SQLite",
    spooled: null,
    role: "all",
    dispatcher,
    platforms: ["slack", "test"],
    isResting: () => false,
    models: () => ({ status: "ok", details: "assistant: the demo model" }),
    isPaused: () => false,
    isDraining: () => false,
  };
});

const ready = (changes: Partial<HealthDeps> = {}) => createHealth({ ...deps, ...changes }).ready();

/** A store of which only the statistics matter. */
function storeWith(stats: () => Promise<StoreStats>): HealthDeps["store"] {
  const journal: Journal = { find: async () => null, list: async () => [], stats };
  return { journal, durability: "power", check: async () => ({ status: "ok" }) };
}

describe("liveness", () => {
  it("is told as long as the process lives", () => {
    clock.advance(61_499);
    expect(createHealth(deps).alive()).toEqual({ status: "healthy", version: "1.2.3", uptime_seconds: 61 });
  });

  it("of the claim loop is lost after a minute without a beat", () => {
    const health = createHealth(deps);
    dispatcher.running = 3;
    clock.advance(59_999);
    expect(health.heartbeat()).toEqual({
      status: "alive",
      last_beat: new Date(dispatcher.lastBeatMs).toISOString(),
      running: 3,
    });
    clock.advance(1);
    expect(health.heartbeat().status).toBe("stalled");
    dispatcher.lastBeatMs = clock.nowMs();
    expect(health.heartbeat().status).toBe("alive");
  });

  it("of a claim loop that this replica does not have is neither lost nor kept", async () => {
    clock.advance(600_000);
    const health = createHealth({ ...deps, role: "ingress" });
    expect(health.heartbeat()).toEqual({ status: "off", last_beat: null, running: 0 });
    expect(await health.ready()).toMatchObject({
      status: "ready",
      components: {
        dispatcher: { status: "off", details: "this replica takes webhooks and runs nothing" },
      },
    });
  });
});

describe("readiness", () => {
  it("tells of every component", async () => {
    const store = await openTestStore(clock);
    await store.queue.accept(anOffer(anEvent()));
    expect(await ready({ store })).toEqual({
      status: "ready",
      components: {
        store: { status: "ok", details: "SQLite; acknowledgements survive: process; 1 waiting" },
        dispatcher: { status: "ok" },
        models: { status: "ok", details: "assistant: the demo model" },
        slack: { status: "ok" },
        test: { status: "ok" },
      },
    });
  });

  it("is lost with the store, which says why", async () => {
    const stats = () => Promise.reject(new GatewayError("STORE_WRITE_FAILED", "disk full"));
    expect(await ready({ store: storeWith(stats) })).toMatchObject({
      status: "unavailable",
      components: { store: { status: "failed", details: "STORE_WRITE_FAILED: disk full" } },
    });
  });

  it("is lost with a store that reads and does not write", async () => {
    const { journal, durability } = await openTestStore(clock);
    const refused = { status: "failed", code: "STORE_WRITE_FAILED", details: "the disk is full" } as const;
    const store = { journal, durability, check: async () => refused };
    expect(await ready({ store })).toMatchObject({ status: "unavailable", components: { store: refused } });
  });

  it("is lost with a store that can be read and whose file is gone", async () => {
    const store = storeWith(() => deps.store.journal.stats());
    const check = () => Promise.reject(new GatewayError("STORE_MOVED", "the file was deleted"));
    expect(await ready({ store: { ...store, check } })).toMatchObject({
      status: "unavailable",
      components: { store: { status: "failed", details: "STORE_MOVED: the file was deleted" } },
    });
  });

  it("does not wait for a store that does not answer", async () => {
    const report = ready({ store: storeWith(() => new Promise(() => {})) });
    clock.advance(2_000);
    expect(await report).toMatchObject({
      status: "unavailable",
      components: {
        store: { status: "failed", details: "STORE_UNAVAILABLE: no answer within 2000 ms" },
      },
    });
  });

  it("shows what waits in the spool, and is not lost by it", async () => {
    expect(await ready({ spooled: () => 0 })).toMatchObject({ components: { spool: { status: "ok" } } });
    expect(await ready({ spooled: () => 7 })).toMatchObject({
      status: "ready",
      components: {
        spool: {
          status: "degraded",
          details: "7 acknowledged and waiting for the store to come back",
        },
      },
    });
  });

  it("leaves no timer behind when the store answers", async () => {
    await ready();
    expect(clock.sleeping).toBe(0);
  });

  it("is lost with the claim loop, and while the process drains", async () => {
    expect(await ready({ isDraining: () => true })).toMatchObject({
      status: "unavailable",
      components: { drain: { status: "failed" } },
    });
    clock.advance(60_000);
    expect(await ready()).toMatchObject({
      status: "unavailable",
      components: { dispatcher: { status: "failed", details: "the claim loop is stuck" } },
    });
  });

  it("is kept, and the trouble shown, when models or a platform rest or all is paused", async () => {
    const report = await ready({
      isResting: (platform) => platform === "slack",
      models: () => ({ status: "degraded", details: "resting" }),
      isPaused: () => true,
    });
    expect(report).toMatchObject({
      status: "ready",
      components: {
        models: { status: "degraded" },
        slack: { status: "degraded", details: "not called for now: replies kept failing" },
        test: { status: "ok" },
        kill_switch: { status: "degraded" },
      },
    });
  });
});
