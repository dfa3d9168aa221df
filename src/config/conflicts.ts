import type { AgentSpec } from "./agent-schema.ts";
import { isOfAof } from "./aof-agent.ts";
import type { Environment } from "./environment.ts";
import { formatProblem, type Path } from "./problems.ts";
import type { YamlFile } from "./read-yaml.ts";
import type { GatewaySpec } from "./schema.ts";

/** A longer wait between two tries of a model is left to the queue; see RETRY_WAIT_MS_MAX. */
const RETRY_WAIT_SECONDS_MAX = 60;

type Told = (path: Path, why: string) => string[];

/**
 * Pairs of settings of which one makes the other void. Nothing is wrong, so these are notes; but nobody means to set
 * what has no effect. Told of what stands in the file, not of defaults.
 */
export function agentNotes(
  spec: AgentSpec,
  yaml: YamlFile,
  { base, environment, contextTokensOf }: AgentContext,
): string[] {
  const { model, limits, budgets, retry, memory, tools } = spec;
  const note = noteOn(yaml, [...base, "spec"]);
  const { max_execution_time_seconds: long } = limits;
  const { time_seconds: short } = budgets;
  const runSeconds = Math.min(long, short);
  return [
    ...(long > short
      ? note(
          ["limits", "max_execution_time_seconds"],
          `${long} has no effect, because budgets.time_seconds is ${short}: the shorter holds`,
        )
      : []),
    ...(short > long
      ? note(
          ["budgets", "time_seconds"],
          `${short} has no effect, because limits.max_execution_time_seconds is ${long}: the shorter holds`,
        )
      : []),
    ...(model.timeout_seconds > runSeconds
      ? note(
          ["model", "timeout_seconds"],
          `${model.timeout_seconds} has no effect, because a run may take ${runSeconds} s (budgets.time_seconds)`,
        )
      : []),
    ...tools.flatMap((tool, i) =>
      "timeout_seconds" in tool && tool.timeout_seconds > runSeconds
        ? note(
            ["tools", i, "timeout_seconds"],
            `${tool.timeout_seconds} has no effect, because a run may take ${runSeconds} s (budgets.time_seconds)`,
          )
        : [],
    ),
    ...(model.max_tokens > budgets.tokens
      ? note(
          ["model", "max_tokens"],
          `${model.max_tokens} has no effect, because a run may use ${budgets.tokens} tokens (budgets.tokens)`,
        )
      : []),
    ...(retry.max_attempts > 1 && retry.backoff_seconds > RETRY_WAIT_SECONDS_MAX
      ? note(
          ["retry", "backoff_seconds"],
          `${retry.backoff_seconds} leaves every retry to the queue, which has a wait of its own: within a run the longest is ${RETRY_WAIT_SECONDS_MAX}`,
        )
      : []),
    ...(model.temperature !== undefined && model.provider !== "openai"
      ? note(["model", "temperature"], `${model.temperature} has no effect with provider: ${model.provider}`)
      : []),
    ...(memory.backend !== undefined && memory.backend !== backendOf(environment)
      ? note(["memory", "backend"], `${memory.backend} has no effect: ${keptIn(environment)}`)
      : []),
    ...compactionNotes(spec, note, contextTokensOf),
    ...unaskableNotes(spec, note),
  ];
}

/** How many tokens a model can read, where that is known. */
export type ContextTokensOf = (provider: string, model: string) => number | undefined;

interface AgentContext {
  /** Absent: nothing is said of that. */
  readonly contextTokensOf?: ContextTokensOf;
  readonly base: Path;
  readonly environment: Redis;
}

function compactionNotes(
  { model, memory }: AgentSpec,
  note: Told,
  contextTokensOf: ContextTokensOf | undefined,
): string[] {
  const { compact_at, context_tokens, max_messages } = memory;
  const onBoth = (why: string) => [
    ...note(["memory", "compact_at"], `${compact_at} ${why}`),
    ...note(["memory", "context_tokens"], `${context_tokens} ${why}`),
  ];
  if (model.provider === "http")
    return onBoth("has no effect with provider: http, whose agent has a memory of its own");
  if (max_messages === 0)
    return onBoth("has no effect, because nothing is remembered (memory.max_messages is 0)");
  if (contextTokensOf === undefined || context_tokens !== undefined) return [];
  const isKnown = [model, ...model.fallback].some(
    (one) => contextTokensOf(one.provider, one.model) !== undefined,
  );
  if (isKnown) return [];
  const which = model.provider === "demo" ? "the demo model" : model.model;
  const why = `has no effect, because the context window of ${which} is not known: set memory.context_tokens`;
  return note(["memory", "compact_at"], `${compact_at} ${why}`);
}

