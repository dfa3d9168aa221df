import { describe, expect, it } from "vitest";
import type { Signal } from "../../src/domain/signal.ts";
import type { Job } from "../../src/ports/queue.ts";
import { A_STOP } from "../support/event.ts";
import { aProgress, HOUR_MS, LEASE_MS, type StoreBench } from "./store.ts";

const UNTIL_MS = 10_000;
const ASKED = aProgress("asked");
const decision = (approvalId = "apr_1") =>
  ({ kind: "decide", approvalId, verdict: "approved", by: { id: "U2", name: "bob" } }) satisfies Signal;

/** Events that wait for a person, or for a time. */
export function parkingContract(bench: StoreBench): void {
  const park = (job: Job, afterMs = UNTIL_MS) =>
    bench.store.queue.settle(job, { kind: "park", untilMs: bench.clock.nowMs() + afterMs, progress: ASKED });
  const tell = (signal: Signal, lane = "c1") => bench.store.lanes.signal(lane, signal);
  const stateOf = async (id: string) => (await bench.store.journal.find(id))?.state;

  /** Event a of lane c1, with b behind it. */
  async function parked(): Promise<void> {
    await bench.acceptAll("c1", "a", "b");
    expect(await park(await bench.claimOne())).toBe(true);
  }

  describe("an event that is parked", () => {
    it("holds its lane, and only that, until its time to the millisecond, and uses up no attempt", async () => {
      await parked();
      await bench.acceptAll("c2", "x");
      await bench.done(await bench.claimOne());
      bench.clock.advance(UNTIL_MS - 1);
      expect(await bench.claim()).toEqual([]);
      bench.clock.advance(1);
      const again = await bench.claimOne();
      expect(again).toMatchObject({
        event: { id: "a" },
        attempt: 1,
        failures: 0,
        cutOffs: 0,
        progress: ASKED,
      });
      await bench.done(again);
      expect(await bench.drain()).toEqual(["b"]);
    });

    it("is shown as such, and so is its lane", async () => {
      await parked();
      expect(await bench.store.journal.find("a")).toMatchObject({
        state: "parked",
        attempt: 0,
        cause: null,
        progress: ASKED,
      });
      expect(await bench.store.lanes.stateOf("c1")).toBe("parked");
      const listed = await bench.store.journal.list({ state: "parked", limit: 9 });
      expect(listed.map(({ id }) => id)).toEqual(["a"]);
      const queued = await bench.store.journal.list({ state: "queued", limit: 9 });
      expect(queued.map(({ id }) => id)).toEqual(["b"]);
      expect(await bench.store.journal.stats()).toMatchObject({
        queued: 1,
        parked: 1,
        running: 0,
        retrying: 0,
      });
    });

    it("is not counted as the oldest that waits, nor is what waits behind it", async () => {
      await parked();
      expect(await bench.store.journal.stats()).toMatchObject({ oldestAcceptedAtMs: null });
      bench.clock.advance(1_000);
      await bench.acceptAll("c2", "x");
      const oldestAcceptedAtMs = bench.clock.nowMs();
      expect(await bench.store.journal.stats()).toMatchObject({ oldestAcceptedAtMs });
      await tell(decision());
      expect(await bench.store.journal.stats()).toMatchObject({
        oldestAcceptedAtMs: oldestAcceptedAtMs - 1_000,
      });
    });

    it("stays so over a restart, and its time goes on", async () => {
      await parked();
      bench.clock.advance(4_000);
      await bench.reopen();
      expect(await stateOf("a")).toBe("parked");
      expect(await bench.store.lanes.stateOf("c1")).toBe("parked");
      bench.clock.advance(UNTIL_MS - 4_001);
      expect(await bench.claim()).toEqual([]);
      await bench.kill();
      bench.clock.advance(1);
      expect(await bench.claimOne()).toMatchObject({ event: { id: "a" }, attempt: 1, crashes: 0 });
      expect(await stateOf("a")).toBe("running");
    });

    it("counts as waiting: there is room for so many", async () => {
      await bench.reopenWith({ waitingPerLaneMax: 2, waitingMax: 3 });
      await parked();
      expect(await bench.accept({ id: "c" })).toEqual({ kind: "full" });
      await bench.acceptAll("c2", "x");
      expect(await bench.accept({ id: "y", conversation: "c3" })).toEqual({ kind: "full" });
    });

    it("is neither swept nor replayed, dropped or accepted again", async () => {
      await parked();
      bench.clock.advance(UNTIL_MS / 2);
      await bench.store.sweep({ finishedMs: 0, deadMs: 0, turnsMs: 0 });
      const request = { by: "ann", mode: "resume", states: ["done", "dropped", "dead"] } as const;
      expect(await bench.store.archive.replay("a", request)).toBe("not-finished");
      expect(await bench.store.archive.drop("a", "ann")).toBe(false);
      expect(await bench.accept({ id: "a" })).toEqual({ kind: "duplicate" });
      expect(await stateOf("a")).toBe("parked");
      bench.clock.advance(UNTIL_MS);
      expect(await bench.claimOne()).toMatchObject({ event: { id: "a" }, progress: ASKED });
    });

    it("keeps what was said of it, and forgets nothing of its attempts", async () => {
      await bench.acceptAll("c1", "a");
      await bench.store.queue.settle(await bench.claimOne(), { kind: "retry", afterMs: 0, cause: "x" });
      const job = await bench.claimOne();
      await bench.store.outbox.reserve(job, "a/ask/1");
      await bench.store.outbox.record("a/ask/1", { messageId: "m1", via: "test" });
      await park(job);
      expect(await stateOf("a")).toBe("parked");
      await tell(decision());
      const again = await bench.claimOne();
      expect(again).toMatchObject({ attempt: 2, failures: 1, cutOffs: 0 });
      expect(again.token).toBeGreaterThan(job.token);
      expect(await bench.store.outbox.reserve(again, "a/ask/1")).toMatchObject({ kind: "sent" });
    });

    it("is out of reach of the claim that parked it", async () => {
      await bench.acceptAll("c1", "a");
      const job = await bench.claimOne();
      await park(job);
      expect(await bench.store.queue.extend(job, LEASE_MS)).toBe(false);
      expect(await bench.store.queue.checkpoint(job, aProgress("late"))).toBe(false);
      expect(await bench.done(job)).toBe(false);
      expect(await park(job, HOUR_MS)).toBe(false);
      expect(await bench.store.journal.find("a")).toMatchObject({ state: "parked", progress: ASKED });
    });

    it("is not parked by a claim that has lost its lease", async () => {
      await bench.acceptAll("c1", "a");
      const lost = await bench.claimOne();
      bench.clock.advance(LEASE_MS);
      await bench.claimOne();
      expect(await park(lost)).toBe(false);
      expect(await bench.store.journal.find("a")).toMatchObject({ state: "running", progress: null });
    });

    it("goes on at once when its time is over already", async () => {
      await bench.acceptAll("c1", "a");
      await park(await bench.claimOne(), 0);
      expect(await stateOf("a")).toBe("queued");
      expect(await bench.claimOne()).toMatchObject({ attempt: 1, progress: ASKED });
    });

    it("may be parked again and again", async () => {
      await parked();
      for (let round = 0; round < 3; round++) {
        bench.clock.advance(UNTIL_MS);
        const job = await bench.claimOne();
        expect(job).toMatchObject({ event: { id: "a" }, attempt: 1 });
        await park(job);
        expect(await bench.claim()).toEqual([]);
      }
    });
  });

  describe("a signal to an event that is parked", () => {
    it.each<[string, Signal]>([
      ["a decision", decision()],
      ["an interruption", { kind: "interrupt", byEvent: "b" }],
      ["a stop", A_STOP],
    ])("that is %s makes it claimable at once, and wakes who waits for work", async (_, signal) => {
      await parked();
      expect(await bench.claim()).toEqual([]);
      const ready = bench.store.queue.ready(AbortSignal.timeout(10_000));
      expect(await tell(signal)).toEqual({ state: "parked", isKept: true });
      await ready;
      expect(await stateOf("a")).toBe("queued");
      expect(await bench.store.lanes.stateOf("c1")).toBe("waiting");
      const job = await bench.claimOne();
      expect(job).toMatchObject({ event: { id: "a" }, attempt: 1, signals: [signal] });
      await bench.done(job);
      bench.clock.advance(UNTIL_MS);
      expect(await bench.drain()).toEqual(["b"]);
    });

    it("is as good as one that came over a restart before", async () => {
      await parked();
      await tell(decision());
      await bench.kill();
      expect(await bench.claimOne()).toMatchObject({ event: { id: "a" }, signals: [decision()] });
    });

    it("that came while it ran, and after its claim, makes it claimable at once", async () => {
      await bench.acceptAll("c1", "a");
      await tell(decision("apr_0"));
      const job = await bench.claimOne();
      await tell(decision("apr_1"));
      await park(job);
      expect(await stateOf("a")).toBe("queued");
      const again = await bench.claimOne();
      expect(again.signals).toEqual([decision("apr_1")]);
      await park(again);
      expect(await stateOf("a")).toBe("parked");
      expect(await bench.claim()).toEqual([]);
      bench.clock.advance(UNTIL_MS);
      expect((await bench.claimOne()).signals).toEqual([]);
    });

    it("is over with the claim that it came with, once that parks; so that there is room for any number", async () => {
      await parked();
      for (let n = 0; n < 100; n++) {
        expect(await tell(decision(`apr_${n}`))).toEqual({ state: "parked", isKept: true });
        const job = await bench.claimOne();
        expect(job.signals).toEqual([decision(`apr_${n}`)]);
        await park(job);
      }
    });

    it("is not over while it only failed, or was cut off", async () => {
      await parked();
      await tell(decision());
      await bench.store.queue.settle(await bench.claimOne(), { kind: "retry", afterMs: 0, cause: "x" });
      await bench.claimOne();
      await bench.kill();
      expect((await bench.claimOne()).signals).toEqual([decision()]);
    });

    it("is never over when it is a stop", async () => {
      await parked();
      await tell(A_STOP);
      await park(await bench.claimOne());
      const again = await bench.claimOne();
      expect(again).toMatchObject({ event: { id: "a" }, signals: [A_STOP] });
      await bench.done(again);
      expect(await bench.claimOne()).toMatchObject({ event: { id: "b" }, signals: [] });
    });
  });
}
