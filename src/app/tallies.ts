/** Attempts that should have given an answer and did not; a person's stop, a budget and a drain are none of these. */
const FAILED: ReadonlySet<string> = new Set(["failed", "retried", "deferred"]);

export function isFailedAttempt(outcome: string): boolean {
  return FAILED.has(outcome);
}

/**
 * The value below which so much of a histogram lies, as `histogram_quantile` of Prometheus finds it. `buckets` is by
 * upper bound (`le`), each with all below it. Beyond the last bound it is that bound; null: nothing was observed.
 */
export function quantile(share: number, buckets: ReadonlyMap<string, number>): number | null {
  const sorted = [...buckets]
    .map(([le, count]) => ({ le: le === "+Inf" ? Infinity : Number(le), count }))
    .sort((a, b) => a.le - b.le);
  const rank = share * (sorted.at(-1)?.count ?? 0);
  if (rank === 0) return null;
  let below = { le: 0, count: 0 };
  for (const bucket of sorted) {
    if (bucket.count >= rank) {
      if (bucket.le === Infinity) return below.le;
      const within = (rank - below.count) / (bucket.count - below.count);
      return below.le + (bucket.le - below.le) * within;
    }
    below = bucket;
  }
  return below.le;
}
