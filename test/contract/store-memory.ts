import { describe, expect, it } from "vitest";
import type { Job } from "../../src/ports/queue.ts";
import { aTurn, HOUR_MS, type StoreBench } from "./store.ts";

const TEAM = "slack:T1:C1";

/** A memory that several conversations share: of a channel, or of a person. */
export function sharedMemoryContract(bench: StoreBench): void {
  const recalled = async (key: string) => {
    const turns = await bench.store.memory.recall(key, { turnsMax: 100, sinceMs: 0 });
    return turns.map(({ text }) => text);
  };
  const end = (job: Job, memory: string | undefined, ...texts: string[]) =>
    bench.store.queue.settle(job, {
      kind: "done",
      outcome: "answered",
      turns: texts.map((text) => ({ ...aTurn(text), atMs: bench.clock.nowMs() })),
      ...(memory !== undefined && { memory }),
    });
  const inThread = (thread: string, id: string) =>
    bench.accept({ id, conversation: `${TEAM}:${thread}`, platform: "slack", tenant: "T1", place: "C1" });
  const answer = async (thread: string, id: string) => {
    await inThread(thread, id);
    await end(await bench.claimOne(), TEAM, `ask ${id}`, `say ${id}`);
  };

  describe("a memory that conversations share", () => {
    it("has all that their runs end with, whichever ends first, and their own have nothing", async () => {
      await inThread("1", "a");
      await inThread("2", "b");
      const [first, second] = await bench.claim(2);
      if (first === undefined || second === undefined) throw new Error("Expected two jobs");
      await Promise.all([end(second, TEAM, "b1", "b2"), end(first, TEAM, "a1", "a2")]);
      await bench.reopen();
      expect((await recalled(TEAM)).toSorted()).toEqual(["a1", "a2", "b1", "b2"]);
      const texts = (await recalled(TEAM)).join(" ");
      expect(texts.includes("a1 a2") && texts.includes("b1 b2")).toBe(true);
      expect(await recalled(`${TEAM}:1`)).toEqual([]);
    });

    it("is forgotten up to an event of any of them, also what runs in another", async () => {
      await answer("1", "a");
      await inThread("2", "running");
      const running = await bench.claimOne();
      await inThread("1", "reset");
      await bench.store.memory.forget(TEAM, "reset");
      expect(await recalled(TEAM)).toEqual([]);
      await end(running, TEAM, "too late");
      await end(await bench.claimOne(), undefined);
      await bench.reopen();
      await answer("3", "new");
      expect(await recalled(TEAM)).toEqual(["ask new", "say new"]);
    });

    it("loses what is taken back, and nothing else", async () => {
      for (const [thread, id] of [
        ["1", "a"],
        ["2", "b"],
        ["1", "c"],
      ] as const)
        await answer(thread, id);
      expect(await bench.store.memory.withdraw("b")).toBe("over");
      expect(await recalled(TEAM)).toEqual(["ask a", "say a", "ask c", "say c"]);
    });

    it("is swept by its time, and what was forgotten lately stays so", async () => {
      await answer("1", "a");
      await bench.store.memory.forget(TEAM);
      bench.clock.advance(9 * HOUR_MS);
      await inThread("2", "slow");
      await bench.store.memory.forget(TEAM, "slow");
      const slow = await bench.claimOne();
      await bench.store.sweep({ finishedMs: HOUR_MS, deadMs: HOUR_MS, turnsMs: HOUR_MS });
      await end(slow, TEAM, "too late");
      expect(await recalled(TEAM)).toEqual([]);
    });
  });
}
