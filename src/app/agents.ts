import { createHash } from "node:crypto";
import {
  type Agent,
  type Compaction,
  type Guard,
  modelsOf as modelsOfAgent,
  type RunModels,
} from "../agent/agent.ts";
import { GUARD_MS_MAX, GUARD_TOKENS_MAX } from "../agent/bounds.ts";
import { breakerName } from "../agent/model-call.ts";
import { createAgentRuntime } from "../agent/runtime.ts";
import type { AgentSpec } from "../config/agent-schema.ts";
import type { Config } from "../config/load.ts";
import { missingFor, routeModels } from "../config/model-keys.ts";
import { busyQuietMs } from "../config/schema-parts.ts";
import type { AgentMemory } from "../dispatch/memory.ts";
import type { ApprovalRules } from "../domain/approval.ts";
import { type BreakerReport, Breakers } from "../domain/breaker.ts";
import type { Remembering } from "../domain/memory-scope.ts";
import type { Menu } from "../domain/menu.ts";
import { Accounts } from "../models/account.ts";
import { createDemoModel } from "../models/demo.ts";
import { DEMO_ASK } from "../models/demo-ask.ts";
import { REMOTE_ASK } from "../models/remote/ask.ts";
import type { AgentRuntime } from "../ports/agent.ts";
import type { Audit } from "../ports/audit.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { ChatModel } from "../ports/model.ts";
import type { Tool, Toolbox } from "../ports/tool.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { NO_TRACING, type Tracing } from "../telemetry/trace.ts";
import { modelCallsAtZero } from "../telemetry/zeroes.ts";
import type { ToolsOfConfig } from "../tools/pool.ts";
import { approvalRulesOf } from "./approval-rules.ts";
import { type BreakerWatchDeps, breakerWatch } from "./breaker-watch.ts";
import { menuOf } from "./guide.ts";
import { type ModelOf, modelsOf } from "./models.ts";
import { isReadOnlyFor } from "./read-only.ts";
import { runObserver } from "./run-observer.ts";
import { tracedAgent, tracedModels } from "./traced.ts";

export interface BuiltAgents {
  readonly runtime: AgentRuntime;
  readonly memory: ReadonlyMap<string, AgentMemory>;
  /** How long nothing may have come before what they collect is answered. */
  readonly quietMs: ReadonlyMap<string, number>;
  /** Whose answers are shown while they grow. */
  readonly shown: ReadonlySet<string>;
  /** What answers, for people: `claude-sonnet-5 (anthropic)`; of agents, and of routes and commands with a model. */
  readonly modelNames: ReadonlyMap<string, string>;
  /** What they offer to begin with. */
  readonly menus: ReadonlyMap<string, Menu>;
  /** Who decides what each agent asks. */
  readonly approvers: ReadonlyMap<string, ApprovalRules>;
  /** Agents, routes and commands that the demo model stands in for, and the variable that is missing. */
  readonly demoStandIns: ReadonlyMap<string, string>;
  /** Of those that have tools. */
  readonly toolboxes: ReadonlyMap<string, Toolbox>;
  /** These are the agents that hold from now on. */
  readonly toolsHold: () => void;
  /** One for each model that an agent uses. */
  readonly breakers: () => readonly BreakerReport[];
}

export interface AgentContext {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly tools: ToolsOfConfig;
  readonly log: Pick<Logger, "info" | "warn">;
  readonly tracing?: Tracing;
  /** Absent: nobody keeps what guards say. */
  readonly audit?: Audit;
  /** See modelBreakers. */
  readonly breakers: Breakers;
  /** See modelAccounts. */
  readonly accounts: Accounts;
}

/** One for each model, whatever configuration names it: what keeps failing is left alone by the next one, too. */
export function modelBreakers(clock: Clock, observer: Omit<BreakerWatchDeps, "clock">): Breakers {
  return new Breakers(clock, breakerWatch("model", { clock, ...observer }));
}

