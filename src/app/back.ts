import type { GatewaySpec } from "../config/schema.ts";
import { Dispatcher } from "../dispatch/dispatcher.ts";
import { recallFor } from "../dispatch/memory.ts";
import { LEASE_MS } from "../domain/bounds.ts";
import type { Breakers } from "../domain/breaker.ts";
import type { TriggerEvent } from "../domain/event.ts";
import { routeOf } from "../domain/route.ts";
import { type Observer, observedQueue } from "../feed/observed.ts";
import type { Adapter, Render } from "../ports/adapter.ts";
import type { Clock, NewId, Random } from "../ports/clock.ts";
import type { Job, Settlement } from "../ports/queue.ts";
import type { Store } from "../ports/store.ts";
import { Previews } from "../reply/preview.ts";
import { WaitNotices } from "../reply/waiting.ts";
import { type Keeping, withUnwritten } from "../store/unwritten.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { type WorkerDeps, work } from "../worker.ts";
import type { BuiltAgents } from "./agents.ts";
import { dayBudgetsOf } from "./day-budgets.ts";
import { routesOf } from "./policy.ts";

export interface BackOptions {
  readonly store: Pick<Store, "queue" | "outbox" | "memory" | "lanes" | "purse" | "bus">;
  readonly adapters: ReadonlyMap<string, Adapter>;
  readonly agents: Pick<BuiltAgents, "runtime" | "memory" | "shown" | "modelNames" | "approvers">;
  readonly spec: GatewaySpec;
  readonly render: Render;
  readonly breakers: Breakers;
  readonly feed: Observer["feed"];
  readonly isPaused: () => boolean;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly leaseMs?: number | undefined;
  /** Surrounds the work on each job, for a proof that looks on. */
  readonly around?: (job: Job, work: () => Promise<Settlement>) => Promise<Settlement>;
}

/** From a claim to the settlement. */
export interface Back {
  readonly dispatcher: Pick<Dispatcher, "start" | "stop" | "lastBeatMs" | "running">;
  /** What the store could not take so far. */
  readonly unwritten: Pick<Keeping, "writeAll" | "left">;
}

const RETRY_BASE_MS = 2_000;
const FORGOTTEN =
  "More is known that the store does not take than is kept in memory: the oldest of it is done again when there is room.";

export function composeBack(options: BackOptions): Back {
  const { store, spec, clock, random, log, metrics, around = (_, work) => work() } = options;
  const unwritten = withUnwritten(store, () => log.error({ note: FORGOTTEN }, "store.unwritten"));
  const deps = workerDeps(options, unwritten);
  const dispatcher = new Dispatcher({
    queue: observedQueue(unwritten.queue, { feed: options.feed, clock }),
    bus: store.bus,
    clock,
    random,
    work(job, signals) {
      if (job.crashes > 0) metrics.crashes.inc({ platform: job.event.platform });
      return around(job, () => work(job, deps, signals));
    },
    retry: { attemptsMax: spec.replies.attempts, baseMs: RETRY_BASE_MS },
    concurrency: spec.queue.concurrency,
    leaseMs: options.leaseMs ?? LEASE_MS,
    memory: recallFor(options.agents.memory),
    log,
    metrics,
  });
  return { dispatcher, unwritten };
}

function workerDeps(options: BackOptions, unwritten: Keeping): WorkerDeps {
  const { store, adapters, agents, spec, render, breakers, isPaused, version, clock, newId, log, metrics } =
    options;
  const routes = routesOf(spec);
  const { memory, lanes } = store;

  function describeAgent(event: TriggerEvent): { name: string; model: string } | null {
    const name = routeOf(event, routes, agents.memory);
    return name === null ? null : { name, model: agents.modelNames.get(name) ?? "an unknown model" };
  }

  return {
    queue: unwritten.queue,
    memory,
    adapters,
    runtime: agents.runtime,
    routes,
    agents: agents.memory,
    control: {
      memory,
      lanes,
      describeAgent,
      approversOf: (agent) => agents.approvers.get(agent) ?? null,
      clock,
      isPaused,
      version,
    },
    render,
    delivery: { outbox: unwritten.outbox, breakers, inDoubt: spec.replies.in_doubt, log, metrics },
    allowanceOf: dayBudgetsOf(options),
    attemptsMax: spec.replies.attempts,
    ...waitingOf(spec, clock),
    ...previewsOf(options),
    isPaused,
    clock,
    newId,
    log,
    metrics,
  };
}

/** Where what may have been said is left as it is, that could be half an answer for good. */
function previewsOf({ agents, spec, render, clock, metrics }: BackOptions): Pick<WorkerDeps, "previews"> {
  if (spec.replies.in_doubt === "leave") return {};
  return { previews: new Previews({ agents: agents.shown, render, clock, metrics }) };
}

/** Who is told, and how long at most a message waits for a model that is away. */
function waitingOf({ notices, max_age_seconds }: GatewaySpec, clock: Clock) {
  const { waiting_seconds, window_seconds } = notices;
  const afterMs = waiting_seconds === "off" ? null : waiting_seconds * 1000;
  return {
    waiting: new WaitNotices({ afterMs, windowMs: window_seconds * 1000, clock }),
    waitMsMax: max_age_seconds === "off" ? Infinity : max_age_seconds * 1000,
  };
}
