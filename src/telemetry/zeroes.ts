import type { ErrorCode } from "../domain/errors.ts";
import { TOOL_OUTCOMES } from "../ports/tool-desk.ts";
import type { Metrics } from "./metrics.ts";

const SURFACES = ["admin", "developer", "metrics"];
const SCOPES = ["user", "conversation", "tenant", "global"];
const DAY_SCOPES = ["user", "conversation", "tenant", "agent", "global"];

/** Of the audit, what is told at once: see ParleyOperatorActed. */
const DEEDS = [
  "kill_switch.set",
  "limits.set",
  "letters.drop_begun",
  "conversation.erased",
  "installation.removed",
  "events.removed",
  "token.created",
];

const MODEL_OUTCOMES: readonly ("ok" | ErrorCode)[] = [
  "ok",
  "MODEL_AUTH",
  "MODEL_BILLING",
  "MODEL_NOT_FOUND",
  "MODEL_OVERLOADED",
  "MODEL_RATE_LIMITED",
  "MODEL_REQUEST_REJECTED",
  "MODEL_UNREACHABLE",
  "MODEL_STREAM_CUT",
];

/** The calls of a model that an agent may make. A breaker opens after a few: their failures are all that there is to see. */
export function modelCallsAtZero(
  metrics: Pick<Metrics, "modelCalls">,
  of: { readonly agent: string; readonly provider: string; readonly model: string },
): void {
  for (const outcome of MODEL_OUTCOMES) metrics.modelCalls.inc({ ...of, outcome }, 0);
}

/** Of a tool, once it is known: its names come from its server. */
export function toolCallsAtZero(
  metrics: Pick<Metrics, "toolCalls">,
  of: { readonly agent: string; readonly tool: string },
): void {
  for (const outcome of TOOL_OUTCOMES) metrics.toolCalls.inc({ ...of, outcome }, 0);
}

/**
 * Series of what should seldom happen, at 0 from the start: `increase` in Prometheus sees only what a series becomes
 * after it was first scraped, and the first time is when somebody should hear of it.
 */
export function beginAtZero(
  metrics: Metrics,
  {
    platforms,
    agents,
    schedules,
    hooks,
    servers,
  }: {
    readonly platforms: readonly string[];
    readonly agents: readonly string[];
    readonly schedules: readonly string[];
    readonly hooks: readonly string[];
    /** MCP servers of agents. */
    readonly servers: readonly { readonly agent: string; readonly server: string }[];
  },
): void {
  for (const platform of platforms) {
    for (const outcome of ["accepted", "duplicate", "unavailable", "forged", "stale"])
      metrics.webhooks.inc({ platform, outcome }, 0);
    for (const outcome of ["sent", "retry", "rejected", "refused", "unknown"])
      metrics.replies.inc({ platform, outcome }, 0);
    for (const scope of SCOPES) metrics.rateLimited.inc({ platform, scope }, 0);
    const { deadLetters, crashes, platform429, duplicates, acksLate } = metrics;
    for (const counter of [deadLetters, crashes, platform429, duplicates, acksLate])
      counter.inc({ platform }, 0);
  }
  for (const agent of agents) {
    for (const outcome of ["answered", "failed", "retried", "deferred"])
      metrics.runAttempts.inc({ agent, outcome }, 0);
    for (const budget of ["time", "tokens", "cost", "steps", ...DAY_SCOPES])
      metrics.budgetExceeded.inc({ agent, budget }, 0);
    for (const outcome of ["made", "failed", "skipped"]) metrics.compactions.inc({ agent, outcome }, 0);
  }
  for (const schedule of schedules)
    for (const outcome of ["skipped", "platform_off"]) metrics.schedules.inc({ schedule, outcome }, 0);
  for (const hook of hooks)
    for (const outcome of ["delivered", "failed", "dead"]) metrics.hookDeliveries.inc({ hook, outcome }, 0);
  for (const of of servers) metrics.toolServerFailures.inc(of, 0);
  for (const scope of DAY_SCOPES) metrics.budgetWarnings.inc({ scope }, 0);
  for (const action of DEEDS) metrics.auditEntries.inc({ action }, 0);
  for (const surface of SURFACES)
    for (const answer of ["wrong", "slowed"]) metrics.authFailures.inc({ surface, answer }, 0);
  for (const cause of ["slow", "closed", "bus"]) metrics.liveDropped.inc({ cause }, 0);
  for (const cause of ["client", "stale"]) metrics.liveClosed.inc({ cause }, 0);
  for (const outcome of ["refused", "failed"]) metrics.configReloads.inc({ outcome }, 0);
}
