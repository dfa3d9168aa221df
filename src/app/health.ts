import type { Dispatcher } from "../dispatch/dispatcher.ts";
import type { ComponentReport, Health } from "../ingress/health.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";

export interface HealthDeps {
  readonly version: string;
  readonly startedAtMs: number;
  readonly clock: Clock;
  readonly store: Pick<Store, "journal" | "durability">;
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
        dispatcher:
          heartbeat().status === "alive"
            ? { status: "ok" }
            : { status: "failed", details: "the claim loop is stuck" },
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

/** Like an outage of the model: shown, and no more. */
function platformReport(name: string, { isResting }: HealthDeps): ComponentReport {
  return isResting(name)
    ? { status: "degraded", details: "not called for now: replies kept failing" }
    : { status: "ok" };
}

async function storeReport({ store, clock }: HealthDeps): Promise<ComponentReport> {
  const over = new AbortController();
  const late = clock.sleep(STORE_TIMEOUT_MS, over.signal).then(
    () => null,
    () => null,
  );
  try {
    const stats = await Promise.race([store.journal.stats(), late]);
    if (stats === null) return { status: "failed", details: `no answer within ${STORE_TIMEOUT_MS} ms` };
    return {
      status: "ok",
      details: `acknowledgements survive: ${store.durability}; ${stats.queued + stats.retrying} waiting`,
    };
  } catch (error) {
    return { status: "failed", details: error instanceof Error ? error.message : String(error) };
  } finally {
    over.abort();
  }
}
