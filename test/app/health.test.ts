import { beforeEach, describe, expect, it } from "vitest";
import { createHealth, type HealthDeps, showHealth } from "../../src/app/health.ts";
import { diskReport, machineOf, memoryLimit, memoryReport, showMachine } from "../../src/app/machine.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import type { SocketReport } from "../../src/ingress/health.ts";
import type { Journal, StoreStats } from "../../src/ports/journal.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { anOffer, openTestStore } from "../support/store.ts";

const PAUSED = { status: "degraded", code: "PAUSED", details: "on" } as const;
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
    storeReport: () => "SQLite",
    spool: null,
    role: "all",
    dispatcher,
    platforms: ["slack", "test"],
    platform: () => OK,
    models: () => ({ status: "ok", details: "assistant: the demo model" }),
    sockets: () => ({}),
    housekeeping: () => OK,
    configuration: () => OK,
    machine: { disk: async () => OK, memory: () => OK },
    paused: () => null,
    isDraining: () => false,
  };
});

const OK = { status: "ok", details: "well" } as const;
const AWAY = new GatewayError("STORE_UNAVAILABLE", "Redis is away");

const ready = (changes: Partial<HealthDeps> = {}) => createHealth({ ...deps, ...changes }).ready();

/** A store of which only the statistics matter. */
function storeWith(stats: () => Promise<StoreStats>): HealthDeps["store"] {
  const journal: Journal = { find: async () => null, list: async () => [], stats };
  return { journal, durability: "power", check: async () => ({ status: "ok" }) };
}

const spoolOf = (waiting: number) => ({
  waiting: () => waiting,
  check: async () => ({ status: "ok" }) as const,
});

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
        dispatcher: { status: "ok", details: "this replica takes webhooks and runs nothing" },
      },
    });
  });
});

