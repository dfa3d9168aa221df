import { describe, expect, it } from "vitest";
import { STOP_TOPIC } from "../../src/ports/lanes.ts";
import type { Job } from "../../src/ports/queue.ts";
import { LEASE_MS, type StoreBench } from "./store.ts";

/** Looking at a lane's oldest event, and asking for its end. */
export function lanesContract(bench: StoreBench): void {
  const stateOf = (lane: string) => bench.store.lanes.stateOf(lane);
  const stop = (lane: string) => bench.store.lanes.stop(lane);
  const retry = (job: Job, afterMs: number) =>
    bench.store.queue.settle(job, { kind: "retry", afterMs, cause: "x" });

  /** The next message on the topic of stops. */
  function heardStop(): Promise<string> {
    return new Promise((resolve) => {
      const leave = bench.store.bus.subscribe(STOP_TOPIC, (lane) => {
        leave();
        resolve(lane);
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
      await bench.accept({ id: "stop" }, { lane: "c1!control" });
      const states = async () => [await stateOf("c1"), await stateOf("c2"), await stateOf("c1!control")];
      expect(await states()).toEqual(["running", "waiting", "waiting"]);
      await bench.reopen();
      expect(await states()).toEqual(["waiting", "waiting", "waiting"]);
    });
  });

  describe("asking a lane to stop", () => {
    it("changes nothing where nothing is, nor for what comes later", async () => {
      expect(await stop("c1")).toBe("idle");
      await bench.acceptAll("c1", "a");
      expect(await bench.claimOne()).toMatchObject({ stopRequested: false });
    });

    it("marks the one that waits to begin, and none behind it", async () => {
      await bench.acceptAll("c1", "a", "b");
      await bench.acceptAll("c2", "c");
      expect(await stop("c1")).toBe("waiting");
      const marks = new Map<string, boolean>();
      for (let jobs = await bench.claim(); jobs.length > 0; jobs = await bench.claim()) {
        for (const job of jobs) {
          marks.set(job.event.id, job.stopRequested);
          await bench.done(job);
        }
      }
      expect(Object.fromEntries(marks)).toEqual({ a: true, b: false, c: false });
    });

    it("lets the one that waits for its next attempt be claimed at once", async () => {
      await bench.acceptAll("c1", "a", "b");
      await retry(await bench.claimOne(), 60_000);
      expect(await bench.claim()).toEqual([]);
      const ready = bench.store.queue.ready(AbortSignal.timeout(10_000));
      expect(await stop("c1")).toBe("waiting");
      await ready;
      const job = await bench.claimOne();
      expect(job).toMatchObject({ event: { id: "a" }, attempt: 2, failures: 1, stopRequested: true });
      await bench.done(job);
      bench.clock.advance(60_000);
      const next = await bench.claimOne();
      expect(next).toMatchObject({ event: { id: "b" }, stopRequested: false });
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
      expect(await bench.claimOne()).toMatchObject({ stopRequested: true });
    });

    it("tells the holder of the one that runs, which it keeps", async () => {
      await bench.acceptAll("c1", "a", "b");
      const job = await bench.claimOne();
      const heard = heardStop();
      expect(await stop("c1")).toBe("running");
      expect(await heard).toBe("c1");
      expect(await bench.store.queue.extend(job, LEASE_MS)).toBe(true);
      expect(await bench.store.queue.settle(job, { kind: "done", outcome: "stopped", turns: [] })).toBe(true);
      expect(await bench.claimOne()).toMatchObject({ event: { id: "b" }, stopRequested: false });
    });

    it("tells a holder that did not hear it with the next extension", async () => {
      await bench.acceptAll("c1", "a");
      const job = await bench.claimOne();
      await stop("c1");
      const heard = heardStop();
      expect(await bench.store.queue.extend(job, LEASE_MS)).toBe(true);
      expect(await heard).toBe("c1");
    });

    it("is found by the next holder when the one that runs is handed back", async () => {
      await bench.acceptAll("c1", "a");
      const job = await bench.claimOne();
      await stop("c1");
      await retry(job, 0);
      expect(await bench.claimOne()).toMatchObject({ stopRequested: true });
    });

    it("is found by the next holder when the last one died, or lost its lease", async () => {
      await bench.acceptAll("c1", "a");
      await bench.claimOne();
      await stop("c1");
      bench.clock.advance(LEASE_MS);
      expect(await bench.claimOne()).toMatchObject({ attempt: 2, stopRequested: true });
      await bench.kill();
      expect(await bench.claimOne()).toMatchObject({ attempt: 3, stopRequested: true });
    });

    it("outlives the process, and may be asked twice", async () => {
      await bench.acceptAll("c1", "a");
      await stop("c1");
      await bench.reopen();
      expect(await stop("c1")).toBe("waiting");
      expect(await bench.claimOne()).toMatchObject({ attempt: 1, stopRequested: true });
    });
  });
}
