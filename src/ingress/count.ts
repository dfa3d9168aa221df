import type { Metrics } from "../telemetry/metrics.ts";

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

const API = "/api/v1/";

/** Counts one answered request; `startedAt` is by the clock of `performance`. */
export type Count = (status: number, startedAt: number) => void;

/**
 * Counts answered requests by route, not by path: paths are chosen by clients and would grow without bound.
 * The labels of a route are bound once. `adminRoute` tells those of the API.
 */
export function createRequestCounter(
  routes: ReadonlySet<string>,
  metrics: Metrics,
  adminRoute: (path: string) => string | undefined = () => undefined,
) {
  const counts = new Map<string, Count>();

  return function countOf(method: string | undefined, path: string): Count {
    const route = routes.has(path) ? path : (path.startsWith(API) && adminRoute(path)) || "other";
    const known = METHODS.has(method ?? "") ? (method ?? "") : "other";
    const key = `${known}${route}`;
    const count = counts.get(key) ?? createCount(known, route, metrics);
    counts.set(key, count);
    return count;
  };
}

function createCount(method: string, route: string, metrics: Metrics): Count {
  const seconds = metrics.httpSeconds.labels({ method, route });
  const requests = new Map<number, { inc(): void }>();
  return (status, startedAt) => {
    let child = requests.get(status);
    if (child === undefined) {
      child = metrics.httpRequests.labels({ method, route, status: String(status) });
      requests.set(status, child);
    }
    child.inc();
    seconds.observe((performance.now() - startedAt) / 1000);
  };
}
