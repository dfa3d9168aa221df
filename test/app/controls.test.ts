import { beforeEach, expect, it, onTestFinished } from "vitest";
import { RunControls } from "../../src/app/controls.ts";
import { Breakers } from "../../src/domain/breaker.ts";
import type { ControlOrder, LogLevels } from "../../src/domain/controls.ts";
import type { Store } from "../../src/ports/store.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { FakeClock } from "../support/clock.ts";
import { openTestStore } from "../support/store.ts";

let clock: FakeClock;
let store: Store;
beforeEach(async () => {
  clock = new FakeClock();
  store = await openTestStore(clock);
});

/** As a process has it. */
async function open() {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const log: { level: string; of: LogLevels; warn: () => void } = { level: "info", of: {}, warn: () => {} };
  const controls = new RunControls({
    ...{ log, logLevel: "info", logLevels: { store: "debug", hook: "error" } },
    setLevels(level, of) {
      Object.assign(log, { level, of });
    },
  });
  const breakers = new Breakers(clock);
  controls.watch(breakers);
  await controls.open({ store, isShared: true, clock, log: silentLogger() }, stop.signal);
  return { controls, breakers, log };
}

/** Lets reads of the store come to their end. */
const calm = () => new Promise((resolve) => setImmediate(resolve));
type Change = ControlOrder extends infer O
  ? O extends ControlOrder
    ? Omit<O, "by" | "atMs">
    : never
  : never;
const by = (order: Change) => ({ ...order, by: "ann", atMs: clock.nowMs() }) as ControlOrder;

it("a level and limits hold for all replicas, and for one that starts later", async () => {
  const [one, other] = [await open(), await open()];
  await one.controls.set(by({ kind: "log-level", level: "debug", of: null }));
  await other.controls.set(by({ kind: "limits", limits: { user: "off" } }));
  await other.controls.set(by({ kind: "limits", limits: { global: { messages: 1, per_seconds: 1 } } }));
  await calm();
  for (const { controls, log } of [one, other, await open()]) {
    expect(log.level).toBe("debug");
    expect(controls.now.limits).toMatchObject({ user: { value: "off", by: "ann" }, global: {} });
  }
  await one.controls.set(by({ kind: "log-level", level: null, of: null }));
  await one.controls.set(by({ kind: "limits", limits: { user: null } }));
  await calm();
  expect([one.log.level, other.log.level]).toEqual(["info", "info"]);
  expect(Object.keys(other.controls.now.limits)).toEqual(["global"]);
});

it("some lines have a level of their own on all replicas, in place of what is configured, until they are as that again", async () => {
  const [one, other] = [await open(), await open()];
  await one.controls.set(by({ kind: "log-level", level: "trace", of: "slack" }));
  await other.controls.set(by({ kind: "log-level", level: "warn", of: "store" }));
  await calm();
  for (const { log } of [one, other, await open()])
    expect(log).toMatchObject({ level: "info", of: { slack: "trace", store: "warn", hook: "error" } });
  for (const of of ["slack", "store"]) await one.controls.set(by({ kind: "log-level", level: null, of }));
  await calm();
  expect(other.log.of).toEqual({ store: "debug", hook: "error" });
});

it("a breaker is reset on all replicas, each time that somebody says so, and not by a start", async () => {
  const [one, other] = [await open(), await open()];
  const breaker = other.breakers.of("slack");
  const fail = () => breaker.enter()("refused", { code: "X", message: "x" });
  fail();
  await one.controls.set(by({ kind: "breaker-reset", name: "slack" }));
  await calm();
  expect(breaker.state()).toBe("closed");
  fail();
  await one.controls.set(by({ kind: "log-level", level: "warn", of: null }));
  await calm();
  expect(breaker.state()).toBe("open");
  await one.controls.set(by({ kind: "breaker-reset", name: "slack" }));
  await calm();
  expect(breaker.state()).toBe("closed");
  for (let n = 0; n < 20; n++) {
    clock.advance(1);
    await one.controls.set(by({ kind: "breaker-reset", name: `model-${n}` }));
  }
  expect(Object.keys(one.controls.now.resets)).toHaveLength(10);
});

it("rules of a breaker hold for all replicas, also for those that start later, until they are put back", async () => {
  const [one, other] = [await open(), await open()];
  const rules = (change: object) => by({ kind: "breaker-rules", name: "slack", rules: change });
  await one.controls.set(rules({ failuresInRow: 2 }));
  await one.controls.set(rules({ openMs: 5_000 }));
  await calm();
  for (const { controls, breakers } of [one, other, await open()]) {
    expect(controls.now.breakers).toMatchObject({
      slack: { value: { failuresInRow: 2, openMs: 5_000 }, by: "ann" },
    });
    for (let n = 0; n < 2; n++) breakers.of("slack").enter()("failed");
    expect(breakers.of("slack").state()).toBe("open");
    clock.advance(5_000);
    expect(breakers.of("slack").state()).toBe("half-open");
  }
  await other.controls.set(rules({ failuresInRow: null }));
  await other.controls.set(rules({ openMs: null }));
  await calm();
  expect(one.controls.now.breakers).toEqual({});
  expect(one.breakers.of("slack").state()).toBe("open");
});
