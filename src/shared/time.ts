export const DAY_MS = 86_400_000;

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: DAY_MS } as const;
const SPAN = /^(\d{1,6})(s|m|h|d)$/;
/** A date, or a date with a time; without a zone it is UTC. */
const DATE = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/i;

/** Of `30m`, `2h` or `7d`; null for anything else. */
export function spanMs(text: string): number | null {
  const span = SPAN.exec(text);
  return span === null ? null : Number(span[1]) * UNIT_MS[span[2] as keyof typeof UNIT_MS];
}

/** `30m`, `2h` or `7d` before now, or an ISO time; null for anything else. */
export function momentMs(text: string, nowMs: number): number | null {
  const span = spanMs(text);
  if (span !== null) return nowMs - span;
  const date = DATE.exec(text);
  if (date === null) return null;
  const [day = ""] = text.split(/[T ]/i);
  if (!isDay(day)) return null;
  const isZoned = text.length <= 10 || date[1] !== undefined;
  const ms = Date.parse(isZoned ? text : `${text}Z`);
  return Number.isNaN(ms) ? null : ms;
}

/** As `2026-11-29`. Of a day that there is not, such as 31 February, JavaScript makes another. */
export function isDay(text: string): boolean {
  const midnight = new Date(`${text}T00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(text);
}

export function isMoment(text: string): boolean {
  return momentMs(text, 0) !== null;
}

/** A platform may claim any time; beyond this one there is no date. */
const DATE_MS_MAX = 8.64e15;

export function iso(ms: number): string {
  return new Date(Math.min(ms, DATE_MS_MAX)).toISOString();
}
