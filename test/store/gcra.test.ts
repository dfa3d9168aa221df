import { describe, expect, it } from "vitest";
import { Buckets } from "../../src/store/sqlite/buckets.ts";
import { charge, waitMs } from "../../src/store/sqlite/gcra.ts";

/** When each of these messages passes: true or the wait it was told. */
function say(rate: { messages: number; perMs: number }, timesMs: readonly number[]): (true | number)[] {
  let debt: number | undefined;
  return timesMs.map((nowMs) => {
    const charged = charge(debt, rate, nowMs);
    const wait = waitMs(charged, rate, nowMs);
    if (wait > 0) return wait;
    debt = charged;
    return true;
  });
}

describe("a rate limit", () => {
  const rate = { messages: 3, perMs: 30_000 };

  it("lets a burst pass, then tells how long to wait", () => {
    expect(say(rate, [0, 0, 0, 0, 4_000])).toEqual([true, true, true, 10_000, 6_000]);
  });

  it("then lets one pass each share of the window", () => {
    expect(say(rate, [0, 0, 0, 10_000, 10_000, 20_000, 20_000])).toEqual([
      true,
      true,
      true,
      true,
      10_000,
      true,
      10_000,
    ]);
  });

  it("allows no second burst at a window's end", () => {
    const passed = say(rate, [29_999, 29_999, 29_999, 30_001, 30_001, 30_001]).filter((one) => one === true);
    expect(passed).toHaveLength(3);
  });

  it("is whole again after a quiet window, and no more than whole after a longer one", () => {
    expect(say(rate, [0, 0, 0, 30_000, 30_000, 30_000, 30_000])).toEqual([
      ...[true, true, true, true, true, true],
      10_000,
    ]);
    expect(say(rate, [0, 0, 0, 900_000, 900_000, 900_000, 900_000]).at(-1)).toBe(10_000);
  });

  it("does not lose a message to fractions", () => {
    for (const messages of [3, 7, 11, 13, 60, 97, 6_000]) {
      const burst = say(
        { messages, perMs: 60_000 },
        Array.from({ length: messages + 1 }, () => 1_700_000_000_000),
      );
      expect(burst.filter((one) => one === true)).toHaveLength(messages);
    }
  });

  it("is passed by who waits as long as told, and not by who waits a millisecond less", () => {
    for (const messages of [1, 7, 60]) {
      const odd = { messages, perMs: 59_999 };
      const burst = Array.from({ length: messages }, () => 0);
      const wait = say(odd, [...burst, 0]).at(-1);
      expect(say(odd, [...burst, Number(wait)]).at(-1)).toBe(true);
      expect(say(odd, [...burst, Number(wait) - 1]).at(-1)).toBe(1);
    }
  });

  it("never passes more than its burst and its rate, however messages come", () => {
    const passedMs: number[] = [];
    const timesMs = Array.from({ length: 5_000 }, (_, i) => (i * 7_919) % 300_000).sort((a, b) => a - b);
    say(rate, timesMs).forEach((one, i) => {
      if (one === true) passedMs.push(timesMs[i] ?? 0);
    });
    passedMs.forEach((fromMs, from) => {
      passedMs.slice(from).forEach((toMs, count) => {
        expect(count + 1).toBeLessThanOrEqual(rate.messages + (toMs - fromMs) / (rate.perMs / rate.messages));
      });
    });
  });
});

describe("the buckets", () => {
  const limit = (key: string) => ["user", key, 1, 1_000] as const;

  it("give back what a failed batch took", () => {
    const buckets = new Buckets();
    expect(buckets.take([limit("a")], 0)).toBeNull();
    buckets.undo();
    expect(buckets.take([limit("a")], 0)).toBeNull();
    buckets.keep(0);
    buckets.undo();
    expect(buckets.take([limit("a")], 0)).toMatchObject({ waitMs: 1_000 });
  });

  it("stay few: the ones without debt go first, and a flood of keys cannot fill the memory", () => {
    const buckets = new Buckets(100);
    for (let i = 0; i < 100; i++) buckets.take([limit(`old${i}`)], 0);
    buckets.keep(0);
    buckets.take([limit("fresh")], 1_500);
    buckets.keep(1_500);
    expect(buckets.size).toBe(1);
    expect(buckets.take([limit("fresh")], 1_500)).not.toBeNull();
    for (let i = 0; i < 1_000; i++) {
      buckets.take([limit(`flood${i}`)], 1_500);
      buckets.keep(1_500);
      expect(buckets.size).toBeLessThanOrEqual(100);
    }
  });
});
