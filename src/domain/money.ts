/**
 * Millionths of a US cent, whole. What a day's budget counts in: sums of fractions drift, and a cap that is exact must
 * not. A million dollars are 1e14 of them, far below the largest whole number.
 */
export type Microcents = number;

const PER_CENT = 1_000_000;
/** Less than this is the noise of fractions, and not money. */
const NOISE = 1e-3;

/** Rounded up: what is held or was spent is never less than it costs. */
export function microcentsOf(cents: number): Microcents {
  return Math.max(0, Math.ceil(cents * PER_CENT - NOISE));
}

export function centsOf(microcents: Microcents): number {
  return microcents / PER_CENT;
}

/** What was set aside for one model call before it was made. */
export interface MoneyHold {
  /** Of this call alone. */
  readonly id: string;
  /** On whose budget it is, as `2026-11-29`. */
  readonly day: string;
  /** The most that the call can cost. */
  readonly cents: number;
}
