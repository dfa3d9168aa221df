import type { Server } from "node:http";
import { openAdapters } from "../adapters/index.ts";
import { createTestAdapter } from "../adapters/test/adapter.ts";
import { admit } from "./admit/admit.ts";
import { createAcquaintances } from "./admit/people.ts";
import { buildAdmin } from "./app/admin.ts";
import { type BuiltAgents, buildAgents } from "./app/agents.ts";
import { breakerWatch, restingReport, showBreakers } from "./app/breaker-watch.ts";
import { type Developers, developersOf, leaveDevKey } from "./app/developers.ts";
import { hostRulesOf, watchRulesOf } from "./app/edge.ts";
import { createHealth } from "./app/health.ts";
import { startHousekeeping } from "./app/housekeeping.ts";
import { machineOf } from "./app/machine.ts";
import { PlatformWatch } from "./app/platform-watch.ts";
import { policyOf, routesOf } from "./app/policy.ts";
import { Rendering } from "./app/rendering/index.ts";
import { openStore } from "./app/store.ts";
import { within } from "./app/within.ts";
import type { Config } from "./config/load.ts";
import type { GatewaySpec } from "./config/schema.ts";
import { Dispatcher } from "./dispatch/dispatcher.ts";
import { routeOf } from "./dispatch/route.ts";
import { DRAIN_MS, LEASE_MS } from "./domain/bounds.ts";
import { Breakers } from "./domain/breaker.ts";
import type { Platform, TriggerEvent } from "./domain/event.ts";
import { LifeFeed } from "./feed/life-feed.ts";
import { observedInbox, observedQueue } from "./feed/observed.ts";
import { RefusalFeed, refusalView } from "./feed/refusal.ts";
import { receive, screen } from "./gateway.ts";
import { Guesses } from "./ingress/guesses.ts";
import type { ComponentReport } from "./ingress/health.ts";
import { RequestRecorder } from "./ingress/recorder.ts";
import { createServers } from "./ingress/server.ts";
import type { Adapter } from "./ports/adapter.ts";
import type { Clock, Random } from "./ports/clock.ts";
import type { Store } from "./ports/store.ts";
import { WaitNotices } from "./reply/waiting.ts";
import { textMatches } from "./shared/hmac.ts";
import { type Left, withUnwritten } from "./store/unwritten.ts";
import { createNewId } from "./system/ids.ts";
import type { Logger } from "./telemetry/log.ts";
import type { Metrics } from "./telemetry/metrics.ts";
import { type WorkerDeps, work } from "./worker.ts";

export interface AppOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly version: string;
  /** Makes the key of the test webhook; absent where a supervisor has made it for all its processes. */
  readonly newDevKey?: () => string;
  /** The store is gone for good; end the process, so that whoever watches it starts another. */
  readonly onStoreDeath: (error: Error) => void;
  /** Another length of a lease than LEASE_MS, for tests that cannot wait for it. */
  readonly leaseMs?: number | undefined;
}

export interface App {
  readonly server: Server;
  /** For operators alone, where they have a port of their own. */
  readonly watch: Server | null;
  readonly platforms: readonly Platform[];
  readonly agents: BuiltAgents;
  readonly developers: Developers;
  /** Where events are kept and what an acknowledgement survives there, in one line. */
  readonly storeReport: string;
  /** Begins to claim and run what waits in the store, where that is the role of this replica. */
  startWork(): void;
  /**
   * Not ready from now on; what runs finishes within this time or is handed back, then the store is closed. False: it did
   * not take all that is known, and the next process does some of it again.
   */
  stop(drainMs?: number): Promise<boolean>;
}

