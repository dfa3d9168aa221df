import { choicesBlock } from "../domain/choices.ts";
import { ModelError } from "../domain/errors.ts";
import type { ToolCall, Usage } from "../domain/run.ts";
import type { Clock } from "../ports/clock.ts";
import type { ChatModel, Chunk, Message, Prompt } from "../ports/model.ts";
import { DEMO_ASK } from "./demo-ask.ts";
import { promptText, referenceOf, summaryOf } from "./demo-prompt.ts";
import { type Directive, longText, MARKDOWN_SAMPLE, mayCost, scriptOf, streamedText } from "./demo-script.ts";

const NOTICE = "_(I am the demo model: set ANTHROPIC_API_KEY for real answers.)_";
/** Turns whose scripted failure is remembered. */
const FAILED_TURNS_MAX = 1000;
/** Rough, and good enough for what costs nothing. */
const CHARS_PER_TOKEN = 4;

/**
 * The model without credentials: repeats what was said, and does what `demo:` lines ask (docs/agents.md lists them).
 * With `notice`, the first reply of a conversation adds that this is a demo.
 */
export function createDemoModel(options: { clock: Clock; notice?: boolean }): ChatModel {
  const failed = new Set<string>();
  return {
    provider: "demo",
    name: "demo",
    costCeilingCents({ messages, isForSummary }) {
      if (isForSummary) return 0;
      const { text } = turnOf(messages);
      return mayCost(text) ? costsOf(scriptOf(text).directives).ofCents : 0;
    },
    async *generate(prompt, signal, heard) {
      signal.throwIfAborted();
      heard?.();
      const turn = turnOf(prompt.messages);
      if (prompt.isForSummary) {
        const text = summaryOf(turn.text);
        yield { kind: "text", text };
        yield { kind: "end", stop: "end", usage: usageOf(prompt, text, 0) };
        return;
      }
      const { directives, said } = scriptOf(turn.text);
      const pace = directives.find((directive) => directive.kind === "stream");
      const fail = () => failAsAsked(directives, prompt.turnId ?? JSON.stringify(prompt.messages), failed);
      const { cents } = costsOf(directives);
      if (turn.results.length === 0) {
        await sleepAsAsked(directives, options.clock, signal);
        if (pace === undefined) fail();
        const calls = callsOf(directives, prompt.messages.length);
        if (calls.length > 0) {
          yield* calls;
          yield { kind: "end", stop: "tools", usage: usageOf(prompt, "", cents) };
          return;
        }
      }
      const answer = directives.some(({ kind }) => kind === "prompt")
        ? promptText(prompt.messages)
        : answerTo(directives, [said, ...referenceOf(prompt.messages)].join("\n\n"), turn.results);
      const text = [answer, options.notice && turn.isFirst ? NOTICE : "", offerOf(directives)]
        .filter((part) => part !== "")
        .join("\n\n");
      for (const word of words(text)) {
        signal.throwIfAborted();
        yield { kind: "text", text: word };
        if (pace !== undefined) await options.clock.sleep(1000 / pace.perSecond, signal);
      }
      // What streams fails behind its last word.
      if (pace !== undefined && turn.results.length === 0) fail();
      yield { kind: "end", stop: "end", usage: usageOf(prompt, text, cents) };
    },
  };
}

interface Question {
  readonly text: string;
  /** No answer was given before in this conversation. */
  readonly isFirst: boolean;
  /** What the tools asked for in this turn have said. */
  readonly results: readonly string[];
}

function turnOf(messages: readonly Message[]): Question {
  const at = messages.findLastIndex(({ role }) => role === "user");
  const message = messages[at];
  return {
    text: message?.role === "user" ? message.text : "",
    isFirst: !messages.slice(0, Math.max(0, at)).some(({ role }) => role === "assistant"),
    results: messages.slice(at + 1).flatMap((later) => (later.role === "tool" ? [later.result] : [])),
  };
}

async function sleepAsAsked(
  directives: readonly Directive[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  for (const directive of directives) {
    if (directive.kind === "sleep") await clock.sleep(directive.ms, signal);
  }
}

/**
 * The failure is one of this request, not of the provider: another conversation that uses the demo at the same time
 * must not find its breaker open.
 */
function failAsAsked(directives: readonly Directive[], turnId: string, failed: Set<string>): void {
  const fail = directives.find((directive) => directive.kind === "fail");
  if (fail === undefined) return;
  // Forgotten after the second try, so that the same words fail again the next time.
  const isOnce = fail.when === "once";
  if (isOnce && failed.delete(turnId)) return;
  if (isOnce) failed.add(turnId);
  const oldest = failed.values().next().value;
  if (failed.size > FAILED_TURNS_MAX && oldest !== undefined) failed.delete(oldest);
  throw new ModelError("MODEL_REQUEST_REJECTED", "The demo model failed, as it was asked to", {
    retryable: fail.when !== "for good",
  });
}

function costsOf(directives: readonly Directive[]): { cents: number; ofCents: number } {
  const costs = directives.filter((directive) => directive.kind === "cost");
  const sum = (of: "cents" | "ofCents") => costs.reduce((all, one) => all + one[of], 0);
  return { cents: sum("cents"), ofCents: sum("ofCents") };
}

function callsOf(directives: readonly Directive[], seed: number): Chunk[] {
  return directives.flatMap((directive, index) => {
    const tool = toolIn(directive);
    return tool === null
      ? []
      : [{ kind: "tool-call" as const, call: { id: `demo_${seed}_${index}`, ...tool } }];
  });
}

function toolIn(directive: Directive): Pick<ToolCall, "name" | "input"> | null {
  if (directive.kind === "ask") return { name: DEMO_ASK.name, input: { question: directive.question } };
  return directive.kind === "tool" ? { name: directive.name, input: directive.input } : null;
}

function answerTo(directives: readonly Directive[], said: string, results: readonly string[]): string {
  const pending = [...results];
  const parts = directives.flatMap((directive) => {
    const tool = toolIn(directive);
    if (tool !== null) return [`Tool ${tool.name} said: ${pending.shift() ?? ""}`];
    if (directive.kind === "long") return [longText(directive.chars)];
    if (directive.kind === "stream") return [streamedText(directive.words)];
    return directive.kind === "markdown" ? [MARKDOWN_SAMPLE] : [];
  });
  const offers = directives.some(({ kind }) => kind === "choices");
  if (said !== "" || (parts.length === 0 && !offers)) parts.unshift(`You said: ${said}`);
  return parts.join("\n\n");
}

/** Ends the answer. */
function offerOf(directives: readonly Directive[]): string {
  const choices = directives.flatMap((one) => (one.kind === "choices" ? one.choices : []));
  return choices.length === 0 ? "" : choicesBlock(choices);
}

function words(text: string): readonly string[] {
  return text.match(/\s*\S+\s*/g) ?? [text];
}

function usageOf(prompt: Prompt, answer: string, costCents: number): Usage {
  const asked =
    prompt.system +
    prompt.messages.map((message) => ("text" in message ? message.text : message.result)).join("");
  return {
    inputTokens: Math.ceil(asked.length / CHARS_PER_TOKEN),
    outputTokens: Math.ceil(answer.length / CHARS_PER_TOKEN),
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    costCents,
  };
}