describe("readiness", () => {
  it("tells of every component", async () => {
    const store = await openTestStore(clock);
    await store.inbox.accept(anOffer(anEvent()));
    expect(await ready({ store })).toEqual({
      status: "ready",
      version: "1.2.3",
      timestamp: new Date(clock.nowMs()).toISOString(),
      components: {
        store: { status: "ok", details: "SQLite; acknowledgements survive: process; 1 waiting" },
        dispatcher: { status: "ok", details: "claims and runs" },
        models: { status: "ok", details: "assistant: the demo model" },
        slack: OK,
        test: OK,
        configuration: OK,
        housekeeping: OK,
        disk: OK,
        memory: OK,
      },
    });
  });

  it("is lost with the store, which says why", async () => {
    const stats = () => Promise.reject(new GatewayError("STORE_WRITE_FAILED", "disk full"));
    expect(await ready({ store: storeWith(stats) })).toMatchObject({
      status: "not_ready",
      components: { store: { status: "failed", code: "STORE_WRITE_FAILED", details: "disk full" } },
    });
  });

  it("is lost with a store that reads and does not write", async () => {
    const { journal, durability } = await openTestStore(clock);
    const refused = { status: "failed", code: "STORE_WRITE_FAILED", details: "the disk is full" } as const;
    const store = { journal, durability, check: async () => refused };
    expect(await ready({ store })).toMatchObject({ status: "not_ready", components: { store: refused } });
  });

  it("is lost with a store that can be read and whose file is gone", async () => {
    const store = storeWith(() => deps.store.journal.stats());
    const check = () => Promise.reject(new GatewayError("STORE_MOVED", "the file was deleted"));
    expect(await ready({ store: { ...store, check } })).toMatchObject({
      status: "not_ready",
      components: { store: { status: "failed", code: "STORE_MOVED", details: "the file was deleted" } },
    });
  });

  it("does not wait for a store that does not answer", async () => {
    const report = ready({ store: storeWith(() => new Promise(() => {})) });
    clock.advance(2_000);
    expect(await report).toMatchObject({
      status: "not_ready",
      components: {
        store: { status: "failed", code: "STORE_UNAVAILABLE", details: "no answer within 2000 ms" },
      },
    });
  });

  it("shows a spool that fails or has somebody come and look, and is not lost by it", async () => {
    const moved = new GatewayError("STORE_MOVED", "spool-0.db was deleted");
    const failing = { waiting: () => 7, check: () => Promise.reject(moved) };
    expect(await ready({ spool: failing })).toMatchObject({
      status: "degraded",
      components: { spool: { status: "degraded", code: "STORE_MOVED", details: "spool-0.db was deleted" } },
    });
    const left = { status: "degraded", code: "STORE_DAMAGED", details: "what spool-3.db holds" } as const;
    const spool = { waiting: () => 0, check: async () => left };
    expect(await ready({ spool })).toMatchObject({ status: "degraded", components: { spool: left } });
    const store = storeWith(() => Promise.reject(AWAY));
    expect(await createHealth({ ...deps, store, spool }).webhooks()).toMatchObject({
      status: "degraded",
      components: { store: { status: "degraded", code: "STORE_UNAVAILABLE" }, spool: left },
    });
  });

  it("shows what waits in the spool, and is not lost by it", async () => {
    expect(await ready({ spool: spoolOf(0) })).toMatchObject({ components: { spool: { status: "ok" } } });
    expect(await ready({ spool: spoolOf(7) })).toMatchObject({
      status: "degraded",
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
      status: "not_ready",
      components: { drain: { status: "failed" } },
    });
    clock.advance(60_000);
    expect(await ready()).toMatchObject({
      status: "not_ready",
      components: { dispatcher: { status: "failed", details: "the claim loop is stuck" } },
    });
  });

  it("is kept when a socket is refused or not there yet, or another process holds it", async () => {
    const platformsSay = async (status: SocketReport["status"], word: string) =>
      await ready({ sockets: () => ({ "slack.socket": { status, details: word } }) });
    const failed = { status: "failed", details: "invalid_auth", since: expect.any(String) } as const;
    expect(await platformsSay("failed", "invalid_auth")).toMatchObject({
      status: "degraded",
      components: { slack: OK, "slack.socket": failed },
    });
    expect(await platformsSay("connecting", "opening")).toMatchObject({ status: "degraded" });
    const report = await platformsSay("standby", "another process holds it");
    expect(report.status).toBe("ready");
    expect(report.components["slack.socket"]).toEqual({
      status: "standby",
      details: "another process holds it",
    });
  });

  it("is kept, and the trouble shown, when models or a platform rest or all is paused", async () => {
    const rest = { status: "degraded", code: "BREAKER_OPEN", details: "resting" } as const;
    const report = await ready({
      platform: (name) => (name === "slack" ? rest : OK),
      models: () => rest,
      paused: () => PAUSED,
    });
    expect(report).toMatchObject({
      status: "degraded",
      components: {
        models: rest,
        slack: rest,
        test: OK,
        kill_switch: { status: "degraded", code: "PAUSED" },
      },
    });
  });

  it("says since when something has been wrong, until it is well", async () => {
    let isPaused = true;
    const health = createHealth({ ...deps, paused: () => (isPaused ? PAUSED : null) });
    const since = new Date(clock.nowMs()).toISOString();
    await health.ready();
    clock.advance(5_000);
    expect(await health.ready()).toMatchObject({ components: { kill_switch: { since } } });
    isPaused = false;
    const { components, status } = await health.ready();
    expect([status, components.kill_switch]).toEqual(["ready", undefined]);
  });

  it("writes to the store once a second at most, however often it is asked", async () => {
    let checks = 0;
    const { journal, durability } = await openTestStore(clock);
    const check = async () => {
      checks++;
      return { status: "ok" } as const;
    };
    const health = createHealth({ ...deps, store: { journal, durability, check } });
    await Promise.all([health.ready(), health.ready(), health.webhooks()]);
    expect(checks).toBe(1);
    clock.advance(1_000);
    await health.ready();
    expect(checks).toBe(2);
  });
});

describe("readiness for webhooks", () => {
  const webhooks = (changes: Partial<HealthDeps>) => createHealth({ ...deps, ...changes }).webhooks();
  const away = storeWith(() => Promise.reject(AWAY));

  it("is kept while the store is away and the spool takes what comes", async () => {
    expect(await webhooks({ store: away, spool: spoolOf(3) })).toMatchObject({
      status: "degraded",
      components: {
        store: { status: "degraded", code: "STORE_UNAVAILABLE" },
        spool: { status: "ok", details: "takes events; 3 waiting" },
      },
    });
    const { status } = await createHealth({ ...deps, store: away, spool: spoolOf(3) }).ready();
    expect(status).toBe("not_ready");
  });

  it("is lost when neither takes anything, while draining, and on a worker", async () => {
    expect((await webhooks({ store: away })).status).toBe("not_ready");
    const full = {
      waiting: () => 0,
      check: () => Promise.reject(new GatewayError("STORE_WRITE_FAILED", "full")),
    };
    expect((await webhooks({ store: away, spool: full })).status).toBe("not_ready");
    expect((await webhooks({ spool: full })).status).toBe("degraded");
    expect((await webhooks({ isDraining: () => true })).status).toBe("not_ready");
    expect((await webhooks({ role: "worker" })).status).toBe("not_ready");
    expect((await webhooks({ role: "ingress" })).status).toBe("ready");
  });
});

