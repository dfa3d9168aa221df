import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { KillSwitch } from "../../src/app/kill-switch.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import type { Store } from "../../src/ports/store.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { FakeClock } from "../support/clock.ts";
import { countOf } from "../support/metrics.ts";
import { openTestStore } from "../support/store.ts";

const OURS = { platform: "slack", agent: "assistant" };
const order = (on: boolean, more: { agent?: string; platform?: string } = {}) => ({
  on,
  by: "ann",
  atMs: 1_700_000_000_000,
  reason: "a test",
  ...more,
});
let clock: FakeClock;
let store: Store;
let metrics: Metrics;

beforeEach(async () => {
  clock = new FakeClock();
  store = await openTestStore(clock);
  metrics = createMetrics();
});

/** As a process has it; `parts` stand in for those of the store. */
async function open(parts: Partial<Pick<Store, "bus" | "notes" | "holds">> = {}): Promise<KillSwitch> {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const killSwitch = new KillSwitch(metrics);
  const deps = { store: { ...store, ...parts }, isShared: true, clock, log: silentLogger() };
  await killSwitch.open(deps, stop.signal);
  return killSwitch;
}

const deaf = () => ({ publish: async () => {}, subscribe: () => () => {} });
/** Lets reads of the store come to their end. */
const calm = () => new Promise((resolve) => setImmediate(resolve));

async function advance(ms: number): Promise<void> {
  clock.advance(ms);
  await calm();
}

describe("the kill switch", () => {
  it("holds at once for the others, and is there after a restart", async () => {
    const [one, other] = [await open(), await open()];
    await one.set(order(true));
    await calm();
    expect([one, other, await open()].map((each) => each.isPaused(OURS))).toEqual([true, true, true]);
    expect(other.report()).toEqual({
      status: "degraded",
      code: "PAUSED",
      details: "on: messages are answered that the bot is paused",
      since: "2023-11-14T22:13:20.000Z",
    });
    await other.set(order(false));
    await calm();
    expect([one, other, await open()].map((each) => each.isPaused(OURS))).toEqual([false, false, false]);
    expect(one.report()).toBeNull();
  });

  it("holds for whoever missed the word of it within two seconds", async () => {
    const [one, other] = [await open(), await open({ bus: deaf() })];
    await one.set(order(true));
    expect(other.isPaused()).toBe(false);
    await advance(1_000);
    expect(other.isPaused()).toBe(true);
  });

  it("keeps all changes that one process is asked for at once", async () => {
    const one = await open();
    const agents = Array.from({ length: 20 }, (_, n) => `agent-${n}`);
    await Promise.all(agents.map((agent) => one.set(order(true, { agent }))));
    const next = await open();
    expect(agents.filter((agent) => !next.isPaused({ platform: "slack", agent }))).toEqual([]);
  });

  it("pauses one agent or platform, and says which", async () => {
    const one = await open();
    await one.set(order(true, { agent: "assistant" }));
    await one.set(order(true, { platform: "discord" }));
    expect([one.isPaused(), one.isPaused(OURS)]).toEqual([false, true]);
    expect(one.report()?.details).toBe("on: paused: assistant, discord");
    expect(await countOf(metrics, "pausedParts", { kind: "agent", name: "assistant" })).toBe(1);
    expect(await countOf(metrics, "paused")).toBe(0);
    await one.set(order(false, { agent: "assistant" }));
    expect(one.isPaused(OURS)).toBe(false);
    expect(await countOf(metrics, "pausedParts", { kind: "agent" })).toBe(0);
  });

  it("of the configuration stays on until the configuration puts it back", async () => {
    const one = await open();
    one.byConfiguration(true);
    await one.set(order(false));
    expect(one.isPaused()).toBe(true);
    expect(await countOf(metrics, "paused")).toBe(1);
    expect(one.report()?.details).toContain("(by the configuration)");
    one.byConfiguration(false);
    expect(one.isPaused()).toBe(false);
    expect(await countOf(metrics, "paused")).toBe(0);
  });

  it("is known as soon as a store that was away is back, and holds while it is away again", async () => {
    await (await open()).set(order(true));
    let isAway = true;
    const get: Store["notes"]["get"] = async (name) => {
      if (isAway) throw new GatewayError("STORE_UNAVAILABLE", "away");
      return await store.notes.get(name);
    };
    const late = await open({ notes: { ...store.notes, get } });
    expect(late.isPaused()).toBe(false);
    isAway = false;
    await advance(1_000);
    expect(late.isPaused()).toBe(true);
    isAway = true;
    await advance(1_000);
    expect(late.isPaused()).toBe(true);
    await expect(late.set(order(false))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(late.isPaused()).toBe(true);
  });

  it("waits for another replica that throws one, and gives up when that never ends", async () => {
    let isTaken = true;
    const hold: Store["holds"]["hold"] = async (...args) =>
      isTaken ? null : await store.holds.hold(...args);
    const one = await open({ holds: { ...store.holds, hold } });
    const setting = one.set(order(true));
    await advance(100);
    isTaken = false;
    await advance(100);
    await setting;
    expect(one.isPaused()).toBe(true);
    isTaken = true;
    const never = expect(one.set(order(false))).rejects.toThrow("another replica");
    for (let i = 0; i < 30; i++) await advance(100);
    await never;
    expect(one.isPaused()).toBe(true);
  });
});