/** The same for what a provider allows: calls count with those of the configuration before. */
export function modelAccounts(clock: Clock, metrics: Metrics): Accounts {
  return new Accounts(clock, {
    inFlight: (provider, more) => metrics.modelCallsInFlight.inc({ provider }, more),
    waiting: (provider, more) => metrics.modelCallsWaiting.inc({ provider }, more),
    waited: ({ provider, why, end, ms }) =>
      metrics.modelWaitSeconds.observe({ provider, why, outcome: end }, ms / 1000),
  });
}

/** Agents with their models, from the configuration. */
export async function buildAgents({
  config,
  clock,
  random,
  metrics,
  breakers,
  accounts,
  tools,
  log,
  audit,
  tracing = NO_TRACING,
}: AgentContext): Promise<BuiltAgents> {
  const { environment } = config;
  const modelOf = await modelsOf(config, clock, accounts);
  const isReadOnly = isReadOnlyFor(config.gateway.read_only);
  const standIns = new Map<string, string>();
  const agents = new Map<string, Agent>();
  const memory = new Map<string, AgentMemory>();
  const quietMs = new Map<string, number>();
  const toolboxes = new Map<string, Toolbox>();
  const shown = new Set<string>();
  const modelNames = new Map<string, string>();
  const menus = new Map<string, Menu>();
  const approvers = new Map<string, ApprovalRules>();
  const asksFor = (spec: AgentSpec["model"]) => {
    const missing = missingFor(spec, environment);
    if (missing !== null) return { missing, model: createDemoModel({ clock, notice: true }), fallbacks: [] };
    const asked = spec.fallback.filter((one) => missingFor(one, environment) === null);
    const cheap = spec.cheaper;
    const cheaper =
      cheap === undefined || missingFor(cheap, environment) !== null
        ? null
        : { model: modelOf(cheap, spec), pastShare: config.gateway.budgets.warn_at };
    return {
      missing,
      model: modelOf(spec, spec),
      fallbacks: asked.map((one) => modelOf(one, spec)),
      ...(cheaper && { cheaper }),
    };
  };
  for (const [name, spec] of config.agents) {
    const { missing, ...asks } = asksFor(spec.model);
    if (missing !== null) standIns.set(name, missing);
    const { model } = asks;
    const more = spec.tools.length > 0 && { toolbox: tools.toolboxFor(name, spec.tools, isReadOnly) };
    if (more) toolboxes.set(name, more.toolbox);
    const guard = guardOf(spec, modelOf, environment);
    const rules = approvalRulesOf(spec);
    for (const one of [...modelsOfAgent(asks), ...(guard?.model ? [guard.model] : [])])
      modelCallsAtZero(metrics, { agent: name, provider: one.provider, model: one.name });
    agents.set(
      name,
      tracedAgent(
        { ...agentOf(name, spec, { ...asks, approvals: rules }), ...more, ...(guard && { guard }) },
        tracing,
      ),
    );
    memory.set(name, memoryOf(spec));
    quietMs.set(name, busyQuietMs(spec.busy));
    if (spec.preview === "on") shown.add(name);
    approvers.set(name, rules);
    if (spec.menu !== undefined) menus.set(name, menuOf(spec.menu));
    modelNames.set(name, nameOf(model));
  }
  const models = new Map<string, RunModels>();
  for (const { key, of, model: spec } of routeModels(config.gateway)) {
    const { missing, ...asks } = asksFor(spec);
    if (missing !== null) standIns.set(of, missing);
    const own = { ...asks, tools: OWN_TOOLS[asks.model.provider] ?? [], maxTokens: spec.max_tokens };
    models.set(key, tracedModels(own, tracing));
    modelNames.set(of, nameOf(asks.model));
  }
  const observe = runObserver(metrics, log, audit);
  const runtime = createAgentRuntime({ agents, models, clock, random, observe, breakers });
  const guards = [...agents.values()].flatMap(({ guard }) => guard?.model ?? []);
  const called = [...[...agents.values(), ...models.values()].flatMap(modelsOfAgent), ...guards];
  const inUse = new Set(called.map(breakerName));
  return {
    ...{ runtime, memory, quietMs, shown, modelNames, menus, approvers, toolsHold: tools.holds },
    toolboxes,
    demoStandIns: standIns,
    breakers: () => [...inUse].map((name) => breakers.of(name).report()),
  };
}

