import type { Instruments } from "./instruments.ts";

const TOOL_SECONDS = [0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60];
const RUN_SECONDS = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 1800];
const RUN_TOKENS = [100, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000];

/** Runs, and the models and tools that they use. */
export function agentsMetrics({ counter, gauge, histogram }: Instruments) {
  return {
    runs: counter("runs_total", "Agent runs by how they ended, counted when that has been said.", [
      "agent",
      "outcome",
    ]),
    runAttempts: counter(
      "run_attempts_total",
      "Attempts at a run by how they ended: retried, deferred and aborted ones too.",
      ["agent", "outcome"],
    ),
    runSeconds: histogram(
      "run_duration_seconds",
      "Duration of agent runs, reply not included.",
      RUN_SECONDS,
      ["agent", "outcome"],
    ),
    runTokens: histogram(
      "run_tokens",
      "Tokens of one run, all its model calls together, by its agent and the model of that.",
      RUN_TOKENS,
      ["agent", "model"],
    ),
    runsActive: gauge(
      "runs_active",
      "Messages in hand: their run, or the answer to it. Commands and notices are not among them.",
    ),
    breakerState: gauge("breaker_state", "Of a model or a platform: 0 closed, 1 half-open, 2 open.", {
      labels: ["kind", "name"],
      over: "max",
    }),
    breakerOpens: counter(
      "breaker_opens_total",
      "How often a model or a platform was begun to be left alone.",
      ["kind", "name"],
    ),
    budgetExceeded: counter(
      "budget_exceeded_total",
      "Runs that a budget ended: time, tokens, cost or steps of the run; user, conversation, tenant, agent or global of the day.",
      ["agent", "budget"],
    ),
    budgetWarnings: counter(
      "budget_warnings_total",
      "Daily budgets that came to `budgets.warn_at`, once a day each.",
      ["scope"],
    ),
    modelCalls: counter("model_calls_total", "Model calls by outcome.", [
      "agent",
      "provider",
      "model",
      "outcome",
    ]),
    modelSeconds: histogram("model_call_duration_seconds", "Duration of model calls.", RUN_SECONDS, [
      "agent",
      "provider",
      "model",
    ]),
    modelCallsInFlight: gauge(
      "model_calls_in_flight",
      "Calls of a provider's models that are being made now.",
      { labels: ["provider"] },
    ),
    modelCallsWaiting: gauge(
      "model_calls_waiting",
      "Calls of a provider's models that wait until they may be made.",
      { labels: ["provider"] },
    ),
    modelWaitSeconds: histogram(
      "model_call_wait_seconds",
      "How long calls had to wait, for other calls (concurrency) or the provider's limits (rate_limit), until they were called, deferred to the queue or given up.",
      RUN_SECONDS,
      ["provider", "why", "outcome"],
    ),
    guardVerdicts: counter(
      "guard_verdicts_total",
      "What guards said of calls of tools: all but `allowed` were not made.",
      ["agent", "tool", "verdict"],
    ),
    modelTokens: counter(
      "model_tokens_total",
      "Tokens used, as the provider counted them; each is of one kind.",
      ["agent", "provider", "model", "kind"],
    ),
    modelCost: counter("model_cost_dollars_total", "Cost of model calls in US dollars.", [
      "agent",
      "provider",
      "model",
    ]),
    compactions: counter(
      "memory_compactions_total",
      "Summaries of older turns of a memory, by outcome; without one the oldest turns are left out.",
      ["agent", "outcome"],
    ),
    answerCache: counter(
      "answer_cache_total",
      "Answers that might have been given before, of agents with `cache`: a `hit` was, and no model was asked.",
      ["agent", "outcome"],
    ),
    toolCalls: counter("tool_calls_total", "Calls of tools by outcome.", ["agent", "tool", "outcome"]),
    toolSeconds: histogram(
      "tool_call_duration_seconds",
      "Duration of calls of tools, with all that was repeated of them.",
      TOOL_SECONDS,
      ["agent", "tool"],
    ),
    toolServerUp: gauge("tool_server_up", "1 while the connection to this MCP server stands.", {
      labels: ["agent", "server"],
    }),
    toolServerFailures: counter(
      "tool_server_failures_total",
      "Times that an MCP server was lost or could not be reached.",
      ["agent", "server"],
    ),
  };
}
