import { createSlackAdapter } from "../../adapters/slack/adapter.ts";
import { createTelegramAdapter } from "../../adapters/telegram/adapter.ts";
import { admit } from "../../src/admit/admit.ts";
import { createAcquaintances } from "../../src/admit/people.ts";
import { createAgentRuntime } from "../../src/agent/runtime.ts";
import { startHousekeeping } from "../../src/app/housekeeping.ts";
import { policyOf, routesOf } from "../../src/app/policy.ts";
import type { GatewaySpec } from "../../src/config/schema.ts";
import { Dispatcher } from "../../src/dispatch/dispatcher.ts";
import { LEASE_MS } from "../../src/domain/bounds.ts";
import { Breakers } from "../../src/domain/breaker.ts";
import { receive } from "../../src/gateway.ts";
import type { Reception } from "../../src/ingress/reception.ts";
import type { Adapter, RawRequest } from "../../src/ports/adapter.ts";
import type { Random } from "../../src/ports/clock.ts";
import type { StoreStats } from "../../src/ports/journal.ts";
import { Secret } from "../../src/shared/secret.ts";
import { withUnwritten } from "../../src/store/unwritten.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { type WorkerDeps, work } from "../../src/worker.ts";
import type { Chat } from "./chat.ts";
import type { Life } from "./life.ts";
import { type Provider, simulatedAgent } from "./model.ts";
import type { OpenedStore, OpenOptions } from "./storage.ts";

export type SimulatedPlatform = "slack" | "telegram";

export const SECRETS: Readonly<Record<SimulatedPlatform, string>> = {
  slack: "a-slack-signing-secret",
  telegram: "a-telegram-secret",
};

/** Of the drain time, as the composition root divides it. */
const DRAIN_MS = 27_000;
const RETRY_BASE_MS = 2_000;
const MEMORY_MS = 86_400_000;
/** Shared by all simulated processes: nothing reads them. */
const metrics = createMetrics();
const log = silentLogger();

export interface GatewayOptions extends Provider {
  readonly openStore: (options: Pick<OpenOptions, "limits" | "random" | "offerOf">) => Promise<OpenedStore>;
  readonly spec: GatewaySpec;
  readonly chats: Readonly<Record<SimulatedPlatform, Chat>>;
  readonly isPaused: () => boolean;
  readonly random: Random;
}

/** One process: everything between its webhooks and its platforms, as src/app.ts composes it. */
export interface Gateway {
  receive(request: RawRequest, platform: SimulatedPlatform): Promise<Reception>;
  /** Drains and closes. */
  stop(): Promise<void>;
  stats(): Promise<StoreStats>;
  readonly lastBeatMs: number;
}

export async function startGateway(options: GatewayOptions, life: Life): Promise<Gateway> {
  const { openStore, spec, witness, random, isPaused } = options;
  const { clock } = life;
  const limits = { waitingPerLaneMax: spec.queue.waiting_per_conversation, waitingMax: spec.queue.waiting };
  const policy = policyOf(spec, isPaused);
  const opened = await openStore({
    limits,
    random,
    offerOf(event) {
      const admission = admit(event, policy, clock.nowMs());
      return admission.kind === "offer" ? admission.offer : null;
    },
  });
  const { store } = opened;
  const { queue, outbox } = withUnwritten(store);
  const adapters = adaptersFor(options, life);
  const agent = simulatedAgent(options, life);
  const dispatcher: Dispatcher = new Dispatcher({
    queue,
    bus: store.bus,
    clock,
    random,
    async work(job, signals) {
      await life.pass("work?", () => witness.workBegan(job, life.number));
      try {
        return await work(job, deps, signals);
      } finally {
        if (life.isAlive) witness.workEnded(job, life.number);
      }
    },
    retry: { attemptsMax: spec.replies.attempts, baseMs: RETRY_BASE_MS },
    concurrency: spec.queue.concurrency,
    leaseMs: LEASE_MS,
    log,
    metrics,
  });
  let ids = 0;
  const deps: WorkerDeps = {
    queue,
    memory: store.memory,
    adapters,
    runtime: createAgentRuntime({
      agents: new Map([[agent.name, agent]]),
      clock,
      random,
      observe: { modelCall: () => {}, retry: () => {} },
    }),
    routes: routesOf(spec),
    agents: new Map([[agent.name, { turnsMax: 1_000, ttlMs: MEMORY_MS }]]),
    control: {
      memory: store.memory,
      lanes: store.lanes,
      describeAgent: () => ({ name: agent.name, model: agent.model.name }),
      isPaused,
      version: "0.0.0",
    },
    render: (adapter, markdown, to) => adapter.render(markdown, to),
    delivery: {
      outbox,
      breakers: new Breakers(clock),
      inDoubt: spec.replies.in_doubt,
      log,
      metrics,
    },
    attemptsMax: spec.replies.attempts,
    isPaused,
    clock,
    newId: (prefix) => `${prefix}_${life.number}_${ids++}`,
    log,
    metrics,
  };
  const front = { inbox: store.inbox, people: createAcquaintances(store.people), policy, clock, metrics };
  const housekeeping = startHousekeeping({ store, spec, turnsMs: MEMORY_MS, clock, random, log, metrics });
  dispatcher.start();

  return {
    receive: (request, platform) => receive(request, adapters.get(platform) ?? missing(platform), front),
    async stop() {
      housekeeping.stop();
      await dispatcher.stop(DRAIN_MS);
      await store[Symbol.asyncDispose]();
    },
    stats: () => opened.stats(),
    get lastBeatMs() {
      return dispatcher.lastBeatMs;
    },
  };
}

function adaptersFor({ chats }: GatewayOptions, life: Life): ReadonlyMap<string, Adapter> {
  const { clock } = life;
  const slack = createSlackAdapter({
    signingSecrets: [new Secret(SECRETS.slack)],
    botToken: new Secret("xoxb-simulated"),
    clock,
    timeoutMs: 15_000,
  });
  const telegram = createTelegramAdapter({
    botToken: new Secret("77:simulated"),
    webhookSecrets: [new Secret(SECRETS.telegram)],
    identity: { username: "gw_bot" },
    clock,
    timeoutMs: 15_000,
  });
  return new Map([
    ["slack", chats.slack.adapter(slack, life)],
    ["telegram", chats.telegram.adapter(telegram, life)],
  ]);
}

function missing(platform: string): never {
  throw new Error(`Expected a simulated platform, got ${platform}`);
}
