import type { ContextOut } from "./context.ts";
import { modelFrom, type RatesOf } from "./model.ts";
import { isSecretName } from "./secrets.ts";
import { type Entry, Mapping, type Place, type Report } from "./source.ts";
import { toolsFrom } from "./tools.ts";
import {
  countOf,
  flagOf,
  type Hints,
  mappingOf,
  rawText,
  reportRest,
  secondsOf,
  textOf,
  within,
} from "./values.ts";

export interface AgentOut {
  readonly name: string;
  readonly place: Place;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: Readonly<Record<string, unknown>>;
  readonly comment: string | null;
}

export interface AgentContext {
  readonly report: Report;
  readonly rates: RatesOf;
  /** Variables that Parley alone reads. */
  readonly own: ReadonlySet<string>;
  /** The one context of the folder. */
  readonly context: ContextOut | null;
  /** Of a run, where the agent says nothing. */
  readonly runSeconds: number | undefined;
  /** Who may approve, by the daemon's configuration. */
  readonly approvers: readonly string[];
  /** Gives a name that no other agent has. */
  readonly nameOf: (given: string, place: Place) => string;
}

const DAY = 86_400;
const HINTS: Hints = {
  description: "has no counterpart; the system prompt is what the model reads; left out",
  max_memory_mb: "has no counterpart: an agent is no process; limit the gateway's; left out",
  streaming: "not needed: an answer is shown while it grows, see preview",
  annotations: "has no counterpart; labels are kept; left out",
  namespace: "has no counterpart; left out",
  output_schema: "has no counterpart: answers are for people; left out",
};

/** An agent, in the long form or the flat one. */
export function agentFrom(file: Mapping, around: AgentContext): AgentOut {
  const { report } = around;
  const metadata = file.mapping("metadata");
  const spec = file.mapping("spec") ?? file;
  const name = (metadata ?? spec).take("name") ?? spec.take("name") ?? file.take("name");
  const labels = labelsOf((metadata ?? spec).take("labels"), report);
  const named = around.nameOf(rawText(name, report) ?? "", name?.place ?? file.place);
  const model = modelFrom(spec, around);
  const prompt = textOf(spec.take("system_prompt", "instructions", "system", "prompt"), report);
  const { context } = around;
  const tools = toolsFrom(spec, {
    report,
    own: around.own,
    env: [...(context?.env ?? []), ...["env", "environment"].flatMap((key) => spec.take(key) ?? [])],
    asking: context?.asking ?? [],
  });
  const limits = limitsFrom(spec, around);
  const memory = memoryFrom(spec, report);
  const retry = retryFrom(spec, report);
  const approvals = approvalsOf(around);
  file.take("api_version", "apiversion");
  file.take("kind");
  reportRest(metadata, report, HINTS);
  reportRest(spec, report, HINTS);
  if (spec !== file) reportRest(file, report, HINTS);
  return {
    name: named,
    place: name?.place ?? file.place,
    labels,
    comment: model.comment,
    spec: {
      model: model.spec,
      ...(prompt !== undefined && { system_prompt: prompt.slice(0, 100_000) }),
      ...(tools.length > 0 && { tools }),
      ...some({ memory, limits, budgets: BUDGETS, retry, approvals }),
    },
  };
}

/** AOF counts no tokens, and one answer of a tool may take all that a run of ours has by default; its cost stays capped. */
const BUDGETS = { tokens: 100_000 };

/** Those that hold anything. */
function some(parts: Readonly<Record<string, object>>): object {
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => Object.keys(part).length > 0));
}

function labelsOf(entry: Entry | undefined, report: Report): Record<string, string> {
  return Object.fromEntries(
    (mappingOf(entry, report)?.takeRest() ?? []).flatMap(([label, one]) => {
      const value = textOf(one, report);
      if (value === undefined || label === "" || label.length > 200 || isSecretName(label)) {
        report(one.place, "is no label; left out");
        return [];
      }
      return [[label, value.slice(0, 1_000)]];
    }),
  );
}

function limitsFrom(spec: Mapping, { report, context, runSeconds }: AgentContext): object {
  const limits = spec.mapping("limits");
  const iterations = limits?.take("max_iterations", "max_turns") ?? spec.take("max_iterations", "max_turns");
  const time =
    limits?.take("max_execution_time_seconds", "max_execution_time_secs", "timeout_seconds", "timeout") ??
    spec.take("max_execution_time_seconds", "max_execution_time_secs");
  reportRest(limits, report, HINTS);
  const max_iterations = countOf(iterations, { min: 1, max: 1_000 }, report);
  const max_execution_time_seconds = secondsOf(time, DAY, report) ?? context?.runSeconds ?? runSeconds;
  return {
    ...(max_iterations !== undefined && { max_iterations }),
    ...(max_execution_time_seconds !== undefined && { max_execution_time_seconds }),
  };
}