function nameOf({ provider, name }: ChatModel): string {
  return provider === "demo" ? "the demo model" : `${name} (${provider})`;
}

const GUARD_BOUNDS = { max_tokens: GUARD_TOKENS_MAX, timeout_seconds: GUARD_MS_MAX / 1000 };

/** One whose key is missing lets nothing through. */
function guardOf({ guard }: AgentSpec, modelOf: ModelOf, environment: Config["environment"]): Guard | null {
  if (guard === undefined) return null;
  const isThere = missingFor(guard.model, environment) === null;
  return { model: isThere ? modelOf(guard.model, GUARD_BOUNDS) : null, instructions: guard.instructions };
}

function memoryOf({ memory: { scope, direct, max_messages, ttl_seconds } }: AgentSpec): AgentMemory {
  const by: Remembering = { scope, ...(direct === "shared" && { sharesDirect: true as const }) };
  return { turnsMax: max_messages, ttlMs: ttl_seconds * 1000, ...(scope !== "thread" && { by }) };
}

function agentOf(
  name: string,
  spec: AgentSpec,
  given: Pick<Agent, "model" | "fallbacks" | "cheaper" | "approvals">,
): Agent {
  const { limits, budgets, retry } = spec;
  return {
    name,
    ...given,
    systemPrompt: spec.system_prompt,
    tools: OWN_TOOLS[given.model.provider] ?? [],
    ...(spec.memory.scope !== "thread" && { remembers: spec.memory.scope }),
    compaction: compactionOf(spec),
    ...(spec.cache !== "off" && { cache: { ttlMs: spec.cache.ttl_seconds * 1000, of: digestOf(spec) } }),
    ...asksOf(spec),
    ...(spec.hand_over.length > 0 && {
      handOver: spec.hand_over.map((one) => (typeof one === "string" ? { agent: one } : one)),
    }),
    ...(spec.choices === "on" && { offersChoices: true as const }),
    limits: {
      maxIterations: limits.max_iterations,
      maxExecutionMs: Math.min(limits.max_execution_time_seconds, budgets.time_seconds) * 1000,
      graceMs: budgets.grace_seconds * 1000,
      tokensMax: budgets.tokens,
      costCentsMax: budgets.cost_cents,
      maxTokens: spec.model.max_tokens,
    },
    retry: {
      maxAttempts: retry.max_attempts,
      backoffSeconds: retry.backoff_seconds,
      exponential: retry.exponential,
    },
  };
}

/** Secrets in it print as `***`: with another key it is the same agent. */
function digestOf(spec: AgentSpec): string {
  return createHash("sha256").update(JSON.stringify(spec)).digest("hex");
}

const COMPACT_AT = 0.8;

function compactionOf({ memory }: AgentSpec): Compaction {
  const { compact_at, context_tokens, ttl_seconds } = memory;
  return {
    share: compact_at ?? COMPACT_AT,
    ...(context_tokens !== undefined && { contextTokens: context_tokens }),
    isAsked: compact_at !== undefined || context_tokens !== undefined,
    ttlMs: ttl_seconds * 1000,
  };
}

function asksOf({ tools }: AgentSpec): Pick<Agent, "asks"> {
  const asks = tools.flatMap((tool) => {
    if (tool.type !== "agent") return [];
    const { name, agent, description } = tool;
    return [{ name, agent, ...(description !== undefined && { description }) }];
  });
  return asks.length > 0 ? { asks } : {};
}

/** What they ask people with. */
const OWN_TOOLS: Readonly<Record<string, readonly Tool[]>> = { demo: [DEMO_ASK], http: [REMOTE_ASK] };
