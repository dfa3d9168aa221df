import { describe, expect, it } from "vitest";
import type { Turn } from "../../src/domain/run.ts";
import { condensed, countedIn } from "../../src/domain/summary.ts";
import { aTurn, HOUR_MS, type StoreBench } from "./store.ts";

/** A turn that stands for older ones, and goes when one of them does. */
export function summariesContract(bench: StoreBench): void {
  const recalled = (key = "c1") => bench.store.memory.recall(key, { turnsMax: 100, sinceMs: 0 });
  const texts = async (key?: string) => (await recalled(key)).map(({ text }) => text);
  const shown = async (key?: string) => {
    const { summary, turns } = condensed(await recalled(key));
    return [...(summary === null ? [] : [`<${summary.text}>`]), ...turns.map(({ text }) => text)];
  };
  const said = (id: string): Turn[] => [
    { ...aTurn(`ask ${id}`), name: "Ann", atMs: bench.clock.nowMs() },
    { ...aTurn(`say ${id}`, "assistant"), atMs: bench.clock.nowMs() },
  ];
  const answer = async (id: string, ...more: readonly Turn[]) => {
    await bench.accept({ id });
    const job = (await bench.claim()).find(({ event }) => event.id === id);
    if (job === undefined) throw new Error("Expected a job, got none");
    expect(await bench.done(job, [...more, ...said(id)])).toBe(true);
  };
  /** Of all that is recalled but the newest so many events. */
  const summaryOf = async (text: string, keep = 0): Promise<Turn> => {
    const turns = (await recalled()).filter(({ role }) => role !== "summary");
    const all = [...new Set(turns.flatMap(({ stored }) => stored?.[0] ?? []))];
    const places = all.slice(0, all.length - keep);
    const { turns: number, size } = countedIn(turns, places);
    const atMs = turns[0]?.atMs ?? 0;
    const covers = { from: places[0] ?? 0, places, turns: number, size, by: ["u1"] };
    return { role: "summary", name: null, text, atMs, covers };
  };

  describe("a summary of older turns", () => {
    it("stands for them, and lasts; the next one stands for it as well", async () => {
      for (const id of ["a", "b", "c"]) await answer(id);
      await answer("d", await summaryOf("a and b", 1));
      expect(await shown()).toEqual(["<a and b>", "ask c", "say c", "ask d", "say d"]);
      await bench.reopen();
      await answer("e", await summaryOf("a to c", 1));
      expect(await shown()).toEqual(["<a to c>", "ask d", "say d", "ask e", "say e"]);
    });

    it("comes with a claim, as what it is of does", async () => {
      await answer("a");
      await answer("b", await summaryOf("a"));
      await bench.accept({ id: "c" });
      const recall = { turnsMax: 100, sinceMs: 0 };
      const [job] = await bench.store.queue.claim({ jobsMax: 1, leaseMs: HOUR_MS, recall });
      expect(condensed(job?.recalled?.turns ?? [])).toMatchObject({
        summary: { text: "a" },
        turns: [{ text: "ask b" }, { text: "say b" }],
      });
    });

    it("goes with a message that is taken back, if it is of that", async () => {
      for (const id of ["a", "b", "c"]) await answer(id);
      await answer("d", await summaryOf("a and b", 1));
      expect(await bench.store.memory.withdraw("c")).toBe("over");
      expect(await shown()).toEqual(["<a and b>", "ask d", "say d"]);
      expect(await bench.store.memory.withdraw("a")).toBe("over");
      expect(await texts()).toEqual(["ask b", "say b", "ask d", "say d"]);
      await bench.reopen();
      expect(await texts()).toEqual(["ask b", "say b", "ask d", "say d"]);
    });

    it("is of what was trimmed since as well", async () => {
      for (const id of ["a", "b", "c"]) await answer(id);
      const summary = await summaryOf("a to c");
      const { covers } = summary;
      if (covers === undefined) throw new Error("Expected what it covers");
      const { turns: number, size } = countedIn(await recalled(), covers.places.slice(1));
      await answer("d", {
        ...summary,
        covers: { ...covers, places: covers.places.slice(1), turns: number, size },
      });
      expect(await shown()).toEqual(["<a to c>", "ask d", "say d"]);
      await bench.store.memory.withdraw("a");
      expect(await texts()).toEqual(["ask b", "say b", "ask c", "say c", "ask d", "say d"]);
    });

    it("goes with what is forgotten, and what came after that stays", async () => {
      await answer("a");
      await bench.accept({ id: "reset", conversation: "c2" });
      await answer("b", await summaryOf("a"));
      await bench.store.memory.forget("c1", "reset");
      expect(await texts()).toEqual(["ask b", "say b"]);
      await bench.reopen();
      expect(await texts()).toEqual(["ask b", "say b"]);
    });

    it.each([
      ["taken back", () => bench.store.memory.withdraw("a"), ["ask b", "say b"]],
      ["forgotten", () => bench.store.memory.forget("c1", "b"), []],
    ] as const)("is not remembered where what it is of was %s while it was made", async (_, undo, left) => {
      for (const id of ["a", "b"]) await answer(id);
      const summary = await summaryOf("a and b");
      await undo();
      await answer("c", summary);
      expect(await texts()).toEqual([...left, "ask c", "say c"]);
    });

    it("is not remembered where something of it was replaced while it was made", async () => {
      await answer("a");
      const summary = await summaryOf("a");
      const { found } = await bench.store.records.search({ shelf: "turns", words: ["ask a"] });
      for (const kept of found)
        expect(
          await bench.store.records.replace(kept, [JSON.stringify({ ...aTurn("[removed]"), name: "-" })]),
        ).toBe(true);
      await answer("b", summary);
      expect(await texts()).toEqual(["[removed]", "say a", "ask b", "say b"]);
    });

    it("is swept with the oldest turn that is in it, also where others stay", async () => {
      await answer("a");
      bench.clock.advance(2 * HOUR_MS);
      await answer("b");
      await answer("c", await summaryOf("a and b"));
      await bench.store.sweep({ finishedMs: HOUR_MS, deadMs: HOUR_MS, turnsMs: HOUR_MS });
      expect(await texts()).toEqual(["ask b", "say b", "ask c", "say c"]);
      bench.clock.advance(2 * HOUR_MS);
      await bench.store.sweep({ finishedMs: HOUR_MS, deadMs: HOUR_MS, turnsMs: HOUR_MS });
      expect(await texts()).toEqual([]);
    });
  });
}
