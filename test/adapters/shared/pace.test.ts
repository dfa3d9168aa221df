import { describe, expect, it } from "vitest";
import { KeyedSlots, Slots } from "../../../adapters/shared/pace.ts";

describe("moments for those who share a limit", () => {
  it("are evenly spaced, in the order in which they are asked for", () => {
    const slots = new Slots(600);
    expect([0, 0, 0].map((nowMs) => slots.take(nowMs))).toEqual([0, 600, 1_200]);
    expect(slots.take(1_700)).toBe(100);
    expect(slots.take(60_000)).toBe(0);
    expect(slots.take(60_000)).toBe(600);
  });

  it("may come several at once after a rest, and never more in a minute than that and what is due", () => {
    const slots = new Slots(5_000, 8);
    const at: number[] = [];
    for (let nowMs = 0; nowMs < 600_000; nowMs += 250) {
      const inMs = slots.take(nowMs);
      at.push(nowMs + inMs);
      nowMs = Math.max(nowMs, nowMs + inMs - 250);
    }
    expect(at.slice(0, 9)).toEqual([0, 250, 500, 750, 1_000, 1_250, 1_500, 1_750, 5_000]);
    for (const begin of at)
      expect(at.filter((ms) => ms >= begin && ms < begin + 60_000).length).toBeLessThanOrEqual(20);
  });

  it("are none while the platform asks for a pause, and evenly spaced after it", () => {
    const slots = new Slots(600, 4);
    slots.rest(10_000);
    expect([0, 0, 0].map(() => slots.take(0))).toEqual([10_000, 10_000, 10_000]);
    const plain = new Slots(600);
    plain.take(0);
    plain.rest(10_000);
    expect([9_000, 9_000].map((nowMs) => plain.take(nowMs))).toEqual([1_000, 1_600]);
  });

  it("are apart for each chat", () => {
    const slots = new KeyedSlots();
    expect([slots.take("a", 1_000, 0), slots.take("b", 1_000, 0), slots.take("a", 1_000, 0)]).toEqual([
      0, 0, 1_000,
    ]);
  });
});
