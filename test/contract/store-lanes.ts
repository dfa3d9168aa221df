import { describe, expect, it } from "vitest";
import type { Signal } from "../../src/domain/signal.ts";
import { SIGNAL_TOPIC, SIGNALS_MAX, signalMessage } from "../../src/ports/lanes.ts";
import type { Job } from "../../src/ports/queue.ts";
import { A_STOP } from "../support/event.ts";
import { aProgress, LEASE_MS, type StoreBench } from "./store.ts";

const bob = { id: "U2", name: "bob" };
const anInterrupt = (byEvent: string): Signal => ({ kind: "interrupt", byEvent });
const approved = { kind: "decide", approvalId: "apr_1", verdict: "approved", by: bob } as const;

/** Looking at a lane's oldest event, and saying something to it. */
export function lanesContract(bench: StoreBench): void {
  const stateOf = (lane: string) => bench.store.lanes.stateOf(lane);
  const tell = (lane: string, signal: Signal) => bench.store.lanes.signal(lane, signal);
  const stop = async (lane: string) => (await tell(lane, A_STOP)).state;
  const retry = (job: Job, afterMs: number) =>
    bench.store.queue.settle(job, { kind: "retry", afterMs, cause: "x" });

  /** The next so many messages on the topic of signals. */
  function heard(count = 1): Promise<string[]> {
    const messages: string[] = [];
    return new Promise((resolve) => {
      const leave = bench.store.bus.subscribe(SIGNAL_TOPIC, (message) => {
        if (messages.push(message) < count) return;
        leave();
        resolve(messages);
      });
    });
  }

  describe("the state of a lane", () => {
    it("follows its oldest event", async () => {
      expect(await stateOf("c1")).toBe("idle");
      await bench.acceptAll("c1", "a", "b");
      expect(await stateOf("c1")).toBe("waiting");
      const job = await bench.claimOne();
      expect(await stateOf("c1")).toBe("running");
      await retry(job, 1_000);
      expect(await stateOf("c1")).toBe("waiting");
      bench.clock.advance(1_000);
      await bench.done(await bench.claimOne());
      expect(await stateOf("c1")).toBe("waiting");
      await bench.store.queue.settle(await bench.claimOne(), { kind: "dead", cause: "x" });
      expect(await stateOf("c1")).toBe("idle");
    });

    it("is of that lane alone, and is the same after a restart", async () => {
      await bench.acceptAll("c1", "a");
      await bench.claimOne();
      await bench.acceptAll("c2", "b");
      await bench.accept({ id: "stop" }, { lane: "c1!control", kind: "command" });
      const states = async () => [await stateOf("c1"), await stateOf("c2"), await stateOf("c1!control")];
      expect(await states()).toEqual(["running", "waiting", "waiting"]);
      await bench.reopen();
      expect(await states()).toEqual(["waiting", "waiting", "waiting"]);
    });
  });

  describe("the head of a lane", () => {
    const headOf = (lane: string) => bench.store.lanes.head(lane);

    it("is its oldest event, with what was achieved and said of it", async () => {
      expect(await headOf("c1")).toBeNull();
      await bench.acceptAll("c1", "a", "b");
      expect(await headOf("c1")).toMatchObject({ event: { id: "a" }, progress: null, signals: [] });
      const job = await bench.claimOne();
      await bench.store.queue.checkpoint(job, aProgress("half"));
      await tell("c1", approved);
      await bench.reopen();
      const head = { event: job.event, progress: aProgress("half"), signals: [approved] };
      expect(await headOf("c1")).toEqual(head);
      await bench.done(await bench.claimOne());
      expect(await headOf("c1")).toMatchObject({ event: { id: "b" }, progress: null, signals: [] });
      expect(await headOf("c2")).toBeNull();
    });
  });

  describe("asking a lane to stop", () => {
    it("changes nothing where nothing is, nor for what comes later", async () => {
      expect(await stop("c1")).toBe("idle");
      await bench.acceptAll("c1", "a");
      expect(await bench.claimOne()).toMatchObject({ signals: [] });
    });

    it("marks the one that waits to begin, and none behind it", async () => {
      await bench.acceptAll("c1", "a", "b");
      await bench.acceptAll("c2", "c");
      expect(await stop("c1")).toBe("waiting");
      const marks = new Map<string, readonly Signal[]>();
      for (let jobs = await bench.claim(); jobs.length > 0; jobs = await bench.claim()) {
        for (const job of jobs) {
          marks.set(job.event.id, job.signals);
          await bench.done(job);
        }
      }
      expect(Object.fromEntries(marks)).toEqual({ a: [A_STOP], b: [], c: [] });
    });

    it("lets the one that waits for its next attempt be claimed at once", async () => {
      await bench.acceptAll("c1", "a", "b");
      await retry(await bench.claimOne(), 60_000);
      expect(await bench.claim()).toEqual([]);
      const ready = bench.store.queue.ready(AbortSignal.timeout(10_000));
      expect(await stop("c1")).toBe("waiting");
      await ready;
      const job = await bench.claimOne();
      expect(job).toMatchObject({ event: { id: "a" }, attempt: 2, failures: 1, signals: [A_STOP] });
      await bench.done(job);
      bench.clock.advance(60_000);
      const next = await bench.claimOne();
      expect(next).toMatchObject({ event: { id: "b" }, signals: [] });
      await bench.done(next);
      expect(await bench.claim()).toEqual([]);
    });

    it("keeps the delay of an event that is put back after that", async () => {
      await bench.acceptAll("c1", "a");
      await retry(await bench.claimOne(), 60_000);
      await stop("c1");
      await retry(await bench.claimOne(), 5_000);
      expect(await bench.claim()).toEqual([]);
      bench.clock.advance(4_999);
      expect(await bench.claim()).toEqual([]);
      bench.clock.advance(1);
      expect(await bench.claimOne()).toMatchObject({ signals: [A_STOP] });
    });

    it("tells the holder of the one that runs, which it keeps", async () => {
      await bench.acceptAll("c1", "a", "b");
      const job = await bench.claimOne();
      const word = heard();
      expect(await stop("c1")).toBe("running");
      expect(await word).toEqual([signalMessage("c1", A_STOP)]);
      expect(await bench.store.queue.extend(job, LEASE_MS)).toBe(true);
      expect(await bench.store.queue.settle(job, { kind: "done", outcome: "stopped", turns: [] })).toBe(true);
      expect(await bench.claimOne()).toMatchObject({ event: { id: "b" }, signals: [] });
    });

    it("tells a holder that did not hear it with the next extension", async () => {
      await bench.acceptAll("c1", "a");
      const job = await bench.claimOne();
      await stop("c1");
      const word = heard();
      expect(await bench.store.queue.extend(job, LEASE_MS)).toBe(true);
      expect(await word).toEqual([signalMessage("c1", A_STOP)]);
    });

    it("is found by the next holder when the one that runs is handed back", async () => {
      await bench.acceptAll("c1", "a");
      const job = await bench.claimOne();
      await stop("c1");
      await retry(job, 0);
      expect(await bench.claimOne()).toMatchObject({ signals: [A_STOP] });
    });

    it("is found by the next holder when the last one died, or lost its lease", async () => {
      await bench.acceptAll("c1", "a");
      await bench.claimOne();
      await stop("c1");
      bench.clock.advance(LEASE_MS);
      expect(await bench.claimOne()).toMatchObject({ attempt: 2, signals: [A_STOP] });
      await bench.kill();
      expect(await bench.claimOne()).toMatchObject({ attempt: 3, signals: [A_STOP] });
    });

    it("outlives the process, and may be asked twice", async () => {
      await bench.acceptAll("c1", "a");
      await stop("c1");
      await bench.reopen();
      expect(await stop("c1")).toBe("waiting");
      expect(await bench.claimOne()).toMatchObject({ attempt: 1, signals: [A_STOP] });
    });
  });

  describe("a signal", () => {
    it("is kept with those before it, in their order, until its event is settled for good", async () => {
      await bench.acceptAll("c1", "a", "b");
      const told = [anInterrupt("b"), approved, A_STOP];
      expect(await tell("c1", anInterrupt("b"))).toEqual({ state: "waiting", isKept: true });
      const job = await bench.claimOne();
      expect(job.signals).toEqual([anInterrupt("b")]);
      expect(await tell("c1", approved)).toEqual({ state: "running", isKept: true });
      expect(await tell("c1", A_STOP)).toEqual({ state: "running", isKept: true });
      await retry(job, 0);
      expect(await bench.claimOne()).toMatchObject({ event: { id: "a" }, signals: told });
      await bench.kill();
      const again = await bench.claimOne();
      expect(again).toMatchObject({ event: { id: "a" }, signals: told });
      await bench.done(again);
      expect(await bench.claimOne()).toMatchObject({ event: { id: "b" }, signals: [] });
    });

    it("is for nobody where nothing waits or runs", async () => {
      expect(await tell("c1", approved)).toEqual({ state: "idle", isKept: false });
      await bench.acceptAll("c1", "a");
      expect((await bench.claimOne()).signals).toEqual([]);
    });

    it("counts once: of two decisions on one question, the first", async () => {
      await bench.acceptAll("c1", "a");
      const denied: Signal = { ...approved, verdict: "denied", reason: "no" };
      const other: Signal = { ...denied, approvalId: "apr_2" };
      const said = await Promise.all([tell("c1", approved), tell("c1", denied), tell("c1", other)]);
      expect(said.map(({ isKept }) => isKept)).toEqual([true, false, true]);
      expect(await tell("c1", approved)).toEqual({ state: "waiting", isKept: true });
      expect(await tell("c1", { ...approved, by: { id: "U1", name: "ann" } })).toMatchObject({
        isKept: false,
      });
      expect((await bench.claimOne()).signals).toEqual([approved, other]);
    });

    it("wakes nobody who waits for the next attempt, but for a stop", async () => {
      await bench.acceptAll("c1", "a");
      await retry(await bench.claimOne(), 60_000);
      await tell("c1", approved);
      await tell("c1", anInterrupt("b"));
      expect(await bench.claim()).toEqual([]);
      await stop("c1");
      expect((await bench.claimOne()).signals).toEqual([approved, anInterrupt("b"), A_STOP]);
    });

    it("is one of so many at most, and a stop has room beside them", async () => {
      await bench.acceptAll("c1", "a");
      const many = Array.from({ length: SIGNALS_MAX }, (_, n) => anInterrupt(`e${n}`));
      for (const signal of many) expect(await tell("c1", signal)).toMatchObject({ isKept: true });
      expect(await tell("c1", anInterrupt("one more"))).toEqual({ state: "waiting", isKept: false });
      expect(await tell("c1", A_STOP)).toMatchObject({ isKept: true });
      expect((await bench.claimOne()).signals).toEqual([...many, A_STOP]);
    });

    it("reaches the holder as it is said, and once more with the next extension", async () => {
      await bench.acceptAll("c1", "a");
      const job = await bench.claimOne();
      const told = [approved, anInterrupt('"\n\ud800')];
      for (const signal of told) {
        const word = heard();
        await tell("c1", signal);
        expect(await word).toEqual([signalMessage("c1", signal)]);
      }
      const words = heard(2);
      expect(await bench.store.queue.extend(job, LEASE_MS)).toBe(true);
      expect(await words).toEqual(told.map((signal) => signalMessage("c1", signal)));
    });
  });
}
