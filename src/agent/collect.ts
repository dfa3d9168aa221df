import { ModelError } from "../domain/errors.ts";
import { redacted, redactedJson } from "../domain/redact.ts";
import type { ToolCall } from "../domain/run.ts";
import type { ChatModel, Prompt } from "../ports/model.ts";
import type { FoundFile } from "../ports/tool.ts";
import { UntilAborted } from "../shared/until.ts";
import { ANSWER_CHARS_MAX, TOOL_CALLS_MAX } from "./bounds.ts";
import type { ModelStep } from "./progress.ts";

/** `files`: of the step, not kept yet. */
export interface Collected {
  readonly step: ModelStep;
  readonly files: readonly FoundFile[];
}

/**
 * One model call, from its stream to the step that is recorded. `said` is told the text so far, for the case that
 * the call is broken off; `heard` that the provider is at work, as often as that shows. Throws ModelError, also when the stream ends without an end; the signal's reason when aborted.
 */
export async function collect(
  model: ChatModel,
  prompt: Prompt,
  signal: AbortSignal,
  said: (text: string) => void,
  heard?: () => void,
): Promise<Collected> {
  const chunks = model.generate(prompt, signal, heard)[Symbol.asyncIterator]();
  const until = new UntilAborted(signal);
  let text = "";
  const toolCalls: ToolCall[] = [];
  const files: FoundFile[] = [];
  try {
    for (;;) {
      const { done, value: chunk } = await until.wait(chunks.next());
      if (done)
        throw new ModelError("MODEL_STREAM_CUT", "The answer stopped without an end", { retryable: true });
      heard?.();
      if (chunk.kind === "end") {
        const wasCut = text.length > ANSWER_CHARS_MAX;
        const stop = wasCut ? "length" : chunk.stop;
        const { opaque } = chunk;
        const step: ModelStep = {
          kind: "model",
          text: wasCut ? redacted(text).slice(0, ANSWER_CHARS_MAX).toWellFormed() : redacted(text),
          // Of an answer that was cut or taken back, no tool call can be trusted.
          toolCalls: stop === "length" || stop === "refusal" ? [] : redactedJson(toolCalls),
          usage: chunk.usage,
          stop,
          ...(opaque !== undefined && redacted(opaque) === opaque && { opaque }),
        };
        return { step, files };
      }
      if (chunk.kind === "tool-call") keep(chunk.call, toolCalls);
      else if (chunk.kind === "file") files.push(chunk.file);
      else if (text.length <= ANSWER_CHARS_MAX) {
        text += chunk.text;
        said(text);
      }
    }
  } finally {
    until.end();
    // Not awaited: a model that does not heed its signal must not hold the run.
    chunks.return?.().catch(() => {});
  }
}

/** Results are told apart by the call's id, so a second call with the same id cannot be answered. */
function keep(call: ToolCall, calls: ToolCall[]): void {
  if (calls.length < TOOL_CALLS_MAX && calls.every(({ id }) => id !== call.id)) calls.push(call);
}
