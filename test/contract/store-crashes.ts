import { describe, expect, it } from "vitest";
import { SUSPECTS_MAX } from "../../src/domain/bounds.ts";
import { LEASE_MS, type StoreBench } from "./store.ts";

/** Which events a death of the process makes suspects. */
export function crashContract(bench: StoreBench): void {
  const fill = async (count: number) => {
    for (let i = 0; i < count; i++) await bench.acceptAll(`conversation ${i}`, `e${i}`);
  };

  /** What the next claim says of each event. */
  async function claimed(): Promise<Record<string, { attempt: number; crashes: number }>> {
    const jobs = await bench.claim();
    return Object.fromEntries(
      jobs.map(({ event, attempt, crashes }) => [event.id, { attempt, crashes }] as const),
    );
  }

  describe("a death of the process", () => {
    it("is counted for the few events that were in its hand, and for no other", async () => {
      await fill(3);
      await bench.claim(2);
      await bench.kill();
      expect(await claimed()).toEqual({
        e0: { attempt: 2, crashes: 1 },
        e1: { attempt: 2, crashes: 1 },
        e2: { attempt: 1, crashes: 0 },
      });
    });

    it("is counted up to so many events in hand", async () => {
      await fill(SUSPECTS_MAX);
      await bench.claim();
      await bench.kill();
      const crashes = Object.values(await claimed()).map((job) => job.crashes);
      expect(crashes).toEqual(Array.from({ length: SUSPECTS_MAX }, () => 1));
    });

    it("makes no suspects of many events in hand, though their attempts count", async () => {
      await fill(SUSPECTS_MAX + 1);
      await bench.claim();
      await bench.kill();
      expect(Object.values(await claimed())).toEqual(
        Array.from({ length: SUSPECTS_MAX + 1 }, () => ({ attempt: 2, crashes: 0 })),
      );
    });

    it("adds to those before it, and is not forgotten by closing in order", async () => {
      await fill(1);
      for (let crashes = 0; crashes < 3; crashes++) {
        expect(await bench.claimOne()).toMatchObject({ attempt: crashes + 1, crashes });
        await bench.kill();
      }
      await bench.reopen();
      expect(await bench.claimOne()).toMatchObject({ attempt: 4, failures: 0, crashes: 3 });
    });

    it("is nothing to what had been handed back before it", async () => {
      await fill(2);
      const [a, b] = await bench.claim();
      if (a === undefined || b === undefined) throw new Error("Expected two jobs");
      await bench.store.queue.settle(a, { kind: "retry", afterMs: 0, cause: "x" });
      await bench.store.queue.settle(b, { kind: "defer", afterMs: 0, cause: "x" });
      await bench.kill();
      expect(await claimed()).toEqual({ e0: { attempt: 2, crashes: 0 }, e1: { attempt: 1, crashes: 0 } });
    });

    it("fences those who worked in it", async () => {
      await fill(1);
      const job = await bench.claimOne();
      await bench.kill();
      expect(await bench.done(job)).toBe(false);
      expect((await bench.claimOne()).token).toBeGreaterThan(job.token);
    });

    it("loses nothing of what was accepted, recorded or said", async () => {
      await bench.acceptAll("c1", "a", "b");
      const job = await bench.claimOne();
      const receipt = { messageId: "m1", via: "test" };
      await bench.store.outbox.reserve(job, "a/0");
      await bench.store.outbox.record("a/0", receipt);
      // What is recorded about a send is stored with whatever comes next.
      await bench.store.journal.stats();
      await bench.kill();
      const again = await bench.claimOne();
      expect(await bench.store.outbox.reserve(again, "a/0")).toEqual({ kind: "sent", receipt });
      await bench.done(again);
      expect(await bench.drain()).toEqual(["b"]);
    });
  });

  describe("an end in order", () => {
    it("is no death, however few events were in hand", async () => {
      await fill(1);
      await bench.claimOne();
      await bench.reopen();
      expect(await bench.claimOne()).toMatchObject({ attempt: 2, crashes: 0 });
    });
  });

  describe("leases that run out", () => {
    it("are a death, too, of those who held them", async () => {
      await fill(2);
      await bench.claim(1);
      bench.clock.advance(LEASE_MS);
      expect(await claimed()).toEqual({ e0: { attempt: 2, crashes: 1 }, e1: { attempt: 1, crashes: 0 } });
    });

    it("make no suspects when there are many", async () => {
      await fill(SUSPECTS_MAX + 1);
      await bench.claim();
      bench.clock.advance(LEASE_MS);
      expect(Object.values(await claimed())).toEqual(
        Array.from({ length: SUSPECTS_MAX + 1 }, () => ({ attempt: 2, crashes: 0 })),
      );
    });
  });
}
