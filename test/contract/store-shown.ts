import { beforeEach, describe, expect, it } from "vitest";
import type { Job } from "../../src/ports/queue.ts";
import type { StoreBench } from "./store.ts";

const preview = { messageId: "m1", via: "sendMessage" };
const SHOWN = { kind: "shown", receipt: preview } as const;
const final = { messageId: "m1", via: "editMessageText" };

/** A part of which a preview is out. */
export function shownContract(bench: StoreBench): void {
  const reserve = (job: Job, partId = "a/0") => bench.store.outbox.reserve(job, partId);
  const record = (fate: Parameters<typeof bench.store.outbox.record>[1], partId = "a/0") =>
    bench.store.outbox.record(partId, fate);

  describe("a part that is shown before it is said", () => {
    let job: Job;
    beforeEach(async () => {
      await bench.acceptAll("c1", "a");
      job = await bench.claimOne();
      expect(await reserve(job)).toEqual({ kind: "fresh", sendsBefore: 0 });
      await record(SHOWN);
    });

    it("is given out with the receipt of its preview, as often as it is asked for, until it is said", async () => {
      for (let time = 0; time < 3; time++) expect(await reserve(job)).toEqual(SHOWN);
      await record(final);
      expect(await reserve(job)).toEqual({ kind: "sent", receipt: final });
    });

    it("is the same for whoever goes on after a crash, with the answer that is stored meanwhile", async () => {
      await bench.kill();
      const again = await bench.claimOne();
      const progress = { runId: "run_1", agent: "assistant", startedAtMs: 1, steps: [], answer: null };
      expect(await bench.store.outbox.begin(again, progress, "a/0")).toEqual(SHOWN);
      expect((await bench.store.journal.find("a"))?.progress).toEqual(progress);
      await bench.reopen();
      const last = await bench.claimOne();
      expect(await reserve(last)).toEqual(SHOWN);
      await record(final);
      await bench.kill();
      expect(await reserve(await bench.claimOne())).toEqual({ kind: "sent", receipt: final });
    });

    it("is no send of another: further parts are fresh, and count its own", async () => {
      expect(await reserve(job)).toEqual(SHOWN);
      expect(await reserve(job, "a/1")).toEqual({ kind: "fresh", sendsBefore: 1 });
    });

    it("is fresh again when its preview is gone", async () => {
      expect(await reserve(job)).toEqual(SHOWN);
      await record("not-sent");
      expect(await reserve(job)).toEqual({ kind: "fresh", sendsBefore: 1 });
      expect(await reserve(job)).toMatchObject({ kind: "in-doubt" });
    });

    it("is said once it was said, whatever is reported late", async () => {
      await record(final);
      await record(SHOWN);
      await record("not-sent");
      expect(await reserve(job)).toEqual({ kind: "sent", receipt: final });
    });

    it("may be shown anew under another receipt", async () => {
      const other = { kind: "shown", receipt: { messageId: "m2", via: "sendMessage" } } as const;
      await record(other);
      expect(await reserve(job)).toEqual(other);
    });

    it("is lost to whoever has lost the lease", async () => {
      await bench.store.queue.settle(job, { kind: "retry", afterMs: 0, cause: "x" });
      expect(await reserve(job)).toEqual({ kind: "lost" });
      expect(await reserve(await bench.claimOne())).toEqual(SHOWN);
    });

    it("goes with its event when that is replayed", async () => {
      await bench.store.queue.settle(job, { kind: "dead", cause: "x" });
      await bench.store.archive.replay("a", { by: "ann", mode: "resume", states: ["dead"] });
      expect(await reserve(await bench.claimOne())).toEqual(SHOWN);
    });
  });

  it("a send that was never recorded stays in doubt, also when it was to be a preview", async () => {
    await bench.acceptAll("c1", "a");
    await reserve(await bench.claimOne());
    await bench.kill();
    expect(await reserve(await bench.claimOne())).toEqual({
      kind: "in-doubt",
      sendsBefore: 1,
      isSenderGone: true,
    });
  });

  it("a preview of what was taken back is none", async () => {
    await bench.acceptAll("c1", "a");
    const job = await bench.claimOne();
    await reserve(job);
    await record("not-sent");
    await record(SHOWN);
    expect(await reserve(job)).toEqual({ kind: "fresh", sendsBefore: 1 });
  });
}
