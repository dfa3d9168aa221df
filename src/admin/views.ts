import { pathIn } from "../domain/handover.ts";
import type { Rating } from "../domain/reaction.ts";
import type { Progress, Step, Usage } from "../domain/run.ts";
import type { EventRecord } from "../ports/journal.ts";
import { iso } from "../shared/time.ts";
import { EXCERPT_CHARS_MAX } from "./bounds.ts";
import type {
  EventDetail,
  EventView,
  LetterDetail,
  LetterKind,
  LetterView,
  ProgressView,
  StepView,
  UsageView,
} from "./schemas.ts";

/** Outbound: the run has an answer, only the saying of it failed. */
export function kindOf({ progress }: EventRecord): LetterKind {
  const answer = progress?.answer ?? null;
  return answer !== null && answer.outcome !== "failed" ? "outbound" : "inbound";
}

/** As lists show it. The reply address stays inside: it may hold a token of the platform. */
export function eventView(record: EventRecord): EventView {
  const { event } = record;
  return {
    id: record.id,
    seq: record.seq,
    state: record.state,
    platform: event.platform,
    tenant: event.tenant,
    place: event.place,
    thread: event.thread,
    conversation: event.conversation,
    sender: { id: event.sender.id, name: event.sender.name },
    trigger: event.trigger,
    command: event.command,
    agent: agentOf(record),
    excerpt: event.text.slice(0, EXCERPT_CHARS_MAX).toWellFormed(),
    attempts: record.attempt,
    cause: record.cause,
    merged_into: record.mergedInto,
    accepted_at: iso(record.acceptedAtMs),
    updated_at: iso(record.updatedAtMs),
    replays: record.replays.map(({ atMs, by, mode, cause }) => ({ at: iso(atMs), by, mode, cause })),
  };
}

export function eventDetail(record: EventRecord, feedback: readonly Rating[] = []): EventDetail {
  const { event, progress } = record;
  return {
    ...eventView(record),
    text: event.text,
    is_direct: event.isDirect,
    feedback: feedback.map(({ by, rating, atMs }) => ({ by, rating, at: iso(atMs) })),
    occurred_at: iso(event.occurredAtMs),
    attachments: event.attachments.map(({ id, kind, name, mime, sizeBytes }) => ({
      id,
      kind,
      name,
      mime,
      size_bytes: sizeBytes,
    })),
    progress: progress === null ? null : progressView(progress),
  };
}

export function letterView(record: EventRecord): LetterView {
  return { ...eventView(record), kind: kindOf(record) };
}

export function letterDetail(record: EventRecord): LetterDetail {
  return { ...eventDetail(record), kind: kindOf(record) };
}

/** Null before a run began, and where no agent was set up for it. */
export function agentOf({ progress }: EventRecord): string | null {
  return progress === null || progress.agent === "" ? null : progress.agent;
}

function progressView(progress: Progress): ProgressView {
  const { runId, agent, startedAtMs, steps, answer } = progress;
  const path = progress.path ?? pathIn(steps);
  return {
    run_id: runId,
    agent,
    ...(path.length > 0 && { path: [...path] }),
    started_at: iso(startedAtMs),
    steps: steps.map(stepView),
    answer: answer && {
      outcome: answer.outcome,
      text: answer.text,
      parts: answer.parts.length,
      usage: usageView(answer.usage),
      models: (answer.models ?? []).map((one) => ({ ...one, usage: usageView(one.usage) })),
      ...(answer.fromCache && { from_cache: true as const }),
      cause: answer.cause ?? null,
    },
  };
}

/** What only the provider can read stays inside. */
function stepView(step: Step): StepView {
  switch (step.kind) {
    case "model": {
      const { kind, text, toolCalls, stop, usage, model, fromCache } = step;
      const calls = toolCalls.map(({ id, name, input }) => ({ id, name, input }));
      const by = { ...(model !== undefined && { model }), ...(fromCache && { from_cache: true as const }) };
      return { kind, text, tool_calls: calls, stop: stop ?? null, usage: usageView(usage), ...by };
    }
    case "model-started":
      return { kind: step.kind, held_cents: step.hold.cents, day: step.hold.day };
    case "tool-asked": {
      const { kind, callId, approvalId, question, askedAtMs, untilMs } = step;
      const times = { asked_at: iso(askedAtMs), expires_at: iso(untilMs) };
      return { kind, call_id: callId, approval_id: approvalId, question, ...times };
    }
    case "tool-voted": {
      const { kind, approvalId, by, atMs } = step;
      return {
        kind,
        approval_id: approvalId,
        by: { id: by.id, name: by.name },
        at: atMs === undefined ? null : iso(atMs),
      };
    }
    case "tool-decided": {
      const { kind, approvalId, verdict, by, reason = null } = step;
      return { kind, approval_id: approvalId, verdict, by: by && { id: by.id, name: by.name }, reason };
    }
    case "compacted": {
      const { kind, text, covers, usage } = step;
      return { kind, text, turns: covers.turns, usage: usageView(usage) };
    }
    case "joined":
      return { kind: step.kind, event_id: step.eventId };
    case "agent":
      return { kind: step.kind, call_id: step.callId, agent: step.agent, steps: step.steps.length };
    case "tool-started":
      return { kind: step.kind, call_id: step.callId };
    case "tool":
      return { kind: step.kind, call_id: step.callId, result: step.result, is_error: step.isError };
  }
}

export function usageView(usage: Usage): UsageView {
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    cache_read_tokens: usage.cacheReadTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    cost_cents: usage.costCents,
  };
}
