import { describe, expect, it } from "vitest";
import { NO_USAGE, type Progress } from "../../src/domain/run.ts";
import type { Job } from "../../src/ports/queue.ts";
import { aProgress, LEASE_MS, type StoreBench } from "./store.ts";

/** What has failed, and what was cut off: counted for running and for saying. */
export function failuresContract(bench: StoreBench): void {
  const answered: Progress = {
    ...aProgress("run"),
    answer: { outcome: "answered", text: "yes", parts: [], usage: NO_USAGE },
  };

  async function fail(job: Job): Promise<Job> {
    await bench.store.queue.settle(job, { kind: "retry", afterMs: 0, cause: "x" });
    return await bench.claimOne();
  }

  /** Claimed for the third time: one attempt failed, one was cut off. */
  async function inTrouble(): Promise<Job> {
    await bench.acceptAll("c1", "a");
    await fail(await bench.claimOne());
    bench.clock.advance(LEASE_MS);
    const job = await bench.claimOne();
    expect(job).toMatchObject({ attempt: 3, failures: 1, cutOffs: 1 });
    return job;
  }

  describe("failures", () => {
    it.each<[string, (job: Job) => Promise<unknown>]>([
      ["a checkpoint", (job) => bench.store.queue.checkpoint(job, answered)],
      ["what is stored with the first part", (job) => bench.store.outbox.begin(job, answered, "a/0")],
    ])("are counted anew from %s that first has an answer", async (_, store) => {
      const job = await inTrouble();
      await store(job);
      let again = await fail(job);
      expect(again).toMatchObject({ attempt: 4, failures: 1, cutOffs: 1, progress: answered });
      // It had its answer when it was claimed.
      await store(again);
      again = await fail(again);
      expect(again).toMatchObject({ attempt: 5, failures: 2, cutOffs: 1 });
      await bench.reopen();
      expect(await bench.claimOne()).toMatchObject({ attempt: 6, failures: 2, cutOffs: 2 });
    });

    it("before an answer stay counted, whatever is recorded", async () => {
      const job = await inTrouble();
      await bench.store.queue.checkpoint(job, aProgress("half"));
      await bench.store.outbox.begin(job, aProgress("more"), "a/0");
      expect(await fail(job)).toMatchObject({ attempt: 4, failures: 2, cutOffs: 1 });
    });

    it("are no concern of a holder that has lost its lease", async () => {
      const job = await inTrouble();
      const next = await fail(job);
      expect(await bench.store.queue.checkpoint(job, answered)).toBe(false);
      expect(await fail(next)).toMatchObject({ failures: 3, progress: null });
    });

    it("are forgiven when an operator brings the event back, and counted as ever then", async () => {
      const job = await inTrouble();
      await bench.store.queue.checkpoint(job, answered);
      const again = await fail(job);
      await bench.store.queue.settle(again, { kind: "dead", cause: "x" });
      await bench.store.archive.replay("a", { by: "ann", mode: "resume", states: ["dead"] });
      const back = await bench.claimOne();
      expect(back).toMatchObject({ attempt: 1, failures: 0, cutOffs: 0, progress: answered });
      expect(await fail(await fail(back))).toMatchObject({ attempt: 3, failures: 2, cutOffs: 0 });
    });
  });
}
