import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HOLDS_KEPT_DAYS, SPENDING_KEPT_DAYS } from "../../src/domain/bounds.ts";
import type { Cap } from "../../src/ports/purse.ts";
import { cap, cost, HELD, PlainPurse, spentOf } from "../store/plain-purse.ts";
import type { StoreBench } from "./store.ts";

const DAY_MS = 24 * 3_600_000;
const RETENTION = { finishedMs: DAY_MS, deadMs: DAY_MS, turnsMs: DAY_MS };
const DAY = "2026-11-29";

/** The money of a day. */
export function purseContract(bench: StoreBench): void {
  const hold = (id: string, amount: number, caps: readonly Cap[], day = DAY) =>
    bench.store.purse.hold({ id, day, amount, caps });
  const settle = (id: string, amount: number, day = DAY) =>
    bench.store.purse.settle({ id, day }, cost(amount));
  const spent = async (scope: string, day = DAY) => (await bench.store.purse.spent(day, [scope]))[0];
  const everybody = [cap("global", 100)];
  const ann = [cap("user:slack:T:ann", 60), cap("global", 100)];
  const bob = [cap("user:slack:T:bob", 60), cap("global", 100)];

  describe("the money of a day", () => {
    it("is held up to the limit, and not beyond", async () => {
      expect(await hold("a", 60, everybody)).toEqual(HELD);
      expect(await hold("b", 41, everybody)).toEqual({ kind: "over", scope: "global" });
      expect(await hold("c", 40, everybody)).toEqual(HELD);
      expect(await hold("d", 1, everybody)).toEqual({ kind: "over", scope: "global" });
      expect(await spent("global")).toEqual(spentOf("global", 0, 100, 0));
    });

    it("is held in all scopes or in none, and says whose cap it was", async () => {
      expect(await hold("a", 50, ann)).toEqual(HELD);
      expect(await hold("b", 20, ann)).toEqual({ kind: "over", scope: "user:slack:T:ann" });
      expect(await hold("c", 51, bob)).toEqual({ kind: "over", scope: "global" });
      expect(await spent("user:slack:T:bob")).toEqual(spentOf("user:slack:T:bob", 0, 0, 0));
      expect(await hold("d", 50, bob)).toEqual(HELD);
      expect(await bench.store.purse.spent(DAY, ["global", "user:slack:T:ann", "user:slack:T:bob"])).toEqual([
        spentOf("global", 0, 100, 0),
        spentOf("user:slack:T:ann", 0, 50, 0),
        spentOf("user:slack:T:bob", 0, 50, 0),
      ]);
    });

    it("is held once however often the same call asks, whether that is settled by now or not", async () => {
      for (let again = 0; again < 3; again++) expect(await hold("a", 60, ann)).toEqual(HELD);
      expect(await spent("global")).toEqual(spentOf("global", 0, 60, 0));
      await settle("a", 10);
      expect(await hold("a", 60, ann)).toEqual(HELD);
      expect(await spent("global")).toEqual(spentOf("global", 10, 0, 1));
    });

    it("may be asked for again by a call that was over, and is held when there is room", async () => {
      await hold("a", 60, everybody);
      expect(await hold("b", 50, everybody)).toMatchObject({ kind: "over" });
      await settle("a", 10);
      expect(await hold("b", 50, everybody)).toEqual(HELD);
      expect(await spent("global")).toEqual(spentOf("global", 10, 50, 1));
    });

    it.each([
      ["less", 20],
      ["as much", 60],
      ["more", 75],
      ["nothing", 0],
    ])("is settled once, with what the call cost: %s", async (_, amount) => {
      await hold("a", 60, ann);
      for (let again = 0; again < 3; again++) await settle("a", again === 0 ? amount : 1);
      // What was refused, or set aside and not used, is no call.
      const calls = amount === 0 ? 0 : 1;
      for (const { scope } of ann) expect(await spent(scope)).toEqual(spentOf(scope, amount, 0, calls));
    });

    it("counts tokens and calls with the money", async () => {
      const { purse } = bench.store;
      const tokens = { inputTokens: 7, outputTokens: 5, cacheReadTokens: 3, cacheWriteTokens: 2 };
      for (const id of ["a", "b"]) {
        await hold(id, 10, ann);
        await purse.settle({ id, day: DAY }, cost(4, tokens));
      }
      const twice = { inputTokens: 14, outputTokens: 10, cacheReadTokens: 6, cacheWriteTokens: 4 };
      expect(await spent("user:slack:T:ann")).toEqual({
        ...spentOf("user:slack:T:ann", 8, 0, 2),
        ...twice,
      });
    });

    it("settles nothing that was never held", async () => {
      await settle("nobody", 10);
      expect(await spent("global")).toEqual(spentOf("global", 0, 0, 0));
      expect(await hold("nobody", 100, everybody)).toEqual(HELD);
    });

    it("is counted where there is no limit", async () => {
      expect(await hold("a", 1e12, [cap("global", null)])).toEqual(HELD);
      expect(await spent("global")).toEqual(spentOf("global", 0, 1e12, 0));
    });

    it("begins anew with each day; what is settled late goes to the day on which it was held", async () => {
      const next = "2026-11-30";
      await hold("a", 90, everybody);
      expect(await hold("a", 100, everybody, next)).toEqual(HELD);
      await settle("a", 30);
      expect(await spent("global")).toEqual(spentOf("global", 30, 0, 1));
      expect(await spent("global", next)).toEqual(spentOf("global", 0, 100, 0));
    });

    it("tells the call that comes to the warning, once a day and scope", async () => {
      const warned = [cap("user:slack:T:ann", 60, 30), cap("global", 100, 80)];
      expect(await hold("a", 29, warned)).toEqual(HELD);
      expect(await hold("b", 1, warned)).toEqual({ kind: "held", warned: ["user:slack:T:ann"] });
      await settle("a", 0);
      expect(await hold("c", 29, warned)).toEqual(HELD);
      expect(await hold("d", 50, [cap("global", 100, 80)])).toEqual({ kind: "held", warned: ["global"] });
      expect(await hold("a", 30, warned, "2026-11-30")).toMatchObject({ warned: ["user:slack:T:ann"] });
    });

    it("is not forgotten by a process that ends or dies, settled or not", async () => {
      await hold("a", 60, ann);
      await hold("b", 40, bob);
      await settle("b", 5);
      for (const end of ["reopen", "kill"] as const) {
        await bench[end]();
        expect(await spent("global")).toEqual(spentOf("global", 5, 60, 1));
        expect(await hold("c", 36, everybody)).toEqual({ kind: "over", scope: "global" });
      }
      await settle("a", 12);
      await settle("b", 99);
      expect(await spent("global")).toEqual(spentOf("global", 17, 0, 2));
    });

    it("is never passed by many who ask at once, and all of it can be had", async () => {
      const asked = await Promise.all(
        Array.from({ length: 60 }, (_, index) => hold(`a${index}`, 7, everybody)),
      );
      expect(asked.filter(({ kind }) => kind === "held")).toHaveLength(14);
      expect(await spent("global")).toEqual(spentOf("global", 0, 98, 0));
      expect(await hold("last", 2, everybody)).toEqual(HELD);
    });

    it("adds up to the unit, also far beyond what fractions can hold", async () => {
      const limit = 100_000_000_000_000;
      const caps = [cap("global", limit)];
      expect(await hold("a", limit - 1, caps)).toEqual(HELD);
      expect(await hold("b", 2, caps)).toEqual({ kind: "over", scope: "global" });
      expect(await hold("c", 1, caps)).toEqual(HELD);
      await settle("a", limit - 3);
      await settle("c", 1);
      expect(await spent("global")).toEqual(spentOf("global", limit - 2, 0, 2));
    });

    it("takes names as they come", async () => {
      const odd = ["user:slack:T:\u0000😀\ud800", "user:a:b\nc", "user:a:b:"];
      for (const [index, scope] of odd.entries())
        expect(await hold(`h ${index}`, index + 1, [cap(scope, 10)])).toEqual(HELD);
      const found = await bench.store.purse.spent(DAY, odd);
      expect(found.map(({ held }) => held)).toEqual([1, 2, 3]);
    });

    it("does what a plain list does, whatever is asked in whatever order", async () => {
      const steps = fc.array(
        fc.record({
          id: fc.integer({ min: 0, max: 8 }),
          day: fc.constantFrom(DAY, "2026-11-30"),
          who: fc.constantFrom(ann, bob, everybody),
          amount: fc.integer({ min: 0, max: 50 }),
          does: fc.constantFrom("hold", "settle", "hold"),
        }),
        { maxLength: 40 },
      );
      let run = 0;
      await fc.assert(
        fc.asyncProperty(steps, async (script) => {
          const prefix = `r${run++}`;
          const mine = (caps: readonly Cap[]) =>
            caps.map((one) => ({ ...one, scope: `${prefix} ${one.scope}` }));
          const list = new PlainPurse();
          for (const { id, day, who, amount, does } of script) {
            const name = `${prefix} ${id}`;
            const caps = mine(who);
            if (does === "hold")
              expect(await hold(name, amount, caps, day)).toEqual(list.hold(day, name, amount, caps));
            else {
              await settle(name, amount, day);
              list.settle(day, name, amount);
            }
          }
          for (const day of [DAY, "2026-11-30"])
            for (const { scope } of mine([...ann, ...bob]))
              expect(await spent(scope, day)).toEqual(list.spent(day, scope));
        }),
        { numRuns: 25 },
      );
    });

    it("is forgotten when it is long past, holds before sums", async () => {
      const today = () => new Date(bench.clock.nowMs()).toISOString().slice(0, 10);
      const first = today();
      await hold("a", 60, ann, first);
      await bench.store.purse.settle({ id: "a", day: first }, cost(20));
      await hold("b", 30, ann, first);
      bench.clock.advance((HOLDS_KEPT_DAYS - 1) * DAY_MS);
      await bench.store.sweep(RETENTION);
      await bench.store.purse.settle({ id: "b", day: first }, cost(10));
      expect(await spent("global", first)).toEqual(spentOf("global", 30, 0, 2));
      bench.clock.advance((SPENDING_KEPT_DAYS - HOLDS_KEPT_DAYS) * DAY_MS);
      await bench.store.sweep(RETENTION);
      expect(await spent("global", first)).toEqual(spentOf("global", 30, 0, 2));
    });
  });
}
