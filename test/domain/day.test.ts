import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Calendar } from "../../src/domain/day.ts";
import { centsOf, microcentsOf } from "../../src/domain/money.ts";

const HOUR_MS = 3_600_000;
const at = (iso: string) => Date.parse(iso);

describe("a calendar day", () => {
  it.each([
    ["UTC", "2026-11-29T23:59:59.999Z", "2026-11-29", 1],
    ["Europe/Berlin", "2026-11-29T23:00:00Z", "2026-11-30", 24 * HOUR_MS],
    ["Asia/Kolkata", "2026-11-29T18:29:59Z", "2026-11-29", 1_000],
    ["Pacific/Kiritimati", "2026-11-29T10:00:00Z", "2026-11-30", 24 * HOUR_MS],
    // The clocks go forward, and back.
    ["Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29", 23 * HOUR_MS],
    ["Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25", 25 * HOUR_MS],
    // A day that begins at one o'clock, and one that never was.
    ["America/Santiago", "2026-09-06T03:00:00Z", "2026-09-05", HOUR_MS],
    ["Pacific/Apia", "2011-12-30T09:00:00Z", "2011-12-29", HOUR_MS],
  ])("in %s at %s is %s, for %i ms more", (timeZone, iso, day, leftMs) => {
    const calendar = new Calendar(timeZone);
    expect([calendar.dayAt(at(iso)), calendar.msToNextDay(at(iso))]).toEqual([day, leftMs]);
  });
});

describe("millionths of a cent", () => {
  it("are whole, and never less than what they stand for", () => {
    expect([0.1 + 0.2, 3, 0, -1, 1e-9, 0.0000011].map(microcentsOf)).toEqual([300_000, 3e6, 0, 0, 0, 2]);
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e8, noNaN: true }), (cents) => {
        const micro = microcentsOf(cents);
        expect(Number.isSafeInteger(micro)).toBe(true);
        expect(centsOf(micro)).toBeGreaterThanOrEqual(cents - 1e-8);
        expect(centsOf(micro)).toBeLessThan(cents + 1.1e-6);
      }),
    );
  });
});
