import { describe, expect, it } from "vitest";
import { createNewId } from "../../src/system/ids.ts";
import { FakeClock } from "../support/clock.ts";

describe("an id", () => {
  it("is its prefix and 20 characters that need no escaping anywhere", () => {
    expect(createNewId(new FakeClock())("run")).toMatch(/^run_[0-9a-v]{20}$/);
  });

  it("is unique, also within a millisecond", () => {
    const newId = createNewId(new FakeClock());
    // More than the pool of random bytes holds at once.
    const ids = Array.from({ length: 5_000 }, () => newId("req"));
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(ids.map((id) => id.length))).toEqual(new Set([24]));
  });

  it("is unique also among makers that start in the same millisecond", () => {
    const clock = new FakeClock();
    expect(createNewId(clock)("run")).not.toBe(createNewId(clock)("run"));
  });

  it("sorts by time, over any stretch of it", () => {
    const clock = new FakeClock();
    const newId = createNewId(clock);
    const ids: string[] = [];
    for (const ms of [1, 1, 31, 1_000, 86_400_000, 31_536_000_000, 3_153_600_000_000]) {
      ids.push(newId("run"));
      clock.advance(ms);
    }
    ids.push(newId("run"));
    expect(ids.toSorted()).toEqual(ids);
  });
});