/** The composition root: the only place that chooses implementations. */
export async function createApp({
  config,
  clock,
  random,
  log,
  metrics,
  version,
  newDevKey,
  onStoreDeath,
  leaseMs = LEASE_MS,
}: AppOptions): Promise<App> {
  const { gateway: spec, environment } = config;
  const { role } = environment;
  const stopping = new AbortController();
  const isPaused = () => environment.killSwitch || spec.kill_switch;
  const newId = createNewId(clock);

  const policy = policyOf(spec, isPaused);

  const opened = await openAdapters({ environment, spec, clock, random });
  const agents = await buildAgents({ config, clock, random, metrics, log });
  const { store, report, spool } = await openStore({
    config,
    clock,
    random,
    newId,
    log,
    metrics,
    offerOf(event) {
      const admission = admit(event, policy, clock.nowMs());
      return admission.kind === "offer" ? admission.offer : null;
    },
    onDeath: onStoreDeath,
  });
  // Only now, when the data folder is known to be ours: the key of another gateway on it must stay as it is.
  if (newDevKey !== undefined && role !== "worker") leaveDevKey(environment, newDevKey);
  const developers = developersOf(environment);
  const test = createTestAdapter({
    devKey: developers.key,
    openOnLoopback: developers.open,
    clock,
    bus: store.bus,
    newId,
  });
  const adapters = new Map<Platform, Adapter>(
    [...opened.map(({ adapter }) => adapter), test].map((one) => [one.platform, one]),
  );
  const routes = routesOf(spec);
  const feed = new LifeFeed({ bus: store.bus, clock });
  const refusals = new RefusalFeed({ bus: store.bus, clock });
  const recorder = new RequestRecorder({
    requests: store.requests,
    refusedMax: spec.retention.refusals,
    maxAgeMs: spec.retention.finished_seconds * 1000,
    clock,
    newId,
    log,
    metrics,
    heard(note) {
      if (refusals.isWatched) refusals.publish(refusalView(note));
    },
  });
  const unwritten = withUnwritten(store, () => log.error({ note: FORGOTTEN }, "store.unwritten"));
  const inbox = observedInbox(store.inbox, { feed, clock });
  const queue = observedQueue(unwritten.queue, { feed, clock });

  const dispatcher: Dispatcher = new Dispatcher({
    queue,
    bus: store.bus,
    clock,
    random,
    work(job, signals) {
      if (job.crashes > 0) metrics.crashes.inc({ platform: job.event.platform });
      return work(job, workerDeps, signals);
    },
    retry: { attemptsMax: spec.replies.attempts, baseMs: RETRY_BASE_MS },
    concurrency: spec.queue.concurrency,
    leaseMs,
    log,
    metrics,
  });
  const platformWatch = new PlatformWatch({ clock, random, log });
  const breakers = new Breakers(clock, {
    ...breakerWatch("platform", { log, metrics }),
    called: (name, end, cause) => platformWatch.called(name, end, cause),
  });
  showBreakers("platform", () => breakers.reports(), metrics);
  const rendering = new Rendering({ log });
  const workerDeps: WorkerDeps = {
    queue: unwritten.queue,
    memory: store.memory,
    adapters,
    runtime: agents.runtime,
    routes,
    agents: agents.memory,
    control: { memory: store.memory, lanes: store.lanes, describeAgent, isPaused, version },
    render: rendering.render,
    delivery: { outbox: unwritten.outbox, breakers, inDoubt: spec.replies.in_doubt, log, metrics },
    attemptsMax: spec.replies.attempts,
    ...waitingOf(spec, clock),
    isPaused,
    clock,
    newId,
    log,
    metrics,
  };

  function describeAgent(event: TriggerEvent): { name: string; model: string } | null {
    const name = routeOf(event, routes, agents.memory);
    return name === null ? null : { name, model: agents.modelNames.get(name) ?? "an unknown model" };
  }

  const people = createAcquaintances(store.people);
  const gatewayDeps = { inbox, people, policy, clock, metrics };
  const platforms = [...adapters.keys()];
  const health = createHealth({
    version,
    startedAtMs: clock.nowMs(),
    clock,
    store,
    storeReport: report,
    spool,
    role,
    dispatcher,
    platforms,
    platform: (name) =>
      restingReport([breakers.of(name).report()]) ??
      platformWatch.report(name) ?? { status: "ok", details: "its replies get through" },
    machine: machineOf(environment.dataDir),
    models: () => modelsReport(agents),
    isPaused,
    isDraining: () => stopping.signal.aborted,
  });
  function adapterOf(platform: Platform): Adapter {
    const adapter = adapters.get(platform);
    if (adapter === undefined) throw new Error(`No adapter for ${platform}`);
    return adapter;
  }

  const guesses = new Guesses({ clock, log, metrics });
  const { server, watch } = createServers({
    guesses,
    screen: (head, platform) => screen(head, adapterOf(platform)),
    receive: (request, platform) => receive(request, adapterOf(platform), gatewayDeps),
    platforms,
    takesWebhooks: role !== "worker",
    hosts: hostRulesOf(environment),
    watch: watchRulesOf(environment),
    health,
    admin: buildAdmin({
      store,
      policy,
      token: environment.adminToken,
      wrongToken: (guess) => guesses.refuse("admin", guess),
      feed,
      refusals,
      writeNotes: () => recorder.flush(),
      clock,
      log,
      version,
      stopping: stopping.signal,
    }),
    newRequestId: () => newId("req"),
    note: (noted) => recorder.note(noted),
    isDeveloper: (key) => developers.key !== null && textMatches([developers.key], key),
    waitForReply: async (eventId, signal) =>
      (await recordedReply(eventId, store)) ??
      (await test.waitForReply(eventId, AbortSignal.any([signal, stopping.signal]))),
    clock,
    log,
    metrics,
  });
  metrics.buildInfo.set({ version }, 1);
  metrics.paused.set(isPaused() ? 1 : 0);
  const housekeeping = startHousekeeping({
    store,
    spec,
    turnsMs: Math.max(...[...agents.memory.values()].map(({ ttlMs }) => ttlMs)),
    clock,
    random,
    log,
    metrics,
  });

  return {
    server,
    watch,
    platforms,
    agents,
    developers,
    storeReport: report(),
    startWork() {
      if (role !== "ingress") dispatcher.start();
      for (const { adapter, learn } of opened) {
        void learn?.(stopping.signal);
        if (role !== "ingress") void platformWatch.watch(adapter, stopping.signal);
      }
    },
    async stop(drainMs = DRAIN_MS - CLOSE_MS) {
      stopping.abort();
      housekeeping.stop();
      await dispatcher.stop(drainMs);
      await within(Promise.all([recorder.stop(), unwritten.writeAll()]), NOTES_MS, clock);
      rendering.close();
      feed.close();
      refusals.close();
      await store[Symbol.asyncDispose]();
      return tellLeft(unwritten.left, log);
    },
  };
}

