/** Days as people count them, in the time zone of whoever pays: a budget begins anew at their midnight. */
export class Calendar {
  readonly timeZone: string;
  readonly #format: Intl.DateTimeFormat;

  /** Throws RangeError when nobody knows the zone. */
  constructor(timeZone: string) {
    this.timeZone = timeZone;
    const parts = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
    this.#format = new Intl.DateTimeFormat("en-CA", { timeZone, calendar: "iso8601", ...parts });
  }

  /** As `2026-11-29`. */
  dayAt(nowMs: number): string {
    return this.#format.format(nowMs);
  }

  /** How long until the next day begins: a day may have 23 or 25 hours, and begin later than midnight. */
  msToNextDay(nowMs: number): number {
    const today = this.dayAt(nowMs);
    let before = nowMs;
    let after = nowMs + LONGEST_DAY_MS;
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.dayAt(middle) === today) before = middle;
      else after = middle;
    }
    return after - nowMs;
  }
}

/** Of those that were and are to be; zones have moved by an hour or two, and by a whole day over the date line. */
const LONGEST_DAY_MS = 49 * 3_600_000;
