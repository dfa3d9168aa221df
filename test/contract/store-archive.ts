import { describe, expect, it } from "vitest";
import type { ReplayRequest } from "../../src/ports/archive.ts";
import type { Job } from "../../src/ports/queue.ts";
import type { Store } from "../../src/ports/store.ts";
import { A_STOP } from "../support/event.ts";
import { aProgress, aRefusal, aTurn, HOUR_MS, LEASE_MS, type StoreBench } from "./store.ts";

const RESUME: ReplayRequest = { by: "ann", mode: "resume", states: ["dead"] };
const ANEW: ReplayRequest = { by: "bob", mode: "anew", states: ["done", "dropped", "dead"] };

/** Finished events, brought back or put away. */
export function archiveContract(bench: StoreBench): void {
  const replay = (id: string, request = RESUME) => bench.store.archive.replay(id, request);
  const find = async (id: string) => {
    const record = await bench.store.journal.find(id);
    if (record === null) throw new Error(`Expected a record of ${id}, got none`);
    return record;
  };
  const bury = (job: Job, cause = "gave up") => bench.store.queue.settle(job, { kind: "dead", cause });

  /** A dead letter whose answer was said up to its first part. */
  async function aDeadLetter(id: string, conversation = "c1"): Promise<void> {
    await bench.acceptAll(conversation, id);
    const job = await bench.claimOne();
    await bench.store.queue.checkpoint(job, aProgress("half"));
    await bench.store.outbox.reserve(job, `${id}/0`);
    await bench.store.outbox.record(`${id}/0`, { messageId: "m0", via: "test" });
    await bury(job);
  }

  describe("a replay", () => {
    it("that resumes has all attempts before it, and what was achieved and said", async () => {
      await bench.acceptAll("c1", "a");
      const cutOff = await bench.claimOne();
      await bench.kill();
      const failing = await bench.claimOne();
      expect(failing).toMatchObject({ attempt: 2, crashes: 1 });
      expect(await bench.store.queue.extend(cutOff, LEASE_MS)).toBe(false);
      await bench.store.queue.checkpoint(failing, aProgress("half"));
      await bench.store.outbox.reserve(failing, "a/0");
      await bench.store.outbox.record("a/0", { messageId: "m0", via: "test" });
      await bench.store.queue.settle(failing, { kind: "retry", afterMs: 0, cause: "x" });
      await bench.store.lanes.signal("c1", A_STOP);
      await bury(await bench.claimOne());
      const { event, acceptedAtMs } = await find("a");

      bench.clock.advance(1_000);
      expect(await replay("a")).toBe("queued");
      await bench.reopen();
      const job = await bench.claimOne();
      expect(job).toMatchObject({ event, lane: "c1", refusal: null, replay: 0, signals: [] });
      expect(job).toMatchObject({ attempt: 1, failures: 0, crashes: 0, progress: aProgress("half") });
      expect(job.acceptedAtMs).toBe(acceptedAtMs);
      expect(job.token).toBeGreaterThan(failing.token);
      expect(await bench.store.outbox.reserve(job, "a/0")).toMatchObject({ kind: "sent" });
      expect(await bench.store.outbox.reserve(job, "a/1")).toMatchObject({ kind: "fresh" });
      await bench.store.outbox.record("a/1", { messageId: "m1", via: "test" });
      expect(await bench.store.outbox.reserve(job, "a/1")).toMatchObject({ kind: "sent" });
      expect(await bench.done(job)).toBe(true);
      expect(await find("a")).toMatchObject({ state: "done", attempt: 1, cause: null, acceptedAtMs });
    });

    it("that begins anew has no progress, and counts", async () => {
      await aDeadLetter("a");
      for (const count of [1, 2]) {
        expect(await replay("a", ANEW)).toBe("queued");
        const job = await bench.claimOne();
        expect(job).toMatchObject({ attempt: 1, replay: count, progress: null });
        expect(await bench.store.outbox.reserve(job, `a/r${count}/0`)).toMatchObject({ kind: "fresh" });
        await bench.store.outbox.record(`a/r${count}/0`, { messageId: `m${count}`, via: "test" });
        await bench.store.queue.checkpoint(job, aProgress(`run ${count}`));
        await bench.done(job);
      }
      expect(await find("a")).toMatchObject({ state: "done", progress: aProgress("run 2") });
      expect(await replay("a", { ...RESUME, states: ["done"] })).toBe("queued");
      expect(await bench.claimOne()).toMatchObject({ replay: 2, progress: aProgress("run 2") });
    });

    it("takes its place at the end of its lane, and in memory", async () => {
      await aDeadLetter("a");
      await bench.acceptAll("c1", "b", "c");
      await bench.store.memory.forget("c1");
      expect(await replay("a", ANEW)).toBe("queued");
      await bench.acceptAll("c1", "d");
      for (const id of ["b", "c", "a", "d"]) {
        const job = await bench.claimOne();
        expect(job.event.id).toBe(id);
        await bench.done(job, [aTurn(id)]);
      }
      const turns = await bench.store.memory.recall("c1", { turnsMax: 9, sinceMs: 0 });
      expect(turns.map(({ text }) => text)).toEqual(["a", "d"]);
    });

    it("is waited for from then on, also after another attempt and by another process", async () => {
      await bench.acceptAll("c1", "a");
      const { acceptedAtMs, waitsSinceMs } = await bench.claimOne();
      expect([acceptedAtMs, waitsSinceMs]).toEqual([bench.clock.nowMs(), bench.clock.nowMs()]);
      await bench.kill();
      bench.clock.advance(HOUR_MS);
      const late = await bench.claimOne();
      expect(late).toMatchObject({ acceptedAtMs, waitsSinceMs });
      await bury(late);

      for (const mode of ["resume", "anew"] as const) {
        bench.clock.advance(24 * HOUR_MS);
        const replayedAtMs = bench.clock.nowMs();
        await replay("a", { ...RESUME, mode });
        expect(await bench.store.journal.stats()).toMatchObject({ oldestAcceptedAtMs: replayedAtMs });
        bench.clock.advance(1_000);
        await bench.reopen();
        const first = await bench.claimOne();
        expect(first).toMatchObject({ acceptedAtMs, waitsSinceMs: replayedAtMs });
        await bench.store.queue.settle(first, { kind: "defer", afterMs: 1_000, cause: "model away" });
        bench.clock.advance(1_000);
        await bench.reopen();
        const second = await bench.claimOne();
        expect(second).toMatchObject({ acceptedAtMs, waitsSinceMs: replayedAtMs });
        await bury(second);
        expect(await find("a")).toMatchObject({ acceptedAtMs });
      }
    });

    it("is found again after the process died in it", async () => {
      await aDeadLetter("a");
      await replay("a");
      await bench.claimOne();
      await bench.kill();
      expect(await bench.claimOne()).toMatchObject({ event: { id: "a" }, attempt: 2, crashes: 1 });
    });

    it("wakes those who wait for work", async () => {
      await aDeadLetter("a");
      const ready = bench.store.queue.ready(AbortSignal.timeout(10_000));
      await replay("a");
      await ready;
      expect(await bench.claimOne()).toMatchObject({ event: { id: "a" } });
    });

    it("is noted with who asked for it, how, and what the event had ended with", async () => {
      await aDeadLetter("a");
      const { seq } = await find("a");
      expect(await find("a")).toMatchObject({ replays: [] });
      bench.clock.advance(1_000);
      const firstAtMs = bench.clock.nowMs();
      await replay("a");
      const first = { atMs: firstAtMs, by: "ann", mode: "resume", cause: "gave up" };
      const waiting = await find("a");
      expect(waiting).toMatchObject({ state: "queued", attempt: 0, cause: null, replays: [first] });
      expect(waiting.seq).toBeGreaterThan(seq);
      await bench.done(await bench.claimOne());
      bench.clock.advance(1_000);
      await replay("a", ANEW);
      const second = { atMs: bench.clock.nowMs(), by: "bob", mode: "anew", cause: null };
      await bench.reopen();
      expect((await find("a")).replays).toEqual([first, second]);
    });

    it("leaves a redelivery a duplicate, by every key", async () => {
      await bench.accept({ id: "a", aliases: ["a1"] });
      await bench.accept({ id: "b", aliases: ["a1", "b1"] });
      await bury(await bench.claimOne());
      await replay("a");
      for (const id of ["a", "a1", "b1"]) expect(await bench.accept({ id })).toEqual({ kind: "duplicate" });
      expect(await bench.drain()).toEqual(["a"]);
      for (const id of ["a", "a1", "b1"]) expect(await bench.accept({ id })).toEqual({ kind: "duplicate" });
      expect(await find("a")).toMatchObject({ state: "done" });
    });

    it("of a refused event is run where it would have run, without its refusal", async () => {
      await bench.accept({ id: "a" }, { refusal: aRefusal() });
      const notice = await bench.claimOne();
      await bench.store.queue.settle(notice, { kind: "dropped", cause: "not_allowed" });
      await bench.acceptAll("c1", "b");
      expect(await replay("a", ANEW)).toBe("queued");
      const first = await bench.claimOne();
      expect(first).toMatchObject({ event: { id: "b" } });
      await bench.done(first);
      expect(await bench.claimOne()).toMatchObject({ event: { id: "a" }, lane: "c1", refusal: null });
    });

    it("of a command goes to the command's lane", async () => {
      await bench.accept({ id: "stop" }, { lane: "c1!control", kind: "command" });
      await bury(await bench.claimOne());
      await replay("stop");
      expect(await bench.claimOne()).toMatchObject({ lane: "c1!control", kind: "command" });
    });

    it("is refused for what is not there", async () => {
      expect(await replay("a")).toBe("unknown");
      await bench.accept({ id: "a", aliases: ["a1"] });
      await bury(await bench.claimOne());
      expect(await replay("a1")).toBe("unknown");
    });

    it("is refused for what waits or runs", async () => {
      await bench.acceptAll("c1", "a");
      expect(await replay("a", ANEW)).toBe("not-finished");
      const job = await bench.claimOne();
      expect(await replay("a", ANEW)).toBe("not-finished");
      await bench.store.queue.settle(job, { kind: "retry", afterMs: 1_000, cause: "x" });
      expect(await replay("a", ANEW)).toBe("not-finished");
      bench.clock.advance(1_000);
      expect(await bench.claimOne()).toMatchObject({ attempt: 2, replay: 0 });
    });

    it("is refused for an end that was not named", async () => {
      await bench.acceptAll("c1", "a");
      await bench.done(await bench.claimOne());
      expect(await replay("a")).toBe("wrong-state");
      expect(await find("a")).toMatchObject({ state: "done", replays: [] });
      await aDeadLetter("b");
      expect(await replay("b", { ...ANEW, states: ["done", "dropped"] })).toBe("wrong-state");
      expect(await bench.claim()).toEqual([]);
    });

    it("is refused for what was dropped without its text", async () => {
      await bench.accept({ id: "a" }, { refusal: aRefusal({ noticeWindowMs: 0 }) });
      expect(await replay("a", ANEW)).toBe("wrong-state");
      expect(await find("a")).toMatchObject({ state: "dropped" });
    });

    it("is refused when too much waits, in its lane or in all", async () => {
      await bench.reopenWith({ waitingPerLaneMax: 2, waitingMax: 3 });
      await aDeadLetter("a");
      await bench.acceptAll("c1", "b", "c");
      expect(await replay("a")).toBe("full");
      await bench.drain();
      await bench.acceptAll("c2", "d", "e");
      await bench.acceptAll("c3", "f");
      expect(await replay("a")).toBe("full");
      expect(await find("a")).toMatchObject({ state: "dead", cause: "gave up", replays: [] });
      await bench.drain();
      expect(await replay("a")).toBe("queued");
      expect(await bench.drain()).toEqual(["a"]);
    });

    it("of two at once is done once", async () => {
      await aDeadLetter("a");
      const answers = await Promise.all([replay("a"), replay("a", ANEW), replay("a")]);
      expect(answers.sort()).toEqual(["not-finished", "not-finished", "queued"]);
      expect((await find("a")).replays).toHaveLength(1);
      expect(await bench.drain()).toEqual(["a"]);
    });

    it("is of the event as it was read, and of none that was replayed since", async () => {
      await aDeadLetter("a");
      const { seq } = await find("a");
      expect(await replay("a", { ...RESUME, seq })).toBe("queued");
      await bury(await bench.claimOne());
      expect(await replay("a", { ...RESUME, seq })).toBe("changed");
      expect(await replay("a", { ...RESUME, seq: (await find("a")).seq })).toBe("queued");
      expect((await find("a")).replays).toHaveLength(2);
    });

    it("is swept like any event, with its keys", async () => {
      await bench.accept({ id: "a", aliases: ["a1"] });
      await bury(await bench.claimOne());
      bench.clock.advance(HOUR_MS);
      await replay("a", ANEW);
      const retention = { finishedMs: HOUR_MS, deadMs: HOUR_MS, turnsMs: HOUR_MS };
      await bench.store.sweep(retention);
      const job = await bench.claimOne();
      await bench.store.outbox.reserve(job, "a/r1/0");
      await bench.done(job);
      bench.clock.advance(HOUR_MS - 1);
      await bench.store.sweep(retention);
      expect(await find("a")).toMatchObject({ state: "done" });
      bench.clock.advance(1);
      expect(await bench.store.sweep(retention)).toBeGreaterThan(0);
      expect(await bench.store.journal.find("a")).toBeNull();
      expect(await bench.store.sweep(retention)).toBe(0);
      expect(await bench.accept({ id: "a1" })).toEqual({ kind: "accepted" });
      expect(await bench.accept({ id: "a" })).toEqual({ kind: "accepted" });
    });
  });

  describe("dropping a dead letter", () => {
    it("makes it dropped, with who did it as the cause", async () => {
      await aDeadLetter("a");
      bench.clock.advance(1_000);
      expect(await bench.store.archive.drop("a", "ann")).toBe(true);
      expect(await find("a")).toMatchObject({
        state: "dropped",
        cause: expect.stringContaining("ann"),
        updatedAtMs: bench.clock.nowMs(),
      });
      expect(await bench.store.journal.list({ state: "dead", limit: 9 })).toEqual([]);
      expect(await bench.store.journal.stats()).toMatchObject({ dead: 0 });
      expect(await bench.store.archive.drop("a", "bob")).toBe(false);
      expect(await bench.accept({ id: "a" })).toEqual({ kind: "duplicate" });
    });

    it("is refused for what is none", async () => {
      expect(await bench.store.archive.drop("a", "ann")).toBe(false);
      await bench.acceptAll("c1", "a");
      expect(await bench.store.archive.drop("a", "ann")).toBe(false);
      await bench.done(await bench.claimOne());
      expect(await bench.store.archive.drop("a", "ann")).toBe(false);
      expect(await find("a")).toMatchObject({ state: "done", cause: null });
    });

    it("can be undone by a replay that says so", async () => {
      await aDeadLetter("a");
      await bench.store.archive.drop("a", "ann");
      expect(await replay("a")).toBe("wrong-state");
      expect(await replay("a", { ...RESUME, states: ["dropped"] })).toBe("queued");
      expect(await bench.claimOne()).toMatchObject({ progress: aProgress("half"), replay: 0 });
    });
  });

  describe("the list of events", () => {
    type Filter = Omit<Parameters<Store["journal"]["list"]>[0], "limit">;

    /** All pages, each of two. */
    async function pages(filter: Filter): Promise<string[]> {
      const pages: string[] = [];
      for (let beforeSeq: number | undefined; ; ) {
        const place = beforeSeq === undefined ? {} : { beforeSeq };
        const page = await bench.store.journal.list({ ...filter, ...place, limit: 2 });
        const last = page.at(-1);
        if (last === undefined) return pages;
        beforeSeq = last.seq;
        pages.push(page.map(({ id }) => id).join());
      }
    }

    it("is turned page by page, newest first, whole or by state", async () => {
      for (const id of ["a", "b", "c", "d", "e", "f"]) await bench.acceptAll(`conversation ${id}`, id);
      const jobs = await bench.claim(5);
      const [a, b, c, d] = jobs;
      if (!a || !b || !c || !d) throw new Error("Expected five jobs");
      for (const job of [a, b, c]) await bury(job);
      await bench.store.queue.settle(d, { kind: "retry", afterMs: 1_000, cause: "x" });
      expect(await pages({})).toEqual(["f,e", "d,c", "b,a"]);
      expect(await pages({ state: "dead" })).toEqual(["c,b", "a"]);
      expect(await pages({ state: "running" })).toEqual(["e"]);
      expect(await pages({ state: "retrying" })).toEqual(["d"]);
      expect(await pages({ state: "done" })).toEqual([]);
      await bench.acceptAll("another", "g", "h");
      expect(await pages({ state: "queued" })).toEqual(["h,g", "f"]);
    });

    it("has a replayed event in its new place", async () => {
      for (const id of ["a", "b", "c"]) await aDeadLetter(id);
      await replay("a");
      expect(await pages({})).toEqual(["a,c", "b"]);
      await bench.reopen();
      expect(await pages({})).toEqual(["a,c", "b"]);
      const seqs = (await bench.store.journal.list({ limit: 9 })).map(({ seq }) => seq);
      expect(seqs).toEqual([...seqs].sort((one, other) => other - one));
    });
  });
}