const FORGOTTEN =
  "More is known that the store does not take than is kept in memory: the oldest of it is done again when there is room.";

/** Whether nothing is. */
function tellLeft({ runs, parts }: Left, log: Logger): boolean {
  if (runs + parts === 0) return true;
  const note =
    "The store took none of this until the end: what these runs have cost is paid again, and these parts of replies are " +
    "in doubt.";
  log.error({ runs, parts, note }, "store.unwritten");
  return false;
}

const RETRY_BASE_MS = 2_000;
/** Of the drain time, what closing the store may take. */
const CLOSE_MS = 3_000;
/** Of that, what the last notes and what could not be written before may take. */
const NOTES_MS = 500;

/** What was said to an event that is done: the replica that said it may be gone. */
async function recordedReply(eventId: string, { journal }: Pick<Store, "journal">): Promise<string | null> {
  const record = await journal.find(eventId).catch(() => null); // Away: whoever waits may still hear it.
  return record?.state === "done" ? (record.progress?.answer?.text ?? null) : null;
}

function modelsReport(agents: BuiltAgents): ComponentReport {
  const names = [...agents.modelNames].map(([agent, model]) => `${agent}: ${model}`);
  return restingReport(agents.breakers()) ?? { status: "ok", details: names.join(", ") };
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