type Redis = Pick<Environment, "redisUrl">;

function backendOf({ redisUrl }: Redis): "redis" | "sqlite" {
  return redisUrl === null ? "sqlite" : "redis";
}

function keptIn(environment: Redis): string {
  return backendOf(environment) === "sqlite"
    ? "memory is kept with the events in SQLite; set REDIS_URL for Redis"
    : "memory is kept with the events in Redis, because REDIS_URL is set";
}

const UNASKABLE =
  "where nobody else can decide (a direct message), such a call ends at once with `no decision in time`; set approvals.approvers, approvals.place, or approvals.self_approval: true";

function unaskableNotes({ approvals, tools }: AgentSpec, note: Told): string[] {
  const { approvers, place, self_approval: self } = approvals;
  if (approvers !== "any" || place !== "conversation" || self === true) return [];
  const asking = tools.findIndex((tool) => {
    if (!("approve" in tool) || tool.approve.length === 0) return false;
    const { approvers: own = "any", place: where = "conversation" } = tool.approvals ?? {};
    return own === "any" && where === "conversation";
  });
  if (asking >= 0) return note(["tools", asking, "approve"], UNASKABLE);
  return self === false ? note(["approvals", "self_approval"], `false: ${UNASKABLE}`) : [];
}

export function gatewayNotes(spec: GatewaySpec, yaml: YamlFile, agents: Remembering): string[] {
  const { queue, max_age_seconds: age, platforms, budgets } = spec;
  const note = noteOn(yaml, ["spec"]);
  return [
    ...keepingNotes(spec, note, agents),
    ...(queue.waiting_per_conversation > queue.waiting
      ? note(
          ["queue", "waiting_per_conversation"],
          `${queue.waiting_per_conversation} has no effect, because queue.waiting is ${queue.waiting}`,
        )
      : []),
    ...(["user", "conversation", "tenant", "agent"] as const).flatMap((scope) => {
      const [cents, all] = [budgets[scope].cost_cents, budgets.global.cost_cents];
      if (cents === "off" || all === "off" || cents <= all) return [];
      const why = `${cents} has no effect, because budgets.global.cost_cents is ${all}`;
      return note(["budgets", scope, "cost_cents"], why);
    }),
    ...Object.entries(platforms).flatMap(([name, { dedup_seconds }]) => {
      if (age !== "off" && dedup_seconds >= age) return [];
      const until = age === "off" ? "of any age" : `up to ${age} s old`;
      return note(
        ["platforms", name, "dedup_seconds"],
        `${dedup_seconds} is forgotten before a message is too old: one ${until} (max_age_seconds) that is delivered again after that runs twice`,
      );
    }),
  ];
}

type Remembering = ReadonlyMap<string, Pick<AgentSpec, "memory">>;

/** What is kept no longer than something else, however long it may be. */
function keepingNotes({ media, retention }: GatewaySpec, note: Told, agents: Remembering): string[] {
  const remembered = Math.max(0, ...[...agents.values()].map(({ memory }) => memory.ttl_seconds));
  const longest = Math.max(retention.finished_seconds, retention.dead_seconds, remembered);
  return [
    ...(media.kept_seconds > remembered
      ? note(
          ["media", "kept_seconds"],
          `${media.kept_seconds} has no effect, because no agent remembers longer than ${remembered} s (memory.ttl_seconds)`,
        )
      : []),
    ...Object.entries(retention.tenants)
      .filter(([, kept]) => kept >= longest)
      .flatMap(([tenant, kept]) =>
        note(
          ["retention", "tenants", tenant],
          `${kept} has no effect, because nothing is kept longer than ${longest} s anyway`,
        ),
      ),
  ];
}

/** Nothing is told of a setting that is not in the file. In one of AOF, some stand a level higher. */
function noteOn(yaml: YamlFile, base: Path): Told {
  return (path, why) => {
    const places = [path, ...(isOfAof(yaml.value) ? [path.slice(-1)] : [])].map((one) => [...base, ...one]);
    const full = places.find((one) => yaml.at(one) !== undefined);
    return full === undefined ? [] : [formatProblem(yaml.problem(full, why))];
  };
}
