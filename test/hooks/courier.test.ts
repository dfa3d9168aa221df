import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { Breakers } from "../../src/domain/breaker.ts";
import type { HookMessage } from "../../src/domain/hook.ts";
import { Courier, type CourierDeps } from "../../src/hooks/courier.ts";
import { postHook } from "../../src/hooks/post.ts";
import { createPublisher } from "../../src/hooks/publisher.ts";
import type { HookTarget, WebhookTarget } from "../../src/hooks/target.ts";
import { tidyHooks } from "../../src/hooks/tidy.ts";
import type { Deliveries, HookStates, Hooks } from "../../src/ports/hooks.ts";
import type { Store } from "../../src/ports/store.ts";
import { Secret } from "../../src/shared/secret.ts";
import { createDeliveries, createHookStates } from "../../src/store/deliveries.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { FakeClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { countOf } from "../support/metrics.ts";
import { openTestStore } from "../support/store.ts";
import { type Receiver, startReceiver } from "./receiver.ts";

const KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW_KEY = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

let clock: FakeClock;
let store: Store;
let deliveries: Deliveries;
let states: HookStates;
let metrics: Metrics;
let receiver: Receiver;
let targets: HookTarget[];
let hooks: Hooks;
let texts: Record<string, Record<string, string>>;
let deps: CourierDeps;

beforeEach(async () => {
  clock = new FakeClock();
  store = await openTestStore(clock);
  deliveries = createDeliveries(store.vault);
  states = createHookStates(store.vault);
  metrics = createMetrics();
  receiver = await startReceiver();
  onTestFinished(() => receiver[Symbol.asyncDispose]());
  targets = [aTarget()];
  texts = {};
  const shared = { bus: store.bus, targets: () => targets, clock, log: silentLogger(), metrics };
  hooks = createPublisher({ deliveries, ...shared });
  deps = {
    ...{ deliveries, states, ...shared, random: () => 0.5, version: "1.2.3" },
    post: (target, ...rest) => postHook(target as WebhookTarget, ...rest),
    breakers: new Breakers(clock),
    textOf: async (eventId) => texts[eventId] ?? null,
  };
});

function aTarget(changes: Partial<WebhookTarget> = {}): WebhookTarget {
  return {
    ...{ name: "ops", url: receiver.url, secrets: [new Secret(KEY)] },
    types: new Set(["run.finished", "budget.warning"]),
    ...{ includesText: false, timeoutMs: 5_000, attemptsMax: 16, ...changes },
  };
}

const aMessage = (key: string, changes: Partial<HookMessage> = {}): HookMessage => ({
  ...{ key, type: "run.finished", atMs: clock.nowMs(), data: { run_id: key }, eventId: `test:${key}` },
  ...changes,
});

/** Delivers until the test is over, or until told to stop. */
function start(changes: Partial<CourierDeps> = {}): () => Promise<void> {
  const stopping = new AbortController();
  const done = new Courier({ ...deps, ...changes }).run(stopping.signal);
  const stop = async () => {
    stopping.abort("stopped");
    await done;
  };
  onTestFinished(stop);
  return stop;
}

const left = async (hook = "ops") => {
  const { deliveries: dead } = await deliveries.dead(hook, { limit: 100 });
  return { waiting: await deliveries.next(hook, 100), dead };
};
const soon = (expectation: () => void | Promise<void>) => eventually(async () => await expectation(), 10_000);
/** Time passes whenever everybody waits for it. */
async function passUntil(expectation: () => void | Promise<void>, stepMs = 1_000): Promise<void> {
  await soon(async () => {
    clock.advance(stepMs);
    await expectation();
  });
}

