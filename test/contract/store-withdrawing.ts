import { describe, expect, it } from "vitest";
import type { Job } from "../../src/ports/queue.ts";
import { A_STOP } from "../support/event.ts";
import { aProgress, aTurn, LEASE_MS, type StoreBench } from "./store.ts";

const turnsFor = (id: string) => [aTurn(`ask ${id}`), aTurn(`say ${id}`, "assistant")];

/** A message that whoever wrote it has taken back. */
export function withdrawingContract(bench: StoreBench): void {
  const withdraw = (id: string) => bench.store.memory.withdraw(id);
  const signalOf = (eventId: string) => ({ kind: "withdraw", eventId });
  const recalled = async (conversation = "c1") => {
    const turns = await bench.store.memory.recall(conversation, { turnsMax: 100, sinceMs: 0 });
    return turns.map(({ text }) => text);
  };
  const answer = async (id: string) => {
    await bench.accept({ id });
    await bench.done(await bench.claimOne(), turnsFor(id));
  };
  const merging = { agent: "assistant", busy: "collect" } as const;

  describe("a message that is taken back", () => {
    it("leaves memory with its answer, and nothing else does", async () => {
      for (const id of ["a", "b", "c"]) await answer(id);
      expect(await withdraw("b")).toBe("over");
      expect(await withdraw("b")).toBe("over");
      await bench.reopen();
      expect(await recalled()).toEqual(["ask a", "say a", "ask c", "say c"]);
    });

    it("is found by its id alone", async () => {
      await bench.accept({ id: "a", aliases: ["alias"] });
      expect(await withdraw("alias")).toBe("unknown");
      expect(await withdraw("nobody")).toBe("unknown");
      expect((await bench.claimOne()).signals).toEqual([]);
    });

    it("has its signal where it waits behind others, and no other has", async () => {
      await bench.acceptAll("c1", "a", "b", "c");
      expect(await withdraw("b")).toBe("live");
      expect(await withdraw("b")).toBe("live");
      await bench.reopen();
      const seen: unknown[] = [];
      for (let n = 0; n < 3; n++) {
        const job = await bench.claimOne();
        seen.push([job.event.id, job.signals]);
        await bench.done(job, turnsFor(job.event.id));
      }
      expect(seen).toEqual([
        ["a", []],
        ["b", [signalOf("b")]],
        ["c", []],
      ]);
      expect(await recalled()).toEqual(["ask a", "say a", "ask c", "say c"]);
    });

    it("is told to whoever runs it, and is not remembered however it ends", async () => {
      await bench.acceptAll("c1", "a");
      const job = await bench.claimOne();
      const told = new Promise((resolve) => {
        const leave = bench.store.bus.subscribe("signal", (message) => {
          leave();
          resolve(JSON.parse(message));
        });
      });
      expect(await withdraw("a")).toBe("live");
      expect(await told).toEqual(["c1", signalOf("a")]);
      expect(await bench.done(job, turnsFor("a"))).toBe(true);
      expect(await recalled()).toEqual([]);
    });

    it("is claimable at once where it was set aside, or waits to be tried again", async () => {
      await bench.acceptAll("c1", "a");
      const park = {
        kind: "park",
        untilMs: bench.clock.nowMs() + 60_000,
        progress: aProgress("half"),
      } as const;
      await bench.store.queue.settle(await bench.claimOne(), park);
      expect(await bench.claim()).toEqual([]);
      await withdraw("a");
      const job = await bench.claimOne();
      expect(job.signals).toEqual([signalOf("a")]);
      await bench.store.queue.settle(job, { kind: "retry", afterMs: 60_000, cause: "x" });
      expect(await bench.claim()).toEqual([]);
      await withdraw("a");
      expect((await bench.claimOne()).signals).toEqual([signalOf("a")]);
    });

    it("keeps what else was said to it", async () => {
      await bench.acceptAll("c1", "a");
      await bench.store.lanes.signal("c1", A_STOP);
      await withdraw("a");
      expect((await bench.claimOne()).signals).toEqual([A_STOP, signalOf("a")]);
    });

    it("is not joined to another, and what comes after it waits", async () => {
      for (const id of ["a", "b", "c"]) await bench.accept({ id }, merging);
      await withdraw("b");
      const job = await bench.claimOne();
      expect(await bench.store.queue.join(job)).toEqual([]);
      await bench.done(job);
      expect(await bench.claimOne()).toMatchObject({ event: { id: "b" }, signals: [signalOf("b")] });
    });

    it("takes what was answered together with it out of memory", async () => {
      const together = async (first: string, second: string): Promise<Job> => {
        for (const id of [first, second]) await bench.accept({ id }, merging);
        const job = await bench.claimOne();
        expect((await bench.store.queue.join(job)).map(({ id }) => id)).toEqual([second]);
        return job;
      };
      const one = await together("a", "b");
      expect(await withdraw("b")).toBe("live");
      await bench.done(one, turnsFor("a"));
      expect(await recalled()).toEqual([]);
      await bench.done(await together("c", "d"), turnsFor("c"));
      expect(await recalled()).toEqual(["ask c", "say c"]);
      expect(await withdraw("d")).toBe("over");
      expect(await recalled()).toEqual([]);
    });

    it("leaves what was answered together with it, but not the answer", async () => {
      for (const id of ["a", "b", "c"]) await bench.accept({ id }, merging);
      const job = await bench.claimOne();
      await bench.store.queue.join(job);
      const asked = ["a", "b", "c"].map((id) => ({ ...aTurn(`ask "${id}"`), event: id }));
      await bench.done(job, [...asked, aTurn("say all", "assistant")]);
      await answer("d");
      expect(await withdraw("b")).toBe("over");
      expect(await withdraw("b")).toBe("over");
      expect(await recalled()).toEqual(['ask "a"', 'ask "c"', "[removed]", "ask d", "say d"]);
      expect(await withdraw("a")).toBe("over");
      expect(await withdraw("c")).toBe("over");
      expect(await recalled()).toEqual(["ask d", "say d"]);
    });

    it("stays out of memory when its process dies", async () => {
      await bench.acceptAll("c1", "a");
      await bench.claimOne();
      await withdraw("a");
      await bench.kill();
      bench.clock.advance(LEASE_MS + 1);
      const job = await bench.claimOne();
      expect(job.signals).toEqual([signalOf("a")]);
      await bench.done(job, turnsFor("a"));
      expect(await recalled()).toEqual([]);
    });
  });
}
