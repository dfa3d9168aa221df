import type { Role } from "../config/environment.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import { GatewayError } from "../domain/errors.ts";
import type { ComponentReport, Health } from "../ingress/health.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import { within } from "./within.ts";

export interface HealthDeps {
  readonly version: string;
  readonly startedAtMs: number;
  readonly clock: Clock;
  readonly store: Pick<Store, "journal" | "durability" | "check">;
  /** Where events are kept, in one line. */
  readonly storeReport: string;
  /** Events in the local file that wait for the store; null: there is no spool. */
  readonly spooled: (() => number) | null;
  readonly role: Role;
  readonly dispatcher: Pick<Dispatcher, "lastBeatMs" | "running">;
  /** Those that are on. */
  readonly platforms: readonly string[];
  /** Whether replies to a platform keep failing, so that it is not called for now. */
  readonly isResting: (platform: string) => boolean;
  readonly models: () => ComponentReport;
  readonly isPaused: () => boolean;
  readonly isDraining: () => boolean;
}

/** A claim loop that has not come round for this long is stuck. */
const STALLED_MS = 60_000;
/** A probe must not wait for a store that does not answer. */
const STORE_TIMEOUT_MS = 2_000;

export function createHealth(deps: HealthDeps): Health {
  const { clock, dispatcher } = deps;
  const heartbeat = () => {
    if (deps.role === "ingress") return { status: "off" as const, last_beat: null, running: 0 };
    const isAlive = clock.nowMs() - dispatcher.lastBeatMs < STALLED_MS;
    return {
      status: isAlive ? ("alive" as const) : ("stalled" as const),
      last_beat: new Date(dispatcher.lastBeatMs).toISOString(),
      running: dispatcher.running,
    };
  };
  return {
    alive: () => ({
      status: "healthy",
      version: deps.version,
      uptime_seconds: Math.round((clock.nowMs() - deps.startedAtMs) / 1000),
    }),
    heartbeat,
    async ready() {
      const components: Record<string, ComponentReport> = {
        store: await storeReport(deps),
        ...(deps.spooled !== null && { spool: spoolReport(deps.spooled()) }),
        dispatcher: DISPATCHER[heartbeat().status],
        // An outage of the model must not take away the acknowledgements, so it is shown and no more.
        models: deps.models(),
        ...Object.fromEntries(deps.platforms.map((name) => [name, platformReport(name, deps)])),
        ...(deps.isPaused() && {
          kill_switch: { status: "degraded", details: "on: messages are answered that the bot is paused" },
        }),
        ...(deps.isDraining() && { drain: { status: "failed", details: "shutting down" } }),
      };
      const isReady = Object.values(components).every(({ status }) => status !== "failed");
      return { status: isReady ? "ready" : "unavailable", components };
    },
  };
}

const DISPATCHER: Readonly<Record<"alive" | "stalled" | "off", ComponentReport>> = {
  alive: { status: "ok" },
  stalled: { status: "failed", details: "the claim loop is stuck" },
  off: { status: "off", details: "this replica takes webhooks and runs nothing" },
};

/** Shown, and no more: what waits there was acknowledged and is safe. */
function spoolReport(waiting: number): ComponentReport {
  return waiting === 0
    ? { status: "ok" }
    : { status: "degraded", details: `${waiting} acknowledged and waiting for the store to come back` };
}

/** Like an outage of the model: shown, and no more. */
function platformReport(name: string, { isResting }: HealthDeps): ComponentReport {
  return isResting(name)
    ? { status: "degraded", details: "not called for now: replies kept failing" }
    : { status: "ok" };
}

async function storeReport({ store, storeReport: where, clock }: HealthDeps): Promise<ComponentReport> {
  try {
    // Reading works on a full disk and with a Redis that takes nothing: what counts is whether an event would be taken.
    const answers = await within(
      Promise.all([store.check(), store.journal.stats()]),
      STORE_TIMEOUT_MS,
      clock,
    );
    if (answers === null)
      return { status: "failed", details: `STORE_UNAVAILABLE: no answer within ${STORE_TIMEOUT_MS} ms` };
    const [health, stats] = answers;
    if (health.status !== "ok") return health;
    const waiting = stats.queued + stats.retrying;
    return {
      status: "ok",
      details: `${where}; acknowledgements survive: ${store.durability}; ${waiting} waiting`,
    };
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return { status: "failed", details: error instanceof GatewayError ? `${error.code}: ${what}` : what };
  }
}
