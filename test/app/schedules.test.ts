import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { createTestAdapter } from "../../adapters/test/adapter.ts";
import { standForDuties } from "../../src/app/duties.ts";
import type { Elected } from "../../src/app/elected.ts";
import { Schedules, type SchedulesDeps } from "../../src/app/schedules.ts";
import { cronFault, lastDueMs, nextDueMs } from "../../src/config/cron.ts";
import type { ScheduleSpec } from "../../src/config/schedules-schema.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import type { Store } from "../../src/ports/store.ts";
import { createNewId } from "../../src/system/ids.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { AGENT, load, problemsOf } from "../config/helpers.ts";
import { FakeClock } from "../support/clock.ts";
import { countOf } from "../support/metrics.ts";
import { LEASE_MS, openTestStore } from "../support/store.ts";

const START = Date.parse("2026-11-29T08:59:30Z");
const HOUR_MS = 3_600_000;

let clock: FakeClock;
let store: Store;
let metrics: Metrics;
let specs: ScheduleSpec[];
let deps: SchedulesDeps;
let paused: boolean;

beforeEach(async () => {
  clock = new FakeClock(START);
  store = await openTestStore(clock);
  metrics = createMetrics();
  paused = false;
  specs = [
    {
      ...{ name: "standup", cron: "0 * * * *", time_zone: "UTC", agent: "ops", text: "What changed?" },
      ...{ to: { platform: "test", tenant: "T1", channel: "C1" }, missed: "run_once", enabled: true },
    },
  ];
  const newId = createNewId(clock);
  const adapter = createTestAdapter({ devKey: null, openOnLoopback: true, clock, bus: store.bus, newId });
  deps = {
    ...{ store, adapters: new Map([["test", adapter]]), specs: () => specs, isPaused: () => paused },
    ...{ clock, log: silentLogger(), metrics },
  };
});

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
/** In steps that no renewal misses. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 2_000) {
    clock.advance(Math.min(2_000, left));
    await settle();
  }
}
/** A process that looks at the clock. */
async function start(
  changes: Partial<SchedulesDeps> = {},
): Promise<Pick<Schedules, "list"> & Pick<Elected, "stop">> {
  const schedules = new Schedules({ ...deps, ...changes });
  const elected = standForDuties([schedules], { ...deps, store, random: () => 0.5 });
  onTestFinished(() => elected.stop());
  await settle();
  return { list: () => schedules.list(), stop: () => elected.stop() };
}