describe("a hook", () => {
  it("is told what it has asked for, signed, and of nothing else", async () => {
    start();
    await hooks.publish(aMessage("r1"));
    await hooks.publish(aMessage("b", { type: "breaker.opened" }));
    await soon(async () => expect((await left()).waiting).toEqual([]));
    expect(receiver.received).toHaveLength(1);
    const [{ id, body, headers, isSignedWith } = expect.fail()] = receiver.received;
    expect(body).toEqual({
      type: "run.finished",
      timestamp: new Date(clock.nowMs()).toISOString(),
      data: { run_id: "r1" },
    });
    expect(id).toMatch(/^msg_[0-9a-f]{32}$/);
    expect(headers["webhook-timestamp"]).toBe(String(Math.floor(clock.nowMs() / 1000)));
    expect(headers["user-agent"]).toBe("parley/1.2.3");
    expect([isSignedWith(KEY), isSignedWith(NEW_KEY)]).toEqual([true, false]);
    expect((await states.get("ops")).deliveredAtMs).toBe(clock.nowMs());
  });

  it("whose secret is rotated has the signatures of both", async () => {
    targets = [aTarget({ secrets: [new Secret(NEW_KEY), new Secret(KEY)] })];
    start();
    await hooks.publish(aMessage("r1"));
    await soon(() => expect(receiver.received).toHaveLength(1));
    expect([KEY, NEW_KEY].map((key) => receiver.received[0]?.isSignedWith(key))).toEqual([true, true]);
  });

  it("that fails is called again at growing intervals, with the same id, until it takes it", async () => {
    receiver.answer((call) => (call <= 3 ? 500 : 200));
    start();
    await hooks.publish(aMessage("r1"));
    const waits: number[] = [];
    for (let call = 1; call <= 3; call++) {
      await soon(async () => {
        const [waiting] = (await left()).waiting;
        expect(waiting?.attempts).toBe(call);
        waits[call - 1] = (waiting?.dueMs ?? 0) - clock.nowMs();
      });
      expect(receiver.received).toHaveLength(call);
      clock.advance(waits[call - 1] ?? 0);
    }
    await soon(async () => expect((await left()).waiting).toEqual([]));
    expect(waits).toEqual([3_750, 7_500, 15_000]);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(1);
    const timestamps = receiver.received.map(({ headers }) => Number(headers["webhook-timestamp"]));
    expect((timestamps[3] ?? 0) - (timestamps[0] ?? 0)).toBe(26);
    expect(await states.get("ops")).toMatchObject({ failure: null });
  });

  it("that asks to be called later is not called sooner", async () => {
    receiver.answer(() => 429, { "retry-after": "600" });
    start();
    await hooks.publish(aMessage("r1"));
    await soon(async () =>
      expect((await left()).waiting).toMatchObject([{ attempts: 1, dueMs: clock.nowMs() + 600_000 }]),
    );
  });

  it("that never takes it has a dead letter, which can be sent again", async () => {
    targets = [aTarget({ attemptsMax: 3 })];
    receiver.answer(() => 404);
    start();
    await hooks.publish(aMessage("r1"));
    await passUntil(async () =>
      expect((await left()).dead).toMatchObject([
        { attempts: 3, died: { cause: "gave up after 3 attempts: answered 404" } },
      ]),
    );
    expect(receiver.received).toHaveLength(3);
    const [dead = expect.fail()] = (await left()).dead;
    receiver.answer(() => 200);
    const { died: _, ...again } = dead;
    await deliveries.put({ ...again, attempts: 0, dueMs: clock.nowMs() }, dead);
    await passUntil(async () => expect(await left()).toEqual({ waiting: [], dead: [] }));
    expect(receiver.received.at(-1)?.id).toBe(dead.id);
    expect(await countOf(metrics, "hookDeliveries", { hook: "ops", outcome: "failed" })).toBe(3);
    expect(await countOf(metrics, "hookDeliveries", { hook: "ops", outcome: "dead" })).toBe(1);
  });

  it.each([[410, "answered 410: it wants no more"]])(
    "that answers %i is not asked again",
    async (status, cause) => {
      receiver.answer(() => status);
      start();
      await hooks.publish(aMessage("r1"));
      await soon(async () => expect((await left()).dead).toMatchObject([{ attempts: 1, died: { cause } }]));
    },
  );

  it("that leads elsewhere is not followed", async () => {
    await using other = await startReceiver();
    receiver.answer(() => 307, { location: other.url });
    start();
    await hooks.publish(aMessage("r1"));
    await soon(async () => expect((await left()).waiting).toMatchObject([{ attempts: 1 }]));
    expect((await states.get("ops")).failure?.cause).toContain("redirected (307), which is not followed");
    expect(other.received).toEqual([]);
  });

  it("that does not answer in its time, or is not there, is called again, and nothing tells its address", async () => {
    targets = [aTarget({ timeoutMs: 50 }), aTarget({ name: "gone", url: "http://127.0.0.1:1/x?key=hidden" })];
    const letGo = receiver.hold();
    onTestFinished(letGo);
    start();
    await hooks.publish(aMessage("r1"));
    for (const hook of ["ops", "gone"])
      await soon(async () => expect((await left(hook)).waiting).toMatchObject([{ attempts: 1 }]));
    const causes = [(await states.get("ops")).failure?.cause, (await states.get("gone")).failure?.cause];
    expect(causes).toEqual([
      expect.stringContaining("TimeoutError"),
      "hook: could not connect (ECONNREFUSED)",
    ]);
  });

  it("that keeps failing is left alone, uses up no attempts meanwhile, and keeps no other waiting", async () => {
    await using well = await startReceiver();
    targets = [aTarget(), aTarget({ name: "well", url: well.url })];
    receiver.answer(() => 503);
    start();
    for (let n = 0; n < 30; n++) await hooks.publish(aMessage(`r${n}`));
    await soon(() => expect(well.received).toHaveLength(30));
    await soon(() => expect(deps.breakers.of("ops").state()).toBe("open"));
    const calls = receiver.received.length;
    expect(calls).toBeLessThanOrEqual(13);
    clock.advance(30_000);
    await hooks.publish(aMessage("one more"));
    await soon(() => expect(well.received).toHaveLength(31));
    expect(receiver.received).toHaveLength(calls);
    receiver.answer(() => 200);
    await passUntil(async () => expect((await left()).waiting).toEqual([]), 5_000);
    expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(31);
  });

  it("gets what was said only where it asks for it, as it is kept at the time of the call", async () => {
    targets = [aTarget(), aTarget({ name: "all", includesText: true })];
    texts["test:r1"] = { text: "hello", answer: "You said: hello" };
    start();
    await hooks.publish(aMessage("r1"));
    await hooks.publish(aMessage("erased"));
    await soon(() => expect(receiver.received).toHaveLength(4));
    const said = receiver.received.map(({ body }) => body.data).filter(({ run_id }) => run_id === "r1");
    expect(said).toEqual(
      expect.arrayContaining([{ run_id: "r1" }, { run_id: "r1", text: "hello", answer: "You said: hello" }]),
    );
    expect(receiver.received.filter(({ body }) => body.data.run_id === "erased")).toHaveLength(2);
    // Nothing of it is kept with what is on its way.
    expect(JSON.stringify(await store.vault.list({ prefix: "plain/hook", limit: 100 }))).not.toContain(
      "hello",
    );
  });

  it("hears of the same thing told twice by the same id", async () => {
    start();
    await hooks.publish(aMessage("r1"));
    await soon(() => expect(receiver.received).toHaveLength(1));
    clock.advance(1);
    await hooks.publish(aMessage("r1"));
    await soon(() => expect(receiver.received).toHaveLength(2));
    expect(receiver.received[0]?.id).toBe(receiver.received[1]?.id);
  });

  it("does not hear of what was taken back", async () => {
    const takeBack = await hooks.publish(aMessage("r1"));
    await takeBack();
    start();
    await hooks.publish(aMessage("r2"));
    await soon(() => expect(receiver.received).toHaveLength(1));
    expect(receiver.received[0]?.body.data).toEqual({ run_id: "r2" });
  });

  it("is told by the next one what the last one had begun to tell", async () => {
    const letGo = receiver.hold();
    const stop = start();
    await hooks.publish(aMessage("r1"));
    await soon(() => expect(receiver.received).toHaveLength(1));
    await stop();
    letGo();
    expect((await left()).waiting).toMatchObject([{ attempts: 0 }]);
    start();
    await soon(async () => expect((await left()).waiting).toEqual([]));
    expect(receiver.received.map(({ id }) => id)).toEqual([
      receiver.received[0]?.id,
      receiver.received[0]?.id,
    ]);
  });
});

