import type { Metrics } from "./metrics.ts";

const SURFACES = ["admin", "developer", "metrics"];
const SCOPES = ["user", "conversation", "tenant", "global"];
const DAY_SCOPES = ["user", "conversation", "tenant", "agent", "global"];

/**
 * Series of what should seldom happen, at 0 from the start: `increase` in Prometheus sees only what a series becomes
 * after it was first scraped, and the first time is when somebody should hear of it.
 */
export function beginAtZero(
  metrics: Metrics,
  { platforms, agents }: { readonly platforms: readonly string[]; readonly agents: readonly string[] },
): void {
  for (const platform of platforms) {
    for (const outcome of ["accepted", "duplicate", "unavailable", "forged", "stale"])
      metrics.webhooks.inc({ platform, outcome }, 0);
    for (const outcome of ["sent", "retry", "rejected", "refused", "unknown"])
      metrics.replies.inc({ platform, outcome }, 0);
    for (const scope of SCOPES) metrics.rateLimited.inc({ platform, scope }, 0);
    for (const counter of [metrics.deadLetters, metrics.crashes, metrics.platform429, metrics.duplicates])
      counter.inc({ platform }, 0);
  }
  for (const agent of agents) {
    for (const outcome of ["answered", "failed", "retried", "deferred"])
      metrics.runAttempts.inc({ agent, outcome }, 0);
    for (const budget of ["time", "tokens", "cost", "steps", ...DAY_SCOPES])
      metrics.budgetExceeded.inc({ agent, budget }, 0);
  }
  for (const scope of DAY_SCOPES) metrics.budgetWarnings.inc({ scope }, 0);
  for (const surface of SURFACES)
    for (const answer of ["wrong", "slowed"]) metrics.authFailures.inc({ surface, answer }, 0);
  for (const outcome of ["refused", "failed"]) metrics.configReloads.inc({ outcome }, 0);
}
