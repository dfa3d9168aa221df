import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { surplus } from "../../src/store/shares.ts";

describe("shares of a room", () => {
  it.each([
    [{ a: 3, b: 4 }, 10, {}],
    [{ a: 3, b: 40 }, 10, { b: 33 }],
    [{ a: 30, b: 40, c: 1 }, 11, { a: 25, b: 35 }],
    [{ a: 1, b: 1 }, 0, { a: 1, b: 1 }],
    [{}, 5, {}],
  ])("of %o, with room for %i, %o goes", (counts, max, gone) => {
    expect(Object.fromEntries(surplus(new Map(Object.entries(counts)), max))).toEqual(gone);
  });

  it("are never more than the room, never less while there is something to fill it, and fair", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(500), { maxLength: 12 }), fc.nat(2_000), (counts, max) => {
        const gone = surplus(new Map(counts.entries()), max);
        const kept = counts.map((count, kind) => count - (gone.get(kind) ?? 0));
        const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
        expect(sum(kept)).toBe(Math.min(max, sum(counts)));
        const most = Math.max(0, ...kept);
        // Who lost something has about as much as anybody else has.
        for (const kind of gone.keys()) expect(kept[kind]).toBeGreaterThanOrEqual(most - 1);
      }),
    );
  });
});