describe("the machine", () => {
  it("is short of disk or memory near its limits", () => {
    const mib = 1024 * 1024;
    expect(diskReport(256 * mib, 0.9)).toEqual({
      status: "ok",
      details: "256 MiB free in the data folder, 90 % full",
    });
    expect(diskReport(256 * mib - 1, 0.1)).toMatchObject({ status: "degraded", code: "DISK_LOW" });
    expect(diskReport(9 * 1024 * mib, 0.901)).toMatchObject({ status: "degraded", code: "DISK_LOW" });
    expect(diskReport(10 * 1024 * mib, 0.99)).toMatchObject({ status: "ok" });
    const memory = { residentBytes: 90, limitBytes: 100, heapBytes: 10, heapLimitBytes: 100 };
    expect(memoryReport(memory)).toMatchObject({ status: "ok" });
    expect(memoryReport({ ...memory, residentBytes: 91 })).toMatchObject({ code: "MEMORY_LOW" });
    expect(memoryReport({ ...memory, heapBytes: 91 })).toMatchObject({ code: "MEMORY_LOW" });
    expect([memoryLimit(0, 100), memoryLimit(50, 100), memoryLimit(2 ** 63, 100)]).toEqual([100, 50, 100]);
  });

  it("is looked at where the data will be, also before there is a folder", async () => {
    const machine = machineOf("/nowhere/at/all");
    expect((await machine.disk()).details).toMatch(/^\d+ MiB free in the data folder, \d+ % full/);
    expect(machine.memory().details).toMatch(/^\d+ of \d+ MiB in use, heap \d+ of \d+$/);
  });

  it("is in the metrics as shares", async () => {
    const metrics = createMetrics();
    showMachine(machineOf("/nowhere/at/all"), metrics);
    const text = await metrics.scrape();
    for (const name of ["parley_disk_usage_ratio", "parley_memory_usage_ratio"]) {
      const value = Number(new RegExp(`^${name} (.+)$`, "m").exec(text)?.[1]);
      expect(value).toBeGreaterThan(0);
      expect(value).toBeLessThan(1);
    }
  });

  it("is in the metrics as what the main thread has done since the scrape before", async () => {
    const metrics = createMetrics();
    showMachine(machineOf("/nowhere/at/all"), metrics);
    await metrics.scrape();
    const until = performance.now() + 50;
    while (performance.now() < until);
    const busy = Number(/^parley_event_loop_busy_ratio (.+)$/m.exec(await metrics.scrape())?.[1]);
    expect(busy).toBeGreaterThan(0.5);
    expect(busy).toBeLessThanOrEqual(1);
  });
});

describe("what a probe is told", () => {
  it("is in the metrics, of those components alone that there are", async () => {
    const metrics = createMetrics();
    const sockets = { "slack.socket": { status: "connecting", details: "x" } } satisfies Record<
      string,
      SocketReport
    >;
    let paused: typeof PAUSED | null = PAUSED;
    const health = createHealth({
      ...deps,
      models: () => ({ status: "degraded", code: "MODEL_AUTH", details: "refused" }),
      sockets: () => sockets,
      paused: () => paused,
    });
    showHealth(health, metrics);
    let text = await metrics.scrape();
    expect(text).toContain("parley_ready 1\n");
    const of = (component: string) => `parley_component_status{component="${component}"}`;
    for (const line of ["store 0", "models 1", "slack 0", "slack.socket 1", "kill_switch 1"]) {
      const [component = "", level] = line.split(" ");
      expect(text).toContain(`${of(component)} ${level}\n`);
    }

    paused = null;
    dispatcher.lastBeatMs -= 61_000;
    text = await metrics.scrape();
    expect(text).toContain("parley_ready 0\n");
    expect(text).toContain(`${of("dispatcher")} 2\n`);
    expect(text).not.toContain(of("kill_switch"));
  });
});
