import type { Platform } from "../domain/event.ts";

/** What became of a turn. `skipped`: it was due while nobody was there, and `missed` says so; `off`: its `enabled` is false. */
export const TURN_OUTCOMES = ["fired", "skipped", "off", "paused", "platform_off"] as const;
export type TurnOutcome = (typeof TURN_OUTCOMES)[number];

/** A schedule of the configuration, and how far it has got. */
export interface ScheduleReport {
  readonly name: string;
  readonly cron: string;
  readonly timeZone: string;
  readonly agent: string;
  readonly platform: Platform;
  readonly tenant: string;
  readonly place: string;
  readonly thread: string | null;
  readonly conversation: string;
  readonly missed: "run_once" | "skip";
  readonly isEnabled: boolean;
  readonly isPaused: boolean;
  /** Null: never again. */
  readonly nextDueMs: number | null;
  /** When the turn was due that was fired last; null: none is known. */
  readonly firedMs: number | null;
  /** Of the last turn; null: there was none. */
  readonly outcome: TurnOutcome | null;
}

/** Schedules as operators see them, in the order of the configuration. Rejects with STORE_*. */
export interface ScheduleDesk {
  list(): Promise<readonly ScheduleReport[]>;
}
