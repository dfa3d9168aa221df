import { redacted } from "../domain/redact.ts";
import type { ToolCall } from "../domain/run.ts";
import type { Sender } from "../domain/signal.ts";
import type { Clock } from "../ports/clock.ts";
import type { Tool } from "../ports/tool.ts";
import { messageOf } from "../shared/fault.ts";
import type { RunObserver, ToolCallReport } from "./agent.ts";
import { TOOL_RESULT_CHARS_MAX, TOOL_TIMEOUT_MS } from "./bounds.ts";
import { timed, untilAborted } from "./signals.ts";

export interface ToolResult {
  readonly result: string;
  readonly isError: boolean;
}

interface ToolDeps {
  readonly agent: string;
  readonly timeoutMs?: number | undefined;
  readonly clock: Clock;
  readonly observe: RunObserver;
}

const UNKNOWN_OUTCOME =
  "The outcome of this call is unknown: the connection to it was lost. It may or may not have run. " +
  "Find out before you call it again, or tell the person.";

/** To a model that called a tool which this agent has not. */
export function unknownTool(call: ToolCall, tools: readonly Tool[]): ToolResult {
  const known = tools.map(({ name }) => name).join(", ");
  return { result: `Expected one of these tools: ${known || "none"}. Got: ${call.name}`, isError: true };
}

/** For a call that an earlier holder began, when calling again could do it twice. */
export function unknownOutcome(call: ToolCall, { agent, observe }: ToolDeps): ToolResult {
  observe.toolCall?.({ agent, tool: call.name, outcome: "unknown-outcome", durationMs: 0 });
  return { result: UNKNOWN_OUTCOME, isError: true };
}

/**
 * Calls a tool. Whatever goes wrong with it is a result for the model to deal with; only an abort is thrown, with
 * the signal's reason, also when the tool does not heed the signal.
 */
export async function callTool(
  tool: Tool,
  call: ToolCall,
  signal: AbortSignal,
  deps: ToolDeps,
  approvedBy?: Sender,
): Promise<ToolResult> {
  const timeoutMs = deps.timeoutMs ?? TOOL_TIMEOUT_MS;
  const late = new Error(
    `Expected a result within ${timeoutMs / 1000} s, got none. It may still have had its effect.`,
  );
  const scope = timed(signal, timeoutMs, () => late, deps.clock);
  const startedAtMs = deps.clock.nowMs();
  const report = (outcome: ToolCallReport["outcome"]) =>
    deps.observe.toolCall?.({
      agent: deps.agent,
      tool: tool.name,
      outcome,
      durationMs: deps.clock.nowMs() - startedAtMs,
    });
  try {
    const work = (async () => tool.call(call.input, scope.signal, approvedBy))();
    const result = bounded(String(await untilAborted(work, scope.signal)));
    report("ok");
    return { result, isError: false };
  } catch (error) {
    signal.throwIfAborted();
    report(scope.signal.aborted ? "timeout" : "error");
    const reason = scope.signal.aborted ? late : error;
    return { result: bounded(messageOf(reason)), isError: true };
  } finally {
    scope.end();
  }
}

/** What a tool found out is shown to the model, which may say it. */
function bounded(found: string): string {
  const text = redacted(found);
  if (text.length <= TOOL_RESULT_CHARS_MAX) return text.toWellFormed();
  const head = text.slice(0, TOOL_RESULT_CHARS_MAX).toWellFormed();
  return `${head}\n[cut here: ${text.length} characters in all]`;
}
