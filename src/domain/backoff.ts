/**
 * Delay before a retry: exponential with full jitter over its upper half, so that many jobs
 * that failed together do not come back together.
 *
 * | attempt | base 5 s, capped at 5 min |
 * |-|-|
 * | 1 | 2.5–5 s |
 * | 2 | 5–10 s |
 * | 3 | 10–20 s |
 *
 * `attempt` counts from 1; `random` is in [0, 1).
 */
export function backoffMs(
  attempt: number,
  options: { baseMs: number; capMs: number; exponential: boolean },
  random: () => number,
): number {
  const factor = options.exponential ? 2 ** Math.min(attempt - 1, 30) : 1;
  const ceilingMs = Math.min(options.capMs, options.baseMs * factor);
  return Math.round(ceilingMs / 2 + (ceilingMs / 2) * random());
}
