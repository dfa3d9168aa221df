import type { Role } from "../config/environment.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import { GatewayError } from "../domain/errors.ts";
import type { ComponentReport, Health, ReadyReport, SocketReport } from "../ingress/health.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import { messageOf } from "../shared/fault.ts";
import { iso } from "../shared/time.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Machine } from "./machine.ts";
import { within } from "./within.ts";

export interface HealthDeps {
  readonly version: string;
  readonly startedAtMs: number;
  readonly clock: Clock;
  readonly store: Pick<Store, "journal" | "durability" | "check">;
  /** Where events are kept, in one line. */
  readonly storeReport: () => string;
  /** The local file that takes events while the store is away; null: there is none. */
  readonly spool: { readonly waiting: () => number; readonly check: Store["check"] } | null;
  readonly role: Role;
  readonly dispatcher: Pick<Dispatcher, "lastBeatMs" | "running">;
  /** Those that are on. */
  readonly platforms: readonly string[];
  readonly platform: (name: string) => ComponentReport;
  /** By `platform.socket`; of those that this process may hold. */
  readonly sockets: () => Readonly<Record<string, SocketReport>>;
  readonly models: () => ComponentReport;
  readonly housekeeping: () => ComponentReport;
  readonly configuration: () => ComponentReport;
  /** Where files of messages are kept; absent: none is read. */
  readonly media?: () => ComponentReport;
  readonly machine: Pick<Machine, "disk" | "memory">;
  /** Null: nothing is. */
  readonly paused: () => ComponentReport | null;
  readonly isDraining: () => boolean;
}

type Components = Readonly<Record<string, ComponentReport>>;
type Sockets = Readonly<Record<string, SocketReport>>;

const UNHEARD: ReadonlySet<SocketReport["status"]> = new Set(["connecting", "failed"]);

/** A claim loop that has not come round for this long is stuck. */
const STALLED_MS = 60_000;
/** A probe must not wait for a store that does not answer. */
const STORE_TIMEOUT_MS = 2_000;
/** Whoever asks often is told the same: each look is a write. */
const LOOK_MS = 1_000;

export function createHealth(deps: HealthDeps): Health {
  const { clock, dispatcher } = deps;
  const since = new Map<string, string>();
  const looks = {
    store: lookOf(clock, () => storeReport(deps)),
    spool: lookOf(clock, () => spoolCheck(deps)),
  };

  const heartbeat = () => {
    if (deps.role === "ingress") return { status: "off" as const, last_beat: null, running: 0 };
    const isAlive = clock.nowMs() - dispatcher.lastBeatMs < STALLED_MS;
    return {
      status: isAlive ? ("alive" as const) : ("stalled" as const),
      last_beat: iso(dispatcher.lastBeatMs),
      running: dispatcher.running,
    };
  };

  /** Keeps in mind since when something has been wrong. */
  function dated<Report extends ComponentReport | SocketReport>(name: string, report: Report): Report {
    if (report.status === "ok" || report.status === "standby") {
      since.delete(name);
      return report;
    }
    const first = since.get(name) ?? iso(clock.nowMs());
    since.set(name, first);
    return { since: first, ...report };
  }

  /** A platform that refuses our socket takes nothing away from the others, so that is shown and no more. */
  function reportOf(components: Components, sockets: Sockets = {}): ReadyReport {
    const entries = Object.entries({ ...components, ...sockets }).map(
      ([name, one]) => [name, dated(name, one)] as const,
    );
    const statuses = Object.values(components).map(({ status }) => status);
    const isUnheard = Object.values(sockets).some(({ status }) => UNHEARD.has(status));
    const status = statuses.includes("failed")
      ? "not_ready"
      : statuses.includes("degraded") || isUnheard
        ? "degraded"
        : "ready";
    return {
      status,
      version: deps.version,
      timestamp: iso(clock.nowMs()),
      components: Object.fromEntries(entries),
    };
  }

  const shared = async (): Promise<Components> => ({
    ...(deps.isDraining() && { drain: DRAINING }),
    disk: await deps.machine.disk(),
    memory: deps.machine.memory(),
  });

  return {
    alive: () => ({
      status: "healthy",
      version: deps.version,
      uptime_seconds: Math.round((clock.nowMs() - deps.startedAtMs) / 1000),
    }),
    heartbeat,
    async ready() {
      const [store, spool] = await Promise.all([looks.store(), looks.spool()]);
      const paused = deps.paused();
      const components = {
        store,
        ...(deps.spool !== null && spool !== null && { spool: spoolReport(deps.spool.waiting(), spool) }),
        dispatcher: DISPATCHER[heartbeat().status],
        // An outage of the model must not take away the acknowledgements, so it is shown and no more.
        models: deps.models(),
        ...Object.fromEntries(deps.platforms.map((name) => [name, deps.platform(name)])),
        configuration: deps.configuration(),
        housekeeping: deps.housekeeping(),
        ...(deps.media && { media: deps.media() }),
        ...(await shared()),
        ...(paused !== null && { kill_switch: paused }),
      };
      return reportOf(components, deps.sockets());
    },
    async webhooks() {
      if (deps.role === "worker") return reportOf({ webhooks: NO_WEBHOOKS, ...(await shared()) });
      const [kept, spool] = await Promise.all([looks.store(), looks.spool()]);
      return reportOf({
        // What the spool takes is durable, too.
        store: kept.status === "failed" && isTaking(spool) ? { ...kept, status: "degraded" } : kept,
        // Without need of it, a spool that fails is something to look at.
        ...(spool !== null && {
          spool:
            spool.status === "failed" && kept.status !== "failed" ? { ...spool, status: "degraded" } : spool,
        }),
        ...(await shared()),
      });
    },
  };
}

