import { describe, expect, it } from "vitest";
import type { Attachment } from "../../src/domain/attachment.ts";
import { contextItem } from "../../src/domain/context.ts";
import { NO_USAGE, type Progress } from "../../src/domain/run.ts";
import { LEASE_MS, type StoreBench } from "./store.ts";

const file = (id: string): Attachment => ({
  id,
  kind: "document",
  // What a driver that joins texts could take for the end or the beginning of something.
  name: `${id} ","attachments":[]} \\" é \ud800.pdf`,
  mime: "application/pdf",
  sizeBytes: 12,
});
const PROGRESS: Progress = {
  runId: "run_1",
  agent: "assistant",
  startedAtMs: 0,
  steps: [{ kind: "model", text: "half", toolCalls: [], usage: NO_USAGE }],
  answer: null,
};
const TEXT = 'see ","attachments":[{}],"mayGrow":true \\';

/** One message that a platform sends twice, once without its files. */
export function growthContract(bench: StoreBench): void {
  const withoutFiles = () => bench.accept({ id: "a", text: TEXT, mayGrow: true });
  const withFiles = (...ids: string[]) => bench.accept({ id: "a", text: TEXT, attachments: ids.map(file) });
  const stored = async () => (await bench.store.journal.find("a"))?.event;
  const filesOf = async () => (await stored())?.attachments.map(({ id }) => id);

  describe("an event that may grow", () => {
    it("takes over the files of its duplicate, and nothing else, for good", async () => {
      const context = [contextItem("quoted", "said", { attachments: [file("of another")] })];
      await bench.accept({ id: "a", text: TEXT, context, mayGrow: true });
      const before = await stored();
      const other = { text: "other", occurredAtMs: 1, trigger: "ambient", context: [] } as const;
      const twin = { id: "a", ...other, attachments: [file("F1"), file("F2")] };
      expect(await bench.accept(twin)).toEqual({ kind: "duplicate" });
      const grown = { ...before, attachments: [file("F1"), file("F2")] };
      expect(await stored()).toEqual(grown);
      await bench.reopen();
      const job = await bench.claimOne();
      expect(job).toMatchObject({ attempt: 1, progress: null, refusal: null });
      expect(job.event).toEqual(grown);
    });

    it("is found by any of its keys", async () => {
      await bench.accept({ id: "a", aliases: ["a1"], mayGrow: true });
      const twin = { id: "b", aliases: ["a1"], attachments: [file("F1")] };
      expect(await bench.accept(twin)).toEqual({ kind: "duplicate" });
      expect(await filesOf()).toEqual(["F1"]);
    });

    it("grows once: redeliveries of either change nothing", async () => {
      await withoutFiles();
      await withFiles("F1");
      for (const again of [withoutFiles, () => withFiles("F2"), withoutFiles]) {
        expect(await again()).toEqual({ kind: "duplicate" });
        expect(await filesOf()).toEqual(["F1"]);
      }
    });

    it("keeps its place among the others", async () => {
      await withoutFiles();
      await bench.acceptAll("c1", "b");
      await withFiles("F1");
      expect(await bench.drain()).toEqual(["a", "b"]);
    });

    it("may be in hand: its holder goes on, whoever takes it next sees the files", async () => {
      await withoutFiles();
      const job = await bench.claimOne();
      expect(await withFiles("F1")).toEqual({ kind: "duplicate" });
      expect(job.event.attachments).toEqual([]);
      expect(await bench.store.queue.extend(job, LEASE_MS)).toBe(true);
      expect(await bench.store.queue.settle(job, { kind: "defer", afterMs: 0, cause: "waits" })).toBe(true);
      const next = await bench.claimOne();
      expect(next.event.attachments).toEqual([file("F1")]);
      expect(await bench.done(next)).toBe(true);
    });

    it("does not once its run has got somewhere", async () => {
      await withoutFiles();
      const job = await bench.claimOne();
      await bench.store.queue.checkpoint(job, PROGRESS);
      expect(await withFiles("F1")).toEqual({ kind: "duplicate" });
      expect(await filesOf()).toEqual([]);
      expect(await bench.done(job)).toBe(true);
    });

    it("does not once it is over", async () => {
      await withoutFiles();
      await bench.drain();
      const before = await bench.store.journal.find("a");
      expect(await withFiles("F1")).toEqual({ kind: "duplicate" });
      expect(await bench.store.journal.find("a")).toEqual(before);
      expect(await bench.claim()).toEqual([]);
    });

    it("does not when it was refused", async () => {
      const refusal = { cause: "not_allowed", detail: "user", noticeWindowMs: 5_000 } as const;
      expect(await bench.accept({ id: "a", mayGrow: true }, { refusal })).toMatchObject({ told: true });
      expect(await withFiles("F1")).toEqual({ kind: "duplicate" });
      expect(await filesOf()).toEqual([]);
    });
  });

  it("an event of which nothing more was expected stays as it is", async () => {
    await bench.accept({ id: "a", text: TEXT });
    expect(await withFiles("F1")).toEqual({ kind: "duplicate" });
    expect(await filesOf()).toEqual([]);
  });
}
