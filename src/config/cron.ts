import { Cron } from "croner";
import { DAY_MS } from "../shared/time.ts";

/** When something is due: five fields of cron, in a time zone. */
export interface Timetable {
  readonly cron: string;
  readonly time_zone: string;
}

/** Null: it is one. */
export function cronFault(cron: string): string | null {
  try {
    // What never comes (30 February) is a mistake, too.
    return of({ cron, time_zone: "UTC" }).nextRun() === null
      ? "expected a time that comes, got one that never does"
      : null;
  } catch {
    return "expected five fields such as `0 9 * * 1-5`: minute, hour, day of the month, month, day of the week";
  }
}

/** The first time after this; null: there is none. */
export function nextDueMs(table: Timetable, afterMs: number): number | null {
  return of(table).nextRun(new Date(afterMs))?.getTime() ?? null;
}

/** The last time after `afterMs` and not after `untilMs`; null: there was none. */
export function lastDueMs(table: Timetable, afterMs: number, untilMs: number): number | null {
  let last: number | null = null;
  // From a day before on: whoever was away for a year has missed one turn as well as another.
  let from = Math.max(afterMs, untilMs - LOOK_BACK_MS);
  const first = nextDueMs(table, afterMs);
  if (first === null || first > untilMs) return null;
  for (let due = nextDueMs(table, from); due !== null && due <= untilMs; due = nextDueMs(table, from)) {
    last = due;
    from = due;
  }
  return last ?? latestOf(table, first, untilMs);
}

const LOOK_BACK_MS = DAY_MS;

/** Of what is due seldom. */
function latestOf(table: Timetable, first: number, untilMs: number): number {
  let last = first;
  for (let due = nextDueMs(table, last); due !== null && due <= untilMs; due = nextDueMs(table, last))
    last = due;
  return last;
}

function of({ cron, time_zone }: Timetable): Cron {
  return new Cron(cron, { mode: "5-part", timezone: time_zone, paused: true });
}
