import { describe, expect, it } from "vitest";
import { REFUSED_OUTCOMES, REQUEST_OUTCOMES, type RequestOutcome } from "../../src/domain/request.ts";
import type { RequestNote } from "../../src/ports/request-log.ts";
import type { StoreBench } from "./store.ts";

const BOUNDS = { refusedMax: 30, afterId: "" };

/** Ids sort as they are numbered. */
const idOf = (n: number) => `ref_${String(n).padStart(6, "0")}`;

export function aNote(n: number, outcome: RequestOutcome, changes: Partial<RequestNote> = {}): RequestNote {
  return {
    id: idOf(n),
    atMs: 1_700_000_000_000 + n,
    requestId: `req_${n}`,
    platform: "slack",
    outcome,
    reason: null,
    peer: "192.0.2.1",
    eventId: null,
    conversation: null,
    alike: 0,
    ...changes,
  };
}

/** What became of the latest requests. */
export function requestsContract(bench: StoreBench): void {
  describe("the request log", () => {
    const all = async () => await bench.store.requests.list({ outcomes: REFUSED_OUTCOMES, limit: 1_000 });
    const notes = (outcome: RequestOutcome, from: number, to: number) =>
      Array.from({ length: to - from }, (_, i) => aNote(from + i, outcome));

    it("gives back what was noted, newest first, whole and page by page", async () => {
      const { requests } = bench.store;
      const strange = aNote(3, "malformed", {
        requestId: "a:b.c-d_e",
        reason: 'Expected "ü 😀\n\u0000", got \ud800',
        peer: "2001:db8::1",
        eventId: "slack:T1:C1:1.2",
        conversation: "slack:T1:C1",
        alike: 7,
      });
      await requests.record([aNote(1, "forged"), aNote(2, "ignored"), strange, aNote(4, "stale")], BOUNDS);
      const listed = await all();
      expect(listed.map(({ id }) => id)).toEqual([4, 3, 2, 1].map(idOf));
      expect(listed[1]).toEqual({ ...strange, reason: expect.stringMatching(/^Expected "ü 😀\n/) });
      const page = await requests.list({ outcomes: REFUSED_OUTCOMES, limit: 2, beforeId: idOf(4) });
      expect(page.map(({ id }) => id)).toEqual([3, 2].map(idOf));
      const last = await requests.list({ outcomes: REFUSED_OUTCOMES, limit: 2, beforeId: idOf(2) });
      expect(last.map(({ id }) => id)).toEqual([idOf(1)]);
    });

    it("lists only the outcomes that are asked for, and in the order of their ids however they came", async () => {
      const { requests } = bench.store;
      await requests.record([aNote(5, "forged"), aNote(9, "accepted")], BOUNDS);
      await requests.record([aNote(2, "forged"), aNote(3, "ignored"), aNote(4, "duplicate")], BOUNDS);
      const listed = await requests.list({ outcomes: ["forged", "ignored"], limit: 10 });
      expect(listed.map(({ id }) => id)).toEqual([5, 3, 2].map(idOf));
      expect((await all()).map(({ id }) => id)).toEqual([5, 4, 3, 2].map(idOf));
    });

    it("finds all that is noted of a request, whatever the outcome, and nothing of others", async () => {
      const { requests } = bench.store;
      await requests.record(
        REQUEST_OUTCOMES.map((outcome, n) => aNote(n, outcome, { requestId: n % 2 === 0 ? "even" : "odd" })),
        { ...BOUNDS, refusedMax: 1_000 },
      );
      const even = REQUEST_OUTCOMES.filter((_, n) => n % 2 === 0).toReversed();
      expect((await requests.find("even")).map(({ outcome }) => outcome)).toEqual(even);
      expect(await requests.find("eve")).toEqual([]);
      expect(await requests.find("even\nx")).toEqual([]);
    });

    it("finds a request among thousands", async () => {
      const { requests } = bench.store;
      const roomy = { refusedMax: 10_000, afterId: "" };
      for (let n = 0; n < 3_000; n += 500) await requests.record(notes("ignored", n, n + 500), roomy);
      for (const n of [0, 1_499, 2_999]) {
        expect((await requests.find(`req_${n}`)).map(({ id }) => id)).toEqual([idOf(n)]);
      }
    });

    it("keeps the newest within its bound, and a flood of one kind leaves the others alone", async () => {
      const { requests } = bench.store;
      await requests.record(notes("ignored", 0, 40), BOUNDS);
      expect((await all()).map(({ id }) => id)).toEqual(
        notes("ignored", 10, 40)
          .map(({ id }) => id)
          .toReversed(),
      );

      await requests.record(notes("forged", 100, 1_100), BOUNDS);
      await requests.record(notes("refused", 2_000, 2_004), BOUNDS);
      await requests.record(notes("stale", 3_000, 3_500), BOUNDS);
      const kept = Object.groupBy(await all(), ({ outcome }) => outcome);
      expect(Object.fromEntries(Object.entries(kept).map(([name, { length }]) => [name, length]))).toEqual({
        refused: 4,
        ignored: expect.toSatisfy((count: number) => count >= 8 && count <= 9),
        forged: expect.toSatisfy((count: number) => count >= 8 && count <= 9),
        stale: expect.toSatisfy((count: number) => count >= 8 && count <= 9),
      });
      expect((await all()).length).toBe(30);
      expect(kept.ignored?.[0]?.id).toBe(idOf(39));
      expect(kept.forged?.[0]?.id).toBe(idOf(1_099));
    });

    it("counts a note that is told again once, and what had room before still has", async () => {
      const { requests } = bench.store;
      for (let times = 0; times < 4; times++) await requests.record(notes("forged", 0, 12), BOUNDS);
      await requests.record(notes("ignored", 100, 118), BOUNDS);
      expect(await all()).toHaveLength(30);
      await requests.record([], { ...BOUNDS, afterId: idOf(6) });
      await requests.record(notes("stale", 200, 206), BOUNDS);
      expect(await all()).toHaveLength(30);
      await requests.record(notes("stale", 300, 301), BOUNDS);
      expect((await all()).length).toBe(30);
    });

    it("keeps what was taken apart from what was refused", async () => {
      const { requests } = bench.store;
      await requests.record([aNote(1, "forged"), aNote(2, "handshake")], BOUNDS);
      await requests.record(notes("accepted", 10, 100), BOUNDS);
      expect((await all()).map(({ id }) => id)).toEqual([idOf(1)]);
      expect(await requests.list({ outcomes: ["accepted"], limit: 1_000 })).toHaveLength(29);
      expect(await requests.find("req_2")).toHaveLength(1);
    });

    it("lets go of what is too old", async () => {
      const { requests } = bench.store;
      await requests.record([aNote(1, "forged"), aNote(2, "ignored"), aNote(3, "accepted")], BOUNDS);
      await requests.record([aNote(4, "stale")], { ...BOUNDS, afterId: idOf(2) });
      expect((await all()).map(({ id }) => id)).toEqual([4, 2].map(idOf));
      await requests.record([], { ...BOUNDS, afterId: idOf(9) });
      expect(await all()).toEqual([]);
      expect(await requests.find("req_3")).toEqual([]);
    });

    it("is there when the store is opened again, and after a death of the process", async () => {
      await bench.store.requests.record([aNote(1, "forged")], BOUNDS);
      await bench.reopen();
      await bench.store.requests.record([aNote(2, "ignored")], BOUNDS);
      await bench.kill();
      expect((await all()).map(({ id }) => id)).toEqual([2, 1].map(idOf));
    });
  });
}
