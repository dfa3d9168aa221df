import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMs } from "../../src/domain/backoff.ts";

describe("backoffMs", () => {
  const options = { baseMs: 5_000, capMs: 300_000, exponential: true };

  it("doubles from attempt to attempt, jittered over the upper half", () => {
    expect(backoffMs(1, options, () => 0)).toBe(2_500);
    expect(backoffMs(1, options, () => 1)).toBe(5_000);
    expect(backoffMs(3, options, () => 0)).toBe(10_000);
  });

  it("stays between half and all of the cap for any attempt", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 10_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, chance) => {
          const delay = backoffMs(attempt, options, () => chance);
          expect(delay >= 150_000 && delay <= 300_000).toBe(true);
        },
      ),
    );
  });

  it("stays at its base when it is not exponential", () => {
    expect(backoffMs(7, { ...options, exponential: false }, () => 1)).toBe(5_000);
  });
});