const BACKENDS: Readonly<Record<string, string>> = {
  inmemory: "memory",
  in_memory: "memory",
  memory: "memory",
  redis: "redis",
  sqlite: "sqlite",
  sled: "sled",
  file: "file",
};
const BACKEND_HINT =
  "kept, without effect: memory is kept with the events, in SQLite or, where REDIS_URL is set, in Redis";
const MEMORY_HINTS: Hints = {
  url: "not copied: set REDIS_URL",
  db: "not copied: it is the path of REDIS_URL, such as redis://host:6379/0",
  pool_size: "has no counterpart: one connection serves all; left out",
  timeout_seconds: "has no counterpart: store.redis.timeout_ms in gateway.yaml; left out",
  path: "has no counterpart: the database lies in PARLEY_DATA_DIR; left out",
};

/** `InMemory`, `File:./memory.json:200`, or a mapping of one of several shapes. */
function memoryFrom(spec: Mapping, report: Report): object {
  const entry = spec.take("memory");
  const contextMessages = spec.take("max_context_messages");
  const most = countOf(contextMessages, { min: 0, max: 10_000 }, report);
  const messages = most === undefined ? {} : { max_messages: most };
  if (entry === undefined) return messages;
  if (!(entry.value instanceof Mapping)) {
    const [word = "", ...parts] = (rawText(entry, report) ?? "").split(":");
    const backend = BACKENDS[word.trim().toLowerCase()];
    const count = /^\d{1,6}$/.test(parts.at(-1) ?? "") ? Number(parts.at(-1)) : undefined;
    report(entry.place, backend === undefined ? "left out: memory is kept with the events" : BACKEND_HINT);
    const held = count === undefined ? most : within(count, { min: 0, max: 10_000 }, entry, report);
    return { ...(backend !== undefined && { backend }), ...(held !== undefined && { max_messages: held }) };
  }
  const memory = entry.value;
  const inside = ["config", "settings", "conversational"].flatMap((key) => memory.mapping(key) ?? []);
  const first = (...names: string[]) =>
    [memory, ...inside].map((one) => one.take(...names)).find((one) => one !== undefined);
  const kind = memory.take("backend", "type", "persistence");
  const backend = BACKENDS[(typeof kind?.value === "string" ? kind.value : "").toLowerCase()];
  if (kind !== undefined)
    report(kind.place, backend === undefined ? "left out: memory is kept with the events" : BACKEND_HINT);
  const ttl_seconds = secondsOf(
    first("ttl_seconds", "ttl_secs", "ttl", "conversation_ttl"),
    10 * 366 * DAY,
    report,
  );
  const max_messages = countOf(first("max_messages", "max_history"), { min: 0, max: 10_000 }, report) ?? most;
  const isOn = flagOf(memory.take("enabled"), report);
  for (const one of [memory, ...inside]) reportRest(one, report, MEMORY_HINTS);
  return {
    ...(backend !== undefined && { backend }),
    ...(ttl_seconds !== undefined && { ttl_seconds }),
    ...(isOn === false ? { max_messages: 0 } : max_messages !== undefined && { max_messages }),
  };
}

function retryFrom(spec: Mapping, report: Report): object {
  const retry = spec.mapping("retry", "retry_policy");
  if (retry === undefined) return {};
  const attempts = countOf(retry.take("max_attempts", "attempts"), { min: 1, max: 20 }, report);
  const again = countOf(retry.take("max_retries"), { min: 0, max: 19 }, report);
  const max_attempts = attempts ?? (again === undefined ? undefined : again + 1);
  const backoff = retry.peek("backoff");
  const isWord = typeof backoff === "string" && !/^\s*[\dP]/.test(backoff);
  const word = isWord ? rawText(retry.take("backoff"), report) : undefined;
  const wait = retry.take("backoff_seconds", "backoff_secs", "backoff", "initial_delay", "initial_backoff");
  const seconds = wait?.value === 0 ? 0 : secondsOf(wait, 3_600, report);
  const said = retry.take("exponential");
  const exponential = flagOf(said, report) ?? (word === undefined ? undefined : word === "exponential");
  const factor = retry.peek("backoff_multiplier") === 2 ? retry.take("backoff_multiplier") : undefined;
  reportRest(retry, report);
  return {
    ...(max_attempts !== undefined && { max_attempts }),
    ...(seconds !== undefined && { backoff_seconds: seconds }),
    ...(exponential !== undefined ? { exponential } : factor !== undefined && { exponential: true }),
  };
}

function approvalsOf({ context, approvers }: AgentContext): object {
  const all = [...new Set([...approvers, ...(context?.approvers ?? [])])].slice(0, 1_000);
  return { ...(all.length > 0 && { approvers: all }), ...context?.approvals };
}
