export interface ComponentReport {
  readonly status: "ok" | "off" | "degraded" | "failed";
  readonly details?: string;
  readonly code?: string;
}

export interface ReadyReport {
  readonly status: "ready" | "unavailable";
  readonly components: Readonly<Record<string, ComponentReport>>;
}

/** What the probes ask. A failed component takes readiness away; a degraded one is only shown. */
export interface Health {
  alive(): { status: "healthy"; version: string; uptime_seconds: number };
  ready(): Promise<ReadyReport>;
  /** Of what claims and runs; `off` where that is left to other replicas. */
  heartbeat(): { status: "alive" | "stalled" | "off"; last_beat: string | null; running: number };
}
