import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SIGNAL_TOPIC, signalMessage } from "../../../src/ports/lanes.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { FakeClock } from "../../support/clock.ts";
import { A_STOP } from "../../support/event.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { isPending, LEASE_MS, openBench, type RedisBench } from "./bench.ts";

describe("two processes on one Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis({ fsync: "no" });
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  /** With a clock that stands still: nobody finds anything by looking now and then. */
  async function two(): Promise<readonly [RedisBench, RedisBench]> {
    const clock = new FakeClock();
    const one = await openBench(redis, { clock });
    return [one, await openBench(redis, { clock, prefix: one.prefix, owner: "two" })];
  }

  const ready = ({ store }: RedisBench) => store.queue.ready(AbortSignal.timeout(10_000));

  it("wake each other", async () => {
    const [one, other] = await two();
    const waiting = ready(other);
    await one.accept({ id: "a" });
    await waiting;
    expect(await other.claimOne()).toMatchObject({ event: { id: "a" } });
  });

  it("wake each other when a lane goes on", async () => {
    const [one, other] = await two();
    await one.accept({ id: "a" });
    await one.accept({ id: "b" });
    const job = await one.claimOne();
    expect(await other.claim()).toEqual([]);
    const waiting = ready(other);
    await one.done(job);
    await waiting;
    expect(await other.claimOne()).toMatchObject({ event: { id: "b" } });
  });

  it("are woken once by what one of them takes", async () => {
    const [one, other] = await two();
    const both = [ready(one), ready(other)];
    await one.accept({ id: "a" });
    await Promise.all(both);
    expect(await one.claim()).toHaveLength(1);
    expect(await other.claim()).toEqual([]);
    expect(await isPending(ready(one), one.store)).toBe(true);
    expect(await isPending(ready(other), other.store)).toBe(true);
  });

  it("never run one lane at the same time", async () => {
    const [one, other] = await two();
    for (const id of ["a", "b"]) await one.accept({ id });
    const [mine, theirs] = await Promise.all([one.claim(), other.claim()]);
    expect([...mine, ...theirs].map(({ event }) => event.id)).toEqual(["a"]);
  });

  it("hear what is said by either, itself included, in the order in which each said it", async () => {
    const [one, other] = await two();
    const heard: string[][] = [[], []];
    const all = [one, other].map(
      ({ store }, i) =>
        new Promise<void>((resolve) => {
          store.bus.subscribe("topic", (message) => {
            heard[i]?.push(message);
            if (message === "end\nof it") resolve();
          });
        }),
    );
    for (let i = 0; i < 5; i++) await one.store.bus.publish("topic", `${i}`);
    await one.store.bus.publish("another topic", "x");
    await one.store.bus.publish("topic", "end\nof it");
    await Promise.all(all);
    expect(heard).toEqual([1, 2].map(() => ["0", "1", "2", "3", "4", "end\nof it"]));
  });

  it("stop what the other runs", async () => {
    const [one, other] = await two();
    await one.accept({ id: "a" });
    const job = await other.claimOne();
    const heard = new Promise((resolve) => other.store.bus.subscribe(SIGNAL_TOPIC, resolve));
    expect(await one.store.lanes.signal("c1", A_STOP)).toEqual({ state: "running", isKept: true });
    expect(await heard).toBe(signalMessage("c1", A_STOP));
    expect(await other.done(job)).toBe(true);
  });

  it("find what the other closed in the middle of, at once", async () => {
    const [one, other] = await two();
    await one.accept({ id: "a" });
    await one.claimOne();
    const waiting = ready(other);
    await one.store[Symbol.asyncDispose]();
    await waiting;
    expect(await other.claimOne()).toMatchObject({ event: { id: "a" }, attempt: 2, crashes: 0 });
  });

  it("take over at once from an earlier one of the same name, and from no other", async () => {
    const [one, other] = await two();
    await one.accept({ id: "a", conversation: "c1" });
    const mine = await one.claimOne();
    await other.accept({ id: "b", conversation: "c2" });
    const theirs = await other.claimOne();
    const heir = await openBench(redis, { prefix: one.prefix, owner: "one" });
    expect(await heir.claimOne()).toMatchObject({ event: { id: "a" }, attempt: 2, crashes: 1 });
    expect(await one.done(mine)).toBe(false);
    expect(await other.done(theirs)).toBe(true);
  });

  describe("that find a part in doubt know whether its sender is gone", () => {
    const PART = "a/0";
    const clock = new FakeClock();
    const replica = (prefix: string, owner: string) => openBench(redis, { clock, prefix, owner });

    /** The first replica has reserved a part and is stopped, before or after it said it. */
    async function stopped() {
      const one = await openBench(redis, { clock });
      await one.accept({ id: "a" });
      const job = await one.claimOne();
      expect((await one.store.outbox.reserve(job, PART)).kind).toBe("fresh");
      return { one, job };
    }

    it("not when only its lease ran out, whoever follows after that", async () => {
      const { one } = await stopped();
      clock.advance(LEASE_MS);
      const two = await replica(one.prefix, "two");
      const second = await two.claimOne();
      const inDoubt = { kind: "in-doubt", isSenderGone: false };
      expect(await two.store.outbox.reserve(second, PART)).toMatchObject(inDoubt);
      await two.store[Symbol.asyncDispose]();
      const three = await replica(one.prefix, "three");
      const third = await three.claimOne();
      expect(await three.store.outbox.reserve(third, PART)).toMatchObject(inDoubt);
    });

    it("when it handed its claim back", async () => {
      const { one, job } = await stopped();
      await one.store.queue.settle(job, { kind: "retry", afterMs: 0, cause: "cut" });
      const two = await replica(one.prefix, "two");
      const next = await two.claimOne();
      expect(await two.store.outbox.reserve(next, PART)).toMatchObject({ isSenderGone: true });
    });

    it("when another has started under its name", async () => {
      const { one } = await stopped();
      const heir = await replica(one.prefix, "one");
      const next = await heir.claimOne();
      expect(await heir.store.outbox.reserve(next, PART)).toMatchObject({ isSenderGone: true });
    });

    it("when it was itself", async () => {
      const { one } = await stopped();
      clock.advance(LEASE_MS);
      const next = await one.claimOne();
      expect(await one.store.outbox.reserve(next, PART)).toMatchObject({ isSenderGone: true });
    });

    it("when nothing had been reserved by then", async () => {
      const one = await openBench(redis, { clock });
      await one.accept({ id: "a" });
      await one.claimOne();
      clock.advance(LEASE_MS);
      const two = await replica(one.prefix, "two");
      const second = await two.claimOne();
      await two.store.outbox.reserve(second, PART);
      expect(await two.store.outbox.reserve(second, PART)).toMatchObject({ isSenderGone: true });
    });
  });

  it("see leases end by the time of Redis, and not before", async () => {
    const options = { clock: systemClock, time: "server" } as const;
    const one = await openBench(redis, options);
    const other = await openBench(redis, { ...options, prefix: one.prefix, owner: "two" });
    await one.accept({ id: "a" });
    const startedAt = performance.now();
    const [job] = await one.store.queue.claim({ jobsMax: 1, leaseMs: 300 });
    expect(await other.claim()).toEqual([]);
    await ready(other);
    expect(await other.claimOne()).toMatchObject({ event: { id: "a" }, attempt: 2, crashes: 1 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(299);
    expect(job && (await one.store.queue.extend(job, LEASE_MS))).toBe(false);
  });

  it("see that a lease was extended", async () => {
    const options = { clock: systemClock, time: "server" } as const;
    const one = await openBench(redis, options);
    const other = await openBench(redis, { ...options, prefix: one.prefix, owner: "two" });
    await one.accept({ id: "a" });
    const [job] = await one.store.queue.claim({ jobsMax: 1, leaseMs: 300 });
    if (job === undefined) throw new Error("Expected a job");
    expect(await other.claim()).toEqual([]);
    expect(await one.store.queue.extend(job, LEASE_MS)).toBe(true);
    await ready(other);
    expect(await other.claim()).toEqual([]);
    expect(await one.done(job)).toBe(true);
  });
});
