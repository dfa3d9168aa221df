/** Times, sums and spans as people read them. */

const clock = new Intl.DateTimeFormat(undefined, {
  hourCycle: "h23",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const day = new Intl.DateTimeFormat(undefined, {
  hourCycle: "h23",
  dateStyle: "medium",
  timeStyle: "medium",
});
const number = new Intl.NumberFormat();
const money = new Intl.NumberFormat(undefined, {
  style: "currency",
  currency: "USD",
  maximumFractionDigits: 4,
});

export const timeOf = (iso: string) => clock.format(new Date(iso));
export const dayOf = (iso: string) => day.format(new Date(iso));
export const count = (value: number) => number.format(value);
export const dollars = (cents: number) => money.format(cents / 100);

const SPANS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/** `3 minutes`, and `now` for less than one. */
export function span(seconds: number): string {
  const found = SPANS.find(([, length]) => seconds >= length);
  if (found === undefined) return `${Math.max(0, Math.round(seconds))} s`;
  const n = Math.floor(seconds / found[1]);
  return `${n} ${found[0]}${n === 1 ? "" : "s"}`;
}

export function ago(iso: string, nowMs: number = Date.now()): string {
  const seconds = (nowMs - Date.parse(iso)) / 1000;
  return seconds < 5 ? "now" : `${span(seconds)} ago`;
}

export function plural(n: number, one: string, many: string = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
