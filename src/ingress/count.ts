import type { IncomingMessage } from "node:http";
import type { Metrics } from "../telemetry/metrics.ts";

interface Child {
  readonly count: { inc(): void };
  readonly seconds: { observe(seconds: number): void };
}

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/**
 * Counts answered requests by route, not by path: paths are chosen by clients and would grow without bound.
 * The labels of a route are bound once, with its first request.
 */
export function createRequestCounter(routes: ReadonlySet<string>, metrics: Metrics) {
  const children = new Map<string, Child>();

  return function count(incoming: IncomingMessage, status: number, startedAt: number): void {
    const path = incoming.url?.split("?", 1)[0] ?? "";
    const route = routes.has(path) ? path : "other";
    const method = METHODS.has(incoming.method ?? "") ? (incoming.method ?? "") : "other";
    const key = `${status}${method}${route}`;
    let child = children.get(key);
    if (child === undefined) {
      child = {
        count: metrics.httpRequests.labels({ method, route, status: String(status) }),
        seconds: metrics.httpSeconds.labels({ method, route }),
      };
      children.set(key, child);
    }
    child.count.inc();
    child.seconds.observe((performance.now() - startedAt) / 1000);
  };
}