const LEVELS: Readonly<Record<ComponentReport["status"] | SocketReport["status"], number>> = {
  ok: 0,
  standby: 0,
  degraded: 1,
  connecting: 1,
  failed: 2,
};

/** What a probe is told, for whoever scrapes: alerts must not depend on somebody who asks /ready. */
export function showHealth(health: Pick<Health, "ready">, metrics: Metrics): void {
  metrics.beforeScrape(async () => {
    const { status, components } = await health.ready();
    metrics.ready.set(status === "not_ready" ? 0 : 1);
    // Some are there only while they are not well.
    metrics.componentStatus.reset();
    for (const [component, one] of Object.entries(components))
      metrics.componentStatus.set({ component }, LEVELS[one.status]);
  });
}

const DISPATCHER: Readonly<Record<"alive" | "stalled" | "off", ComponentReport>> = {
  alive: { status: "ok", details: "claims and runs" },
  stalled: { status: "failed", code: "DISPATCHER_STALLED", details: "the claim loop is stuck" },
  off: { status: "ok", details: "this replica takes webhooks and runs nothing" },
};
const DRAINING: ComponentReport = { status: "failed", code: "DRAINING", details: "shutting down" };
const NO_WEBHOOKS: ComponentReport = {
  status: "failed",
  code: "NOT_INGRESS",
  details: "this replica is a worker; webhooks go to those whose role is ingress or all",
};

/** One look serves all who ask within its time. */
function lookOf<T>(clock: Clock, look: () => Promise<T>): () => Promise<T> {
  let last: { readonly atMs: number; readonly report: Promise<T> } | null = null;
  return () => {
    const nowMs = clock.nowMs();
    if (last === null || Math.abs(nowMs - last.atMs) >= LOOK_MS) last = { atMs: nowMs, report: look() };
    return last.report;
  };
}

const isTaking = (spool: ComponentReport | null) => spool !== null && spool.status !== "failed";

/** Shown, and no more: what waits there was acknowledged and is safe; a file that fails is not needed while the store is well. */
function spoolReport(waiting: number, check: ComponentReport): ComponentReport {
  if (check.status !== "ok") return { ...check, status: "degraded" };
  return waiting === 0
    ? { status: "ok", details: "empty" }
    : {
        status: "degraded",
        code: "SPOOLED",
        details: `${waiting} acknowledged and waiting for the store to come back`,
      };
}

async function spoolCheck({ spool, clock }: HealthDeps): Promise<ComponentReport | null> {
  if (spool === null) return null;
  return await looked(clock, async () => {
    const health = await spool.check();
    return { ...health, details: health.details ?? `takes events; ${spool.waiting()} waiting` };
  });
}

/** Reading works on a full disk, and with a Redis that takes nothing: what counts is whether an event would be taken. */
async function storeReport({ store, storeReport: where, clock }: HealthDeps): Promise<ComponentReport> {
  return await looked(clock, async () => {
    const asked = store.journal.stats();
    asked.catch(() => {}); // What the check says tells more.
    const health = await store.check();
    if (health.status === "failed") return { ...health, details: health.details ?? "it takes no events" };
    const stats = await asked;
    const waiting = stats.queued + stats.retrying;
    const parked = stats.parked === 0 ? "" : `, ${stats.parked} parked`;
    const usual = `${where()}; acknowledgements survive: ${store.durability}; ${waiting} waiting${parked}`;
    return { ...health, details: health.details ?? usual };
  });
}

async function looked(clock: Clock, look: () => Promise<ComponentReport>): Promise<ComponentReport> {
  const failed = (code: string, details: string) => ({ status: "failed" as const, code, details });
  try {
    const report = await within(look(), STORE_TIMEOUT_MS, clock);
    return report ?? failed("STORE_UNAVAILABLE", `no answer within ${STORE_TIMEOUT_MS} ms`);
  } catch (error) {
    const what = messageOf(error);
    return failed(error instanceof GatewayError ? error.code : "STORE_WRITE_FAILED", what);
  }
}
