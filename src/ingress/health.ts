export interface ComponentReport<Status extends string = "ok" | "degraded" | "failed"> {
  readonly status: Status;
  readonly details: string;
  /** Of one that is not well; see docs/errors.md. */
  readonly code?: string;
  /** When it was first found so, in ISO form. */
  readonly since?: string;
}

/** `standby`: another process holds it. */
export type SocketReport = ComponentReport<"ok" | "standby" | "connecting" | "failed">;

/** `degraded`: something needs a look, and the work goes on. */
export interface ReadyReport {
  readonly status: "ready" | "degraded" | "not_ready";
  readonly version: string;
  readonly timestamp: string;
  readonly components: Readonly<Record<string, ComponentReport | SocketReport>>;
}

/** What the probes ask. A failed component takes readiness away, unless it is a socket; a degraded one is only shown. */
export interface Health {
  alive(): { status: "healthy"; version: string; uptime_seconds: number };
  ready(): Promise<ReadyReport>;
  /** Whether webhooks are taken durably, be it into the spool. */
  webhooks(): Promise<ReadyReport>;
  /** Of what claims and runs; `off` where that is left to other replicas. */
  heartbeat(): { status: "alive" | "stalled" | "off"; last_beat: string | null; running: number };
}
