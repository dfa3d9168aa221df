import type { BudgetScope } from "./budget.ts";
import type { TriggerEvent } from "./event.ts";
import type { HookMessage } from "./hook.ts";
import type { Answer, ToolUse, Usage } from "./run.ts";

/** What is told of each thing that happens: ids and figures, never what somebody has written. */

export interface FinishedRun {
  readonly runId: string;
  readonly agent: string;
  readonly answer: Pick<Answer, "outcome" | "usage" | "cause" | "overBudget">;
  readonly attempts: number;
  readonly acceptedAtMs: number;
}

/** Its answer has been said. */
export function runFinished(event: TriggerEvent, run: FinishedRun, atMs: number): HookMessage {
  const { outcome, usage, cause, overBudget } = run.answer;
  return {
    ...{ key: run.runId, type: "run.finished", atMs, eventId: event.id },
    data: {
      ...whereabouts(event),
      ...{ run_id: run.runId, agent: run.agent, outcome, attempts: run.attempts },
      duration_ms: Math.max(0, atMs - run.acceptedAtMs),
      usage: usageOf(usage),
      ...(cause !== undefined && { cause }),
      ...(overBudget !== undefined && { over_budget: overBudget }),
    },
  };
}

/** `waitsSinceMs`: tells one death of an event that was brought back from the next. */
export function eventDead(
  event: TriggerEvent,
  death: {
    readonly agent: string | null;
    readonly cause: string;
    readonly attempts: number;
    readonly waitsSinceMs: number;
  },
  atMs: number,
): HookMessage {
  const { agent, cause, attempts, waitsSinceMs } = death;
  return {
    ...{ key: `${event.id} ${waitsSinceMs}`, type: "event.dead", atMs, eventId: event.id },
    data: { ...whereabouts(event), agent, cause, attempts },
  };
}

export function budgetWarning(
  warning: {
    readonly scope: BudgetScope;
    readonly id: string;
    readonly day: string;
    readonly spentCents: number;
    readonly limitCents: number;
  },
  atMs: number,
): HookMessage {
  const { scope, id, day, spentCents, limitCents } = warning;
  return {
    ...{ key: `${scope} ${id} ${day}`, type: "budget.warning", atMs },
    data: { scope, id, day, spent_cents: spentCents, limit_cents: limitCents },
  };
}

interface Asked {
  readonly approvalId: string;
  readonly runId: string;
  readonly agent: string;
  readonly use: Pick<ToolUse, "tool" | "effect"> | undefined;
}

export function approvalRequested(
  event: TriggerEvent,
  { expiresAtMs, ...asked }: Asked & { readonly expiresAtMs: number },
  atMs: number,
): HookMessage {
  return {
    ...{ key: asked.approvalId, type: "approval.requested", atMs, eventId: event.id },
    data: { ...whereabouts(event), ...approvalOf(asked), expires_at: new Date(expiresAtMs).toISOString() },
  };
}

export function approvalDecided(
  event: TriggerEvent,
  { verdict, by, ...asked }: Asked & { readonly verdict: string; readonly by: readonly string[] },
  atMs: number,
): HookMessage {
  return {
    ...{ key: asked.approvalId, type: "approval.decided", atMs, eventId: event.id },
    data: { ...whereabouts(event), ...approvalOf(asked), verdict, decided_by: by },
  };
}

interface Rested {
  readonly kind: "model" | "platform";
  readonly name: string;
  /** Of several processes each has breakers of its own. */
  readonly host: string;
}

export function breakerOpened(
  { kind, name, host }: Rested,
  { code, message }: { readonly code: string; readonly message: string },
  atMs: number,
): HookMessage {
  return {
    ...{ key: `${host} ${kind} ${name} ${atMs}`, type: "breaker.opened", atMs },
    data: { kind, name, code, cause: message, host },
  };
}

export function breakerClosed({ kind, name, host }: Rested, openMs: number, atMs: number): HookMessage {
  return {
    ...{ key: `${host} ${kind} ${name} ${atMs}`, type: "breaker.closed", atMs },
    data: { kind, name, open_ms: openMs, host },
  };
}

/** The provider will not have our credentials: nothing gets better before somebody sees to it. */
export function modelRefused(
  { name, host }: Omit<Rested, "kind">,
  { code, message }: { readonly code: string; readonly message: string },
  atMs: number,
): HookMessage {
  return {
    ...{ key: `${host} ${name} ${atMs}`, type: "model.refused", atMs },
    data: { name, code, cause: message, host },
  };
}

function whereabouts({ id, platform, tenant, place, thread, conversation, sender, trigger }: TriggerEvent) {
  return {
    ...{ event_id: id, platform, tenant, channel: place, thread, conversation },
    ...{ user: sender.id, trigger },
  };
}

function approvalOf({ approvalId, runId, agent, use }: Asked) {
  return {
    approval_id: approvalId,
    run_id: runId,
    agent,
    tool: use?.tool ?? null,
    effect: use?.effect ?? null,
  };
}

function usageOf({ inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, costCents }: Usage) {
  return {
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    cache_read_tokens: cacheReadTokens,
    cache_write_tokens: cacheWriteTokens,
    cost_cents: costCents,
  };
}
