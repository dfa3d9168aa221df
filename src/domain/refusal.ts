/** Why an event was not run. Counted, recorded, and told to the person at most once per window. */
export const REFUSAL_CAUSES = [
  "rate_limited",
  "not_allowed",
  "paused",
  "too_old",
  "not_installed",
  "busy",
] as const;
export type RefusalCause = (typeof REFUSAL_CAUSES)[number];

export interface Refusal {
  readonly cause: RefusalCause;
  /** What exactly, for the operator: `user`, `tenant T1`, `dm`. Never message text. */
  readonly detail: string;
  /** The person hears of it once in this time; 0: never (bots, old events). */
  readonly noticeWindowMs: number;
  readonly retryAfterMs?: number;
}