describe("a schedule", () => {
  it("asks its agent when it is due, in the conversation of its place, and once", async () => {
    await start();
    await pass(28_000);
    expect(await store.queue.claim({ jobsMax: 9, leaseMs: LEASE_MS })).toEqual([]);
    await pass(10_000);
    const jobs = await store.queue.claim({ jobsMax: 9, leaseMs: LEASE_MS });
    expect(jobs).toHaveLength(1);
    const due = Date.parse("2026-11-29T09:00:00Z");
    expect(jobs[0]).toMatchObject({
      agent: "ops",
      lane: "test:T1:C1",
      event: {
        ...{ id: `test:schedule:standup:${due}`, conversation: "test:T1:C1", text: "What changed?" },
        ...{ sender: { id: "schedule:standup" }, occurredAtMs: due },
      },
    });
    await pass(60_000);
    expect(await countOf(metrics, "schedules", { schedule: "standup", outcome: "fired" })).toBe(1);
  });

  it("is not fired again by the next one, where the last died before it noted that", async () => {
    const put: Store["notes"]["put"] = async (name, value, held) =>
      JSON.parse(value).outcome === "fired" ? true : await store.notes.put(name, value, held);
    const first = await start({
      store: { ...store, notes: { ...store.notes, get: (n) => store.notes.get(n), put } },
    });
    await pass(32_000);
    await first.stop();
    await start();
    await pass(10_000);
    const { queued } = await store.journal.stats();
    expect(queued).toBe(1);
  });

  it("of which several were missed is told of, though the last of them is in time", async () => {
    specs = [{ ...(specs[0] as ScheduleSpec), missed: "skip" }];
    const first = await start();
    await first.stop();
    // Due at nine, ten and eleven; it is half a minute after that.
    clock.advance(2 * HOUR_MS + 60_000);
    const accept = vi.spyOn(store.inbox, "accept");
    for (let n = 0; n < 3; n++) accept.mockRejectedValueOnce(new GatewayError("STORE_UNAVAILABLE", "away"));
    await start();
    // Once, however often that one is tried.
    await pass(6_000);
    expect(accept).toHaveBeenCalledTimes(4);
    expect(await countOf(metrics, "schedules", { schedule: "standup", outcome: "skipped" })).toBe(1);
    expect(await countOf(metrics, "schedules", { schedule: "standup", outcome: "fired" })).toBe(1);
  });

  it("that was missed is run once, or skipped, as it says; before it was there it was not due", async () => {
    specs = [...specs, { ...(specs[0] as ScheduleSpec), name: "strict", missed: "skip" }];
    const first = await start();
    await first.stop();
    clock.advance(5 * HOUR_MS);
    await start();
    const jobs = await store.queue.claim({ jobsMax: 9, leaseMs: LEASE_MS });
    expect(jobs.map(({ event }) => event.id)).toEqual([
      `test:schedule:standup:${Date.parse("2026-11-29T13:00:00Z")}`,
    ]);
    expect(await countOf(metrics, "schedules", { schedule: "strict", outcome: "skipped" })).toBe(1);
  });

  it("that is off asks nothing, and what was due meanwhile is not made up for", async () => {
    const [standup] = specs as [ScheduleSpec];
    specs = [{ ...standup, enabled: false }];
    const { list } = await start();
    await pass(2 * HOUR_MS);
    expect(await list()).toMatchObject([{ isEnabled: false, nextDueMs: null, outcome: "off" }]);
    specs = [standup];
    await pass(20_000);
    expect((await store.journal.stats()).queued).toBe(0);
    await pass(HOUR_MS);
    expect(await countOf(metrics, "schedules", { schedule: "standup", outcome: "fired" })).toBe(1);
  });

  it("is left out while its agent is paused, or where its platform is off", async () => {
    specs = [
      ...specs,
      { ...(specs[0] as ScheduleSpec), name: "off", to: { platform: "slack", tenant: "T", channel: "C" } },
    ];
    await start({ isPaused: ({ platform }) => platform === "test" && paused });
    paused = true;
    await pass(32_000);
    paused = false;
    await pass(60_000);
    expect((await store.journal.stats()).queued).toBe(0);
    expect(await countOf(metrics, "schedules", { schedule: "standup", outcome: "paused" })).toBe(1);
    expect(await countOf(metrics, "schedules", { schedule: "off", outcome: "platform_off" })).toBe(1);
  });
});

describe("the list of schedules", () => {
  it("has when each was fired last, also after turns that were left out, and what an older version noted", async () => {
    const schedules = await start({ isPaused: () => paused });
    const [due, next] = [Date.parse("2026-11-29T09:00:00Z"), Date.parse("2026-11-29T10:00:00Z")];
    const listed = async () => (await schedules.list())[0];
    expect(await listed()).toMatchObject({ nextDueMs: due, firedMs: null, outcome: null, isPaused: false });
    await pass(32_000);
    expect(await listed()).toMatchObject({ nextDueMs: next, firedMs: due, outcome: "fired" });
    paused = true;
    await pass(HOUR_MS);
    expect(await listed()).toMatchObject({
      ...{ nextDueMs: next + HOUR_MS, firedMs: due, outcome: "paused", isPaused: true },
      ...{ platform: "test", tenant: "T1", place: "C1", thread: null, conversation: "test:T1:C1" },
    });
    await schedules.stop();
    const held = await store.holds.hold("housekeeping", 60_000);
    if (held === null) return expect.fail("expected the name to be free, got one that is held");
    for (const [outcome, firedMs] of [
      ["fired", due],
      ["paused", null],
    ] as const) {
      await store.notes.put("schedule/standup", JSON.stringify({ dueMs: due, outcome }), held);
      expect(await listed()).toMatchObject({ firedMs, outcome });
    }
  });
});

