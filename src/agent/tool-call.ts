import { redacted } from "../domain/redact.ts";
import type { ToolCall, ToolPicture } from "../domain/run.ts";
import type { Sender } from "../domain/signal.ts";
import { ToolFault } from "../domain/tool-fault.ts";
import type { Clock } from "../ports/clock.ts";
import type { Equipment, FoundFile, LeftFile, Tool, ToolCaller, ToolOutput } from "../ports/tool.ts";
import { messageOf } from "../shared/fault.ts";
import { untilAborted } from "../shared/until.ts";
import type { RunObserver, ToolCallReport } from "./agent.ts";
import { TOOL_RESULT_CHARS_MAX, TOOL_TIMEOUT_MS } from "./bounds.ts";
import { timed } from "./signals.ts";

export interface ToolResult {
  readonly result: string;
  readonly isError: boolean;
  readonly pictures?: readonly ToolPicture[];
}

/** Of a call that was made; its files are not kept yet. */
export interface CallResult extends ToolResult {
  readonly files?: readonly (FoundFile | LeftFile)[];
}

interface ToolDeps {
  readonly agent: string;
  readonly timeoutMs?: number | undefined;
  readonly clock: Clock;
  readonly observe: RunObserver;
  /** Before each attempt: since the one before, another may have taken over. */
  readonly ensure: () => Promise<void>;
  readonly caller: ToolCaller;
  readonly approvedBy?: Sender | undefined;
}

/** Words that models are told of, and operators look for. */
const UNKNOWN_OUTCOME = "interrupted, outcome unknown";

/** Of an agent without a toolbox. */
export function onlyOwn(tools: readonly Tool[]): Equipment {
  return { tools, notes: [], whyMissing: () => null };
}

/** To a model that called a tool which this agent has not. */
export function unknownTool(call: ToolCall, tools: readonly Tool[], why: string | null): ToolResult {
  if (why !== null) return { result: bounded(why), isError: true };
  const known = tools.map(({ name }) => name).join(", ");
  return { result: `Expected one of these tools: ${known || "none"}. Got: ${call.name}`, isError: true };
}

/** For a call that an earlier holder began, when calling again could do it twice. */
export function unknownOutcome(
  call: ToolCall,
  { agent, observe }: Pick<ToolDeps, "agent" | "observe">,
): ToolResult {
  observe.toolCall?.({ agent, tool: call.name, outcome: "unknown-outcome", durationMs: 0 });
  return { result: UNKNOWN_OUTCOME, isError: true };
}

/** For a call that a newer message came before, or into: it is for the model to say whether it is still wanted. */
export function overtakenCall(): ToolResult {
  return { result: "interrupted: a newer message came", isError: true };
}

/**
 * Calls a tool, and again where it failed on the way and that is safe. Whatever goes wrong with it is a result for the model to
 * deal with; only an abort is thrown, with the signal's reason, also when the tool does not heed the signal.
 */
export async function callTool(
  tool: Tool,
  call: ToolCall,
  signal: AbortSignal,
  deps: ToolDeps,
): Promise<CallResult> {
  const { clock } = deps;
  const timeoutMs = tool.timeoutMs ?? deps.timeoutMs ?? TOOL_TIMEOUT_MS;
  const late = new Error(lateWords(tool, timeoutMs));
  const scope = timed(signal, timeoutMs, () => late, clock);
  const startedAtMs = clock.nowMs();
  const ended = (
    outcome: ToolCallReport["outcome"],
    { text, isError, pictures = [], files = [] }: ToolOutput,
  ): CallResult => {
    const durationMs = clock.nowMs() - startedAtMs;
    deps.observe.toolCall?.({ agent: deps.agent, tool: tool.name, outcome, durationMs });
    // Providers take none with an error.
    const seen = !isError && pictures.length > 0 && { pictures };
    return { result: bounded(text), isError, ...seen, ...(!isError && files.length > 0 && { files }) };
  };
  try {
    for (let attempt = 1; ; attempt++) {
      await deps.ensure();
      const output = await outputOf(tool, call, scope.signal, deps);
      if (!(output instanceof Error)) return ended(output.isError ? "error" : "ok", output);
      signal.throwIfAborted();
      if (scope.signal.aborted) return ended("timeout", { text: late.message, isError: true });
      if (!mayRepeat(tool, output, attempt)) return ended(...failed(tool, output));
      // Cut short by the end of the time, it is the next attempt that finds so.
      await clock.sleep(tool.retry?.backoffMs ?? 0, scope.signal).catch(() => {});
      signal.throwIfAborted();
    }
  } finally {
    scope.end();
  }
}

async function outputOf(
  tool: Tool,
  { input }: ToolCall,
  signal: AbortSignal,
  { approvedBy, caller }: ToolDeps,
): Promise<ToolOutput | Error> {
  try {
    const work = (async () => tool.call(input, signal, approvedBy, caller))();
    const found = await untilAborted(work, signal);
    return typeof found === "object" ? found : { text: String(found), isError: false };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function mayRepeat({ retry, repeatable }: Tool, error: Error, attempt: number): boolean {
  if (retry === undefined || attempt >= retry.maxAttempts || !(error instanceof ToolFault)) return false;
  return error.isPassing && (repeatable || !error.mayHaveRun);
}

function failed({ effect }: Tool, error: Error): [ToolCallReport["outcome"], ToolOutput] {
  const isUnknown = error instanceof ToolFault && error.mayHaveRun && effect !== "read";
  if (isUnknown) return ["unknown-outcome", { text: UNKNOWN_OUTCOME, isError: true }];
  return ["error", { text: messageOf(error), isError: true }];
}

function lateWords({ effect }: Tool, timeoutMs: number): string {
  return `timed out after ${timeoutMs / 1000} s${effect === "read" ? "" : ", outcome unknown"}`;
}

/** What a tool found out is shown to the model, which may say it. Of more than that, only what is kept is looked through. */
export function bounded(found: string): string {
  const text = redacted(found.slice(0, 2 * TOOL_RESULT_CHARS_MAX));
  if (found.length <= TOOL_RESULT_CHARS_MAX) return text.toWellFormed();
  const head = text.slice(0, TOOL_RESULT_CHARS_MAX).toWellFormed();
  return `${head}\n[truncated: ${TOOL_RESULT_CHARS_MAX} of ${found.length} characters]`;
}