describe("what is emitted", () => {
  it("is stored when the store is back", async () => {
    let isAway = true;
    const put: Deliveries["put"] = async (delivery) => {
      if (isAway) throw new Error("away");
      await deliveries.put(delivery);
    };
    const shared = { bus: store.bus, targets: () => targets, clock, log: silentLogger(), metrics };
    createPublisher({ deliveries: { ...deliveries, put }, ...shared }).emit(
      aMessage("b", { type: "budget.warning" }),
    );
    await passUntil(() => expect(clock.sleeping).toBe(1));
    isAway = false;
    await passUntil(async () => expect((await left()).waiting).toMatchObject([{ type: "budget.warning" }]));
  });
});

describe("what nobody will send", () => {
  it("goes: dead letters after their time, and what is for a hook that is gone", async () => {
    const tidy = () =>
      tidyHooks({ deliveries, targets: () => targets, deadMs: () => 1_000, metrics }, clock.nowMs());
    await hooks.publish(aMessage("r1"));
    const [waiting = expect.fail()] = (await left()).waiting;
    const died = { atMs: clock.nowMs(), cause: "no" };
    await deliveries.put({ ...waiting, id: "msg_dead", died });
    await deliveries.put({ ...waiting, id: "msg_stray", hook: "removed" });
    expect(await tidy()).toBe(0);
    expect(await countOf(metrics, "hookWaiting", { hook: "ops" })).toBe(1);
    expect(await countOf(metrics, "hookDead", { hook: "ops" })).toBe(1);
    clock.advance(1_001);
    expect(await tidy()).toBe(1);
    expect(await left()).toMatchObject({ waiting: [{ id: waiting.id }], dead: [] });
    clock.advance(86_400_000);
    expect(await tidy()).toBe(1);
    expect((await left("removed")).waiting).toEqual([]);
    expect((await left()).waiting).toHaveLength(1);
  });
});