describe("the clock of a schedule", () => {
  const berlin = (cron: string) => ({ cron, time_zone: "Europe/Berlin" });
  const at = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

  it("is that of its time zone, over both changes of the year", () => {
    const daily = berlin("30 9 * * *");
    expect(at(nextDueMs(daily, Date.parse("2026-03-28T12:00:00Z")))).toBe("2026-03-29T07:30:00.000Z");
    expect(at(nextDueMs(daily, Date.parse("2026-03-27T12:00:00Z")))).toBe("2026-03-28T08:30:00.000Z");
    expect(at(nextDueMs(daily, Date.parse("2026-10-24T12:00:00Z")))).toBe("2026-10-25T08:30:00.000Z");
  });

  it("comes once on a day whose hour is skipped, or comes twice", () => {
    const turns = (fromDay: string, days: number) => {
      const found: string[] = [];
      const until = Date.parse(fromDay) + days * 86_400_000;
      for (let due = nextDueMs(berlin("30 2 * * *"), Date.parse(fromDay)); due !== null && due < until; )
        due = found.push(at(due) ?? "") > 0 ? nextDueMs(berlin("30 2 * * *"), due) : null;
      return found.map((one) => one.slice(0, 10));
    };
    expect(turns("2026-03-28T00:00:00Z", 3)).toEqual(["2026-03-28", "2026-03-29", "2026-03-30"]);
    expect(turns("2026-10-24T00:00:00Z", 3)).toEqual(["2026-10-24", "2026-10-25", "2026-10-26"]);
  });

  it("tells the last turn of a while", () => {
    const utc = (cron: string) => ({ cron, time_zone: "UTC" });
    const [from, until] = [Date.parse("2026-01-01T00:00:00Z"), Date.parse("2026-11-29T09:00:00Z")];
    expect(at(lastDueMs(utc("0 9 * * *"), from, until))).toBe("2026-11-29T09:00:00.000Z");
    expect(at(lastDueMs(utc("0 9 1 * *"), from, until))).toBe("2026-11-01T09:00:00.000Z");
    expect(lastDueMs(utc("0 9 1 12 *"), from, until)).toBeNull();
    expect(lastDueMs(utc("0 9 * * *"), until, until)).toBeNull();
  });

  it("has five fields, and a time that comes", () => {
    expect(cronFault("*/5 9-17 * * 1-5")).toBeNull();
    for (const wrong of ["", "* * * *", "61 * * * *", "0 0 9 * * *", "soon", "0 9 * * * * *"])
      expect(cronFault(wrong), wrong).toContain("expected five fields");
    expect(cronFault("0 0 30 2 *")).toContain("a time that comes");
  });
});

describe("schedules in gateway.yaml", () => {
  const GOOD = `name: a, cron: "0 9 * * *", agent: assistant, to: { platform: slack, tenant: T1, channel: C1 }, text: hi`;
  const withSchedules = (...all: readonly string[]) =>
    load({
      "gateway.yaml": ["spec:", "  schedules:", ...all.map((one) => `    - { ${one} }`)].join("\n"),
      "agents/a.yaml": AGENT,
    });

  it("have defaults", () => {
    const loaded = withSchedules(GOOD);
    if (!loaded.ok) return expect.fail(problemsOf(loaded).join("\n"));
    expect(loaded.config.gateway.schedules).toMatchObject([{ time_zone: "UTC", missed: "run_once" }]);
  });

  it.each([
    [GOOD.replace("0 9 * * *", "0 9 * *"), "[0].cron: expected five fields such as `0 9 * * 1-5`"],
    [`${GOOD}, time_zone: Mars/Olympus`, "[0].time_zone: expected the name of a time zone"],
    [
      GOOD.replace("slack", "whatsapp"),
      "[0].to.platform: expected a platform on which a bot may speak first",
    ],
    [GOOD.replace("slack", "slak"), "(did you mean slack?)"],
    [
      GOOD.replace("assistant", "assistent"),
      "[0].agent: expected the name of an agent (assistant), got assistent (did you mean assistant?)",
    ],
    [`${GOOD}, missed: run_twice`, "[0].missed: expected run_once or skip"],
  ])("%s is refused with what was expected", (given, problem) => {
    expect(problemsOf(withSchedules(given)).join("\n")).toContain(problem);
  });

  it("have names of their own", () => {
    expect(problemsOf(withSchedules(GOOD, GOOD))[0]).toContain("which schedules[0] has too");
  });
});
