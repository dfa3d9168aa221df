export interface ComponentReport {
  readonly status: "ok" | "off" | "degraded" | "failed";
  readonly details?: string;
}

export interface ReadyReport {
  readonly status: "ready" | "unavailable";
  readonly components: Readonly<Record<string, ComponentReport>>;
}

/** What the probes ask. A failed component takes readiness away; a degraded one is only shown. */
export interface Health {
  alive(): { status: "healthy"; version: string; uptime_seconds: number };
  ready(): Promise<ReadyReport>;
  heartbeat(): { status: "alive" | "stalled"; last_beat: string; running: number };
}
