/**
 * The generic cell rate algorithm: a limit is one number, the time at which its bucket will be empty of debt.
 * Each message adds `perMs / messages` to it; it may run ahead of now by `perMs`. So `messages` pass at once,
 * then one each `perMs / messages`, and a window's end never allows a second burst. Expects time that never goes back.
 */
export interface Rate {
  readonly messages: number;
  readonly perMs: number;
}

/** Sums of fractions may end a hair above `perMs`. */
const ROUNDING_MS = 1e-3;

/** The bucket's next value if one more message passes. `debtUntilMs` is undefined for an unused bucket. */
export function charge(debtUntilMs: number | undefined, rate: Rate, nowMs: number): number {
  return Math.max(debtUntilMs ?? nowMs, nowMs) + rate.perMs / rate.messages;
}

/** How long until a message with this charge may pass, in whole ms; 0: it may pass now. */
export function waitMs(chargedMs: number, rate: Rate, nowMs: number): number {
  const excessMs = chargedMs - nowMs - rate.perMs;
  return excessMs <= ROUNDING_MS ? 0 : Math.ceil(excessMs - ROUNDING_MS);
}
