import { withoutSecrets } from "./secrets.ts";
import { type Entry, Mapping, type Report, snakeOf } from "./source.ts";

/** What keys hold, as the kind of value that is wanted. What is something else is reported and left out. */

function odd({ place }: Entry, wanted: string, report: Report): undefined {
  report(place, `left out: expected ${wanted}`);
}

/** Text as it stands: nothing in it is a reference to a variable, and no secret stays in it. */
export function textOf(entry: Entry | undefined, report: Report): string | undefined {
  const raw = rawText(entry, report);
  return raw === undefined || entry === undefined ? undefined : literal(raw, entry, report);
}

export function literal(raw: string, { place }: Entry, report: Report): string {
  return escaped(withoutSecrets(raw, place, report));
}

export function escaped(text: string): string {
  return text.replaceAll("${", () => "$${");
}

export function rawText(entry: Entry | undefined, report: Report): string | undefined {
  if (entry === undefined) return undefined;
  const { value } = entry;
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return odd(entry, "text", report);
}

/** A list, or a single thing in place of one. */
export function listOf(entry: Entry | undefined): readonly Entry[] {
  if (entry === undefined) return [];
  return Array.isArray(entry.value) ? (entry.value as readonly Entry[]) : [entry];
}

export function flagOf(entry: Entry | undefined, report: Report): boolean | undefined {
  if (entry === undefined) return undefined;
  const { value } = entry;
  if (typeof value === "boolean") return value;
  if (value === "true" || value === "false") return value === "true";
  return odd(entry, "true or false", report);
}

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** A whole number, brought into what is allowed here. */
export function countOf(entry: Entry | undefined, range: Range, report: Report): number | undefined {
  const given = numberOf(entry, report);
  return given === undefined || entry === undefined
    ? undefined
    : within(Math.round(given), range, entry, report);
}

export function numberOf(entry: Entry | undefined, report: Report): number | undefined {
  if (entry === undefined) return undefined;
  const { value } = entry;
  const given = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof given === "number" && Number.isFinite(given) ? given : odd(entry, "a number", report);
}

export function within(given: number, { min, max }: Range, { place }: Entry, report: Report): number {
  const held = Math.min(max, Math.max(min, given));
  if (held !== given) report(place, `${given} became ${held}: from ${min} to ${max} is possible here`);
  return held;
}

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

/** `300`, `300s`, `5m`, `PT30M`. */
export function secondsOf(entry: Entry | undefined, max: number, report: Report): number | undefined {
  if (entry === undefined) return undefined;
  const seconds = typeof entry.value === "number" ? entry.value : durationIn(entry.value);
  if (seconds === null) return odd(entry, "a time such as 300 or 5m", report);
  return within(Math.ceil(seconds), { min: 1, max }, entry, report);
}

function durationIn(value: unknown): number | null {
  if (typeof value !== "string") return null;
  const [, number, unit = "s"] = /^\s*(\d{1,12}(?:\.\d{1,6})?)\s*(ms|[smhdw])?\s*$/i.exec(value) ?? [];
  if (number !== undefined) return Number(number) * (UNITS[unit.toLowerCase()] ?? 1);
  const iso = /^P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9}(?:\.\d{1,6})?)S)?)?$/.exec(
    value,
  );
  if (iso === null) return null;
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = iso.slice(1).map((part) => Number(part ?? 0));
  return days * 86_400 + hours * 3_600 + minutes * 60 + seconds;
}

/** What has no counterpart. Of a mapping that was looked into, what nobody asked for. */
export function reportRest(mapping: Mapping | undefined, report: Report, hints: Hints = {}): void {
  for (const [name, { place }] of mapping?.takeRest() ?? []) {
    const key = snakeOf(name);
    const hint = Object.hasOwn(hints, key) ? hints[key] : undefined;
    report(place, hint ?? "has no counterpart; left out");
  }
}
export type Hints = Readonly<Record<string, string>>;

export function mappingOf(entry: Entry | undefined, report: Report): Mapping | undefined {
  if (entry === undefined) return undefined;
  return entry.value instanceof Mapping ? entry.value : odd(entry, "a mapping", report);
}
