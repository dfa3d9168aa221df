import { describe, expect, it } from "vitest";
import { NOTE_CHARS_MAX } from "../../src/domain/bounds.ts";
import type { Held } from "../../src/ports/holds.ts";
import type { StoreBench } from "./store.ts";

const TTL_MS = 5_000;

/** Elections among the processes of a store, and what the elected one notes. Here there is one; others: store/redis/holds. */
export function holdsContract(bench: StoreBench): void {
  async function hold(name = "sweeping"): Promise<Held> {
    const held = await bench.store.holds.hold(name, TTL_MS);
    if (held === null) throw new Error(`Expected to hold ${name}, got nothing`);
    return held;
  }
  const renew = (held: Held) => bench.store.holds.renew(held, TTL_MS);
  const put = (value: string, held: Held) => bench.store.notes.put("swept", value, held);
  const get = () => bench.store.notes.get("swept");

  describe("a hold", () => {
    it("is given to the process that asks, and is kept by renewals", async () => {
      const held = await hold();
      expect(held).toEqual({ name: "sweeping", token: expect.any(Number) });
      for (let n = 0; n < 3; n++) {
        bench.clock.advance(TTL_MS - 1);
        expect(await renew(held)).toBe(true);
      }
      expect(await put("1", held)).toBe(true);
    });

    it("is given anew to whoever has it, with a greater token, and what was held before has ended", async () => {
      const first = await hold();
      const second = await hold();
      expect(second.token).toBeGreaterThan(first.token);
      expect(await renew(first)).toBe(false);
      expect(await renew(second)).toBe(true);
      await bench.store.holds.release(first);
      expect(await renew(second)).toBe(true);
    });

    it("ends when it is released", async () => {
      const held = await hold();
      await bench.store.holds.release(held);
      await bench.store.holds.release(held);
      expect(await renew(held)).toBe(false);
      expect((await hold()).token).toBeGreaterThan(held.token);
    });

    it("has nothing to do with those of other names", async () => {
      const one = await hold("one");
      const others = await Promise.all(
        ["two", "", " ", "t\u0000wo", "t'w\"o\n%", "\ud800", "\ufffd"].map(hold),
      );
      await bench.store.holds.release(one);
      expect(await Promise.all(others.map(renew))).toEqual(others.map(() => true));
    });

    it.each(["reopen", "kill"] as const)(
      "is given with a greater token to the next process (%s)",
      async (how) => {
        const before = await hold();
        await bench[how]();
        const after = await hold();
        expect(after.token).toBeGreaterThan(before.token);
        expect(await renew(before)).toBe(false);
        expect(await renew(after)).toBe(true);
      },
    );

    it("of many that are asked for at once leaves one", async () => {
      const all = await Promise.all(Array.from({ length: 10 }, () => hold()));
      expect(new Set(all.map(({ token }) => token)).size).toBe(10);
      const live = await Promise.all(all.map(renew));
      expect(live.filter((isLive) => isLive)).toHaveLength(1);
      expect(live[all.indexOf(all.reduce((a, b) => (b.token > a.token ? b : a)))]).toBe(true);
    });
  });

  describe("a note", () => {
    it("is nothing until somebody makes it, and then what was noted last", async () => {
      expect(await get()).toBeNull();
      const held = await hold();
      for (const value of ["", "one", "é 😀 \u0000 \n {}"]) {
        expect(await put(value, held)).toBe(true);
        expect(await get()).toBe(value);
      }
      expect(await bench.store.notes.get("other")).toBeNull();
    });

    it.each(["reopen", "kill"] as const)("is there for the next process (%s)", async (how) => {
      expect(await put("one", await hold())).toBe(true);
      await bench[how]();
      expect(await get()).toBe("one");
      expect(await put("two", await hold())).toBe(true);
      expect(await get()).toBe("two");
    });

    it("is not changed by whoever has lost the hold", async () => {
      const first = await hold();
      await put("first", first);
      const second = await hold();
      expect(await put("late", first)).toBe(false);
      expect(await get()).toBe("first");
      expect(await put("second", second)).toBe(true);
      await bench.store.holds.release(second);
      expect(await put("late", second)).toBe(false);
      expect(await bench.store.notes.put("swept", "forged", { name: "other", token: second.token })).toBe(
        false,
      );
      expect(await get()).toBe("second");
    });

    it("is refused when it is too long, or no text", async () => {
      const held = await hold();
      const longest = "x".repeat(NOTE_CHARS_MAX);
      expect(await put(longest, held)).toBe(true);
      await expect(put(`${longest}x`, held)).rejects.toThrow(
        /Expected a note of at most 4096 characters, got 4097/,
      );
      await expect(put("\ud800", held)).rejects.toThrow(/Expected a note of whole characters/);
      expect(await get()).toBe(longest);
    });
  });
}
