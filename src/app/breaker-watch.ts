import { hostname } from "node:os";
import type { BreakerObserver, BreakerReport, Breakers } from "../domain/breaker.ts";
import { isModelRefusal } from "../domain/errors.ts";
import { breakerClosed, breakerOpened, modelRefused } from "../domain/happened.ts";
import type { ComponentReport } from "../ingress/health.ts";
import type { Clock } from "../ports/clock.ts";
import type { Hooks } from "../ports/hooks.ts";
import { iso } from "../shared/time.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

const STATES = { closed: 0, "half-open": 1, open: 2 } as const;

export interface BreakerWatchDeps {
  /** Absent: nobody is told. */
  readonly hooks?: Pick<Hooks, "emit">;
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Pick<Logger, "warn">;
  readonly metrics: Metrics;
}

/** When a model or a platform is begun to be left alone, and when it is well again: a line, a count, and word to hooks. */
export function breakerWatch(
  kind: "model" | "platform",
  { hooks, clock, log, metrics }: BreakerWatchDeps,
): BreakerObserver {
  const of = (name: string) => ({ kind, name, host: hostname() });
  return {
    opened(name, cause) {
      const { code, message } = cause;
      metrics.breakerOpens.inc({ kind, name });
      log.warn({ kind, name, code, cause: message }, "breaker.opened");
      hooks?.emit(breakerOpened(of(name), cause, clock.nowMs()));
      if (kind === "model" && isModelRefusal(code)) hooks?.emit(modelRefused(of(name), cause, clock.nowMs()));
    },
    closed(name, openMs) {
      log.warn({ kind, name, open_ms: openMs }, "breaker.closed");
      hooks?.emit(breakerClosed(of(name), openMs, clock.nowMs()));
    },
  };
}

/** The gauge is read, because an open breaker becomes half-open by itself. */
export function showBreakers(
  kind: "model" | "platform",
  reports: () => readonly BreakerReport[],
  metrics: Metrics,
): void {
  metrics.beforeScrape(async () => {
    for (const { name, state } of reports()) {
      metrics.breakerState.set({ kind, name }, STATES[state]);
      // At 0 from the first look on: `increase` sees what comes later.
      metrics.breakerOpens.inc({ kind, name }, 0);
    }
  });
}

export interface KindOfBreaker extends BreakerReport {
  readonly kind: "model" | "platform";
}

/** Of every model and platform that is in use, also where it was never called. */
export function breakersOf({
  platforms,
  breakers,
  agents,
}: {
  readonly platforms: readonly string[];
  readonly breakers: Breakers;
  readonly agents: { readonly breakers: () => readonly BreakerReport[] };
}): readonly KindOfBreaker[] {
  return [
    ...agents.breakers().map((report) => ({ kind: "model" as const, ...report })),
    ...[...new Set([...platforms, ...breakers.reports().map(({ name }) => name)])].map((name) => ({
      kind: "platform" as const,
      ...breakers.of(name).report(),
    })),
  ];
}

/** Of a platform, and of what fails apart within it. */
export function reportsOf(platform: string, breakers: Pick<Breakers, "reports">): readonly BreakerReport[] {
  return breakers.reports().filter(({ name }) => name === platform || name.startsWith(`${platform}:`));
}

/** Of what is left alone: shown, and no more, because events wait for it. Null: none of them is. */
export function restingReport(reports: readonly BreakerReport[]): ComponentReport | null {
  const resting = reports.filter(({ state }) => state !== "closed");
  const [first] = resting;
  if (first === undefined) return null;
  const why = resting.map(({ name, cause }) => `${name} (${cause?.code}: ${cause?.message})`);
  return {
    status: "degraded",
    details: `not called for now, and asked again now and then: ${why.join("; ")}`,
    ...(first.cause !== null && { code: first.cause.code }),
    ...(first.sinceMs !== null && { since: iso(first.sinceMs) }),
  };
}
