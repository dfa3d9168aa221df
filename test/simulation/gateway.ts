import nacl from "tweetnacl";
import { createDiscordAdapter } from "../../adapters/discord/adapter.ts";
import { createSlackAdapter } from "../../adapters/slack/adapter.ts";
import { createTelegramAdapter } from "../../adapters/telegram/adapter.ts";
import { createWhatsAppAdapter } from "../../adapters/whatsapp/adapter.ts";
import { createAgentRuntime } from "../../src/agent/runtime.ts";
import { type BackRules, composeBack } from "../../src/app/back.ts";
import { standForDuties } from "../../src/app/duties.ts";
import { composeFront, offerAgain } from "../../src/app/front.ts";
import { createHousekeeping } from "../../src/app/housekeeping.ts";
import { policyOf, retentionOf } from "../../src/app/policy.ts";
import type { GatewaySpec } from "../../src/config/schema.ts";
import { APPROVAL_RULES } from "../../src/domain/approval.ts";
import { Breakers } from "../../src/domain/breaker.ts";
import type { Platform } from "../../src/domain/event.ts";
import { LifeFeed } from "../../src/feed/life-feed.ts";
import type { Reception } from "../../src/ingress/reception.ts";
import type { Adapter, RawRequest } from "../../src/ports/adapter.ts";
import type { Random } from "../../src/ports/clock.ts";
import type { StoreStats } from "../../src/ports/journal.ts";
import { Secret } from "../../src/shared/secret.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { NO_DESK } from "../support/desk.ts";
import type { Chat } from "./chat.ts";
import type { Life } from "./life.ts";
import { type Provider, simulatedAgent } from "./model.ts";
import type { OpenedStore, OpenOptions } from "./storage.ts";

export type SimulatedPlatform = "slack" | "discord" | "telegram" | "whatsapp";

/** The seed of a key that signs as Discord does. */
const DISCORD_SEED = "5a".repeat(32);
const { publicKey } = nacl.sign.keyPair.fromSeed(new Uint8Array(Buffer.from(DISCORD_SEED, "hex")));

export const SECRETS: Readonly<Record<SimulatedPlatform, string>> = {
  slack: "a-slack-signing-secret",
  discord: DISCORD_SEED,
  telegram: "a-telegram-secret",
  whatsapp: "a-whatsapp-secret",
};

/** Of the drain time, as the composition root divides it. */
const DRAIN_MS = 27_000;
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

/** One process: everything between its webhooks and its platforms, composed by what composes the gateway (src/app/front.ts, back.ts). */
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
  const admission = policyOf(spec, new Map(), isPaused);
  const policy = () => admission;
  const opened = await openStore({ limits, random, offerOf: offerAgain(policy, clock) });
  const { store } = opened;
  const adapters = adaptersFor(options, life);
  const feed = new LifeFeed({ bus: store.bus, clock });
  const halves = { store, adapters, feed, clock, metrics };
  const front = composeFront({ ...halves, policy, desk: NO_DESK });
  const agents = agentsFor(options, life);
  const rules = { agents, spec, policy: admission };
  let ids = 0;
  const { dispatcher } = composeBack({
    ...halves,
    rules: () => rules,
    render: (adapter, markdown, to) => adapter.render(markdown, to),
    breakers: new Breakers(clock),
    isPaused,
    version: "0.0.0",
    random,
    newId: (prefix) => `${prefix}_${life.number}_${ids++}`,
    log,
    async around(job, work) {
      await life.pass("work?", () => witness.workBegan(job, life.number));
      try {
        return await work();
      } finally {
        if (life.isAlive) witness.workEnded(job, life.number);
      }
    },
  });
  const housekeeping = createHousekeeping({
    ...{ store, clock, log, metrics },
    retention: () => retentionOf(spec, agents.memory),
  });
  const elected = standForDuties([housekeeping], { store, clock, random, log });
  dispatcher.start();

  return {
    receive: front.receive,
    async stop() {
      await Promise.all([elected.stop(), dispatcher.stop(DRAIN_MS)]);
      feed.close();
      await store[Symbol.asyncDispose]();
    },
    stats: () => opened.stats(),
    get lastBeatMs() {
      return dispatcher.lastBeatMs;
    },
  };
}

function agentsFor(options: GatewayOptions, life: Life): BackRules["agents"] {
  const agent = simulatedAgent(options, life);
  const { clock } = life;
  return {
    runtime: createAgentRuntime({
      agents: new Map([[agent.name, agent]]),
      clock,
      random: options.random,
      observe: { modelCall: () => {}, retry: () => {} },
    }),
    shown: new Set([agent.name]),
    memory: new Map([[agent.name, { turnsMax: 100, ttlMs: MEMORY_MS }]]),
    quietMs: new Map(),
    modelNames: new Map([[agent.name, agent.model.name]]),
    approvers: new Map([[agent.name, { ...APPROVAL_RULES, self: true }]]),
  };
}

function adaptersFor({ chats, random }: GatewayOptions, life: Life): ReadonlyMap<Platform, Adapter> {
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
  const discord = createDiscordAdapter({
    publicKeys: [Buffer.from(publicKey).toString("hex")],
    botToken: null,
    applicationId: "900",
    clock,
    timeoutMs: 15_000,
    random,
  });
  const whatsapp = createWhatsAppAdapter({
    accessToken: new Secret("simulated"),
    appSecrets: [new Secret(SECRETS.whatsapp)],
    verifyToken: new Secret("simulated"),
    phoneNumberId: "PN1",
    clock,
    timeoutMs: 15_000,
  });
  return new Map<Platform, Adapter>([
    ["slack", chats.slack.adapter(slack, life)],
    ["discord", chats.discord.adapter(discord, life)],
    ["whatsapp", chats.whatsapp.adapter(whatsapp, life)],
    ["telegram", chats.telegram.adapter(telegram, life)],
  ]);
}
