import { describe, expect, it } from "vitest";
import type { Retention } from "../../src/ports/retention.ts";
import { A_STOP } from "../support/event.ts";
import { aProgress, aTurn, HOUR_MS, type StoreBench } from "./store.ts";

const KEPT: Retention = { finishedMs: Infinity, deadMs: Infinity, turnsMs: Infinity };

/** What operators have done to the store now and then. */
export function upkeepContract(bench: StoreBench): void {
  const RETENTION: Retention = { finishedMs: HOUR_MS, deadMs: 10 * HOUR_MS, turnsMs: 2 * HOUR_MS };
  const upkeep = () => bench.store.upkeep;
  const seqOf = async (id: string) => (await bench.store.journal.find(id))?.seq ?? 0;
  const isThere = async (id: string) => (await bench.store.journal.find(id)) !== null;

  async function answered(id: string, conversation = "c1"): Promise<void> {
    await bench.acceptAll(conversation, id);
    const job = await bench.claimOne();
    await bench.store.queue.checkpoint(job, aProgress(id));
    await bench.store.outbox.reserve(job, `${id}/0`);
    await bench.done(job, [aTurn(`ask ${id}`), aTurn(`say ${id}`, "assistant")]);
  }

  /** One in each state that there is. */
  async function aLittleOfAll(): Promise<void> {
    await answered("a", "c1");
    await bench.acceptAll("c2", "dead");
    await bench.store.queue.settle(await bench.claimOne(), { kind: "dead", cause: "x" });
    for (const id of ["m1", "m2", "m3"]) await bench.accept({ id, conversation: "c3" }, { busy: "collect" });
    const job = await bench.claimOne();
    await bench.store.queue.join(job);
    await bench.done(job);
    await bench.acceptAll("c4", "running", "behind");
    await bench.claimOne();
    await bench.acceptAll("c5", "later");
    await bench.store.queue.settle(await bench.claimOne(), { kind: "retry", afterMs: HOUR_MS, cause: "x" });
    await bench.acceptAll("c6", "parked");
    const parked = await bench.claimOne();
    const untilMs = bench.clock.nowMs() + HOUR_MS;
    await bench.store.queue.settle(parked, { kind: "park", untilMs, progress: aProgress("x") });
    await bench.store.lanes.signal("c4", A_STOP);
    await bench.acceptAll("c7", "ready", "next");
  }

  describe("upkeep", () => {
    it("finds nothing wrong with what is kept, whatever stands there", async () => {
      expect(await upkeep().check()).toEqual({ findings: [], events: 0 });
      await aLittleOfAll();
      expect(await upkeep().check()).toEqual({ findings: [], events: 11 });
      await bench.kill();
      expect(await upkeep().check()).toEqual({ findings: [], events: 11 });
    });

    it("counts what is past its time, which a sweep then deletes", async () => {
      await aLittleOfAll();
      const none = { events: 0, letters: 0, turns: 0, conversations: 0 };
      expect(await upkeep().overdue(RETENTION)).toEqual(none);
      bench.clock.advance(HOUR_MS + 1);
      expect(await upkeep().overdue(RETENTION)).toEqual({ ...none, events: 4 });
      bench.clock.advance(HOUR_MS);
      expect(await upkeep().overdue(RETENTION)).toMatchObject({ events: 4, turns: 2 });
      bench.clock.advance(10 * HOUR_MS);
      expect(await upkeep().overdue(RETENTION)).toMatchObject({ events: 4, letters: 1, turns: 2 });
      expect(await upkeep().overdue(KEPT)).toEqual(none);
      await bench.store.sweep(RETENTION);
      expect(await upkeep().overdue(RETENTION)).toMatchObject({ events: 0, letters: 0, turns: 0 });
      for (const id of ["a", "m1", "m2", "dead"]) expect(await isThere(id)).toBe(false);
      for (const id of ["running", "behind", "later", "parked", "ready"])
        expect(await isThere(id)).toBe(true);
      expect(await upkeep().check()).toEqual({ findings: [], events: 6 });
    });

    it("gives back what deleted rows have left, and loses nothing of the others", async () => {
      const text = "x".repeat(20_000);
      for (let n = 0; n < 60; n++) await bench.accept({ id: `e${n}`, conversation: "c1", text });
      for (let n = 0; n < 59; n++) await bench.done(await bench.claimOne());
      bench.clock.advance(2 * HOUR_MS);
      await bench.store.sweep({ ...RETENTION, finishedMs: 0 });
      const vacuumed = await upkeep().vacuum();
      if (vacuumed !== null) {
        expect(vacuumed.bytesAfter).toBeLessThan(vacuumed.bytesBefore);
        expect(await upkeep().vacuum()).toMatchObject({ bytesBefore: vacuumed.bytesAfter });
      }
      await bench.reopen();
      expect((await bench.claimOne()).event.text).toBe(text);
      expect(await upkeep().check()).toEqual({ findings: [], events: 1 });
    });

    it("removes events that are over, with all of theirs; the same one that comes again is known", async () => {
      await aLittleOfAll();
      const ids = ["a", "dead", "running", "later", "ready"];
      const finished = await Promise.all(ids.map(async (id) => ({ seq: await seqOf(id), merged: [] })));
      expect(await upkeep().remove(finished)).toBe(2);
      for (const id of ["a", "dead"]) expect(await isThere(id)).toBe(false);
      for (const id of ["running", "later", "ready"]) expect(await isThere(id)).toBe(true);
      expect(await bench.accept({ id: "a" })).toEqual({ kind: "duplicate" });
      expect(await upkeep().check()).toEqual({ findings: [], events: 9 });
      await bench.reopen();
      expect(await upkeep().remove(finished)).toBe(0);
    });

    it("removes what was merged with it, and neither where one of them was not named", async () => {
      await aLittleOfAll();
      const [seq, m2, m3] = await Promise.all(["m1", "m2", "m3"].map(seqOf));
      if (seq === undefined || m2 === undefined || m3 === undefined) throw new Error("Expected numbers");
      expect(await upkeep().remove([{ seq, merged: [m2] }])).toBe(0);
      expect(await upkeep().remove([{ seq: m2, merged: [] }])).toBe(0);
      expect(await isThere("m1")).toBe(true);
      expect(await upkeep().remove([{ seq, merged: [m2, m3] }])).toBe(3);
      for (const id of ["m1", "m2", "m3"]) expect(await isThere(id)).toBe(false);
      expect(await upkeep().check()).toEqual({ findings: [], events: 8 });
    });

    it("leaves alone what was replayed since it was read", async () => {
      await answered("a");
      const finished = { seq: await seqOf("a"), merged: [] };
      await bench.store.archive.replay("a", { by: "ann", mode: "anew", states: ["done"] });
      await bench.done(await bench.claimOne());
      expect(await upkeep().remove([finished])).toBe(0);
      expect(await upkeep().remove([{ seq: await seqOf("a"), merged: [] }])).toBe(1);
    });
  });
}
