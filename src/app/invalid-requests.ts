import type { ComponentReport } from "../ingress/health.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** From this share of what is held at on, somebody should look. */
const TOLD_FROM = 0.5;

/** Of a platform that is near to shutting us out; null: it is not, or none does. */
export function invalidRequestsReport(
  adapter: Pick<Adapter, "invalidRequests"> | undefined,
): ComponentReport | null {
  const report = adapter?.invalidRequests?.();
  if (report === undefined || report.count < report.heldAt * TOLD_FROM) return null;
  const { count, heldAt, bannedAt, isHeld } = report;
  const then = isHeld ? "hardly any is made until there are fewer" : `from ${heldAt} on hardly any is made`;
  return {
    status: "degraded",
    code: "INVALID_REQUESTS",
    details: `${count} requests were refused (401, 403, 429) of the ${bannedAt} at which the platform shuts out this address; ${then}`,
  };
}

/** Read at each scrape, because they become fewer by themselves. */
export function showInvalidRequests(adapters: readonly Adapter[], metrics: Metrics): void {
  metrics.beforeScrape(async () => {
    for (const adapter of adapters) {
      const report = adapter.invalidRequests?.();
      if (report !== undefined) metrics.invalidRequests.set({ platform: adapter.platform }, report.count);
    }
  });
}
