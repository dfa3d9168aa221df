import type {
  Agent,
  AgentLimits,
  CompactionReport,
  ModelCallReport,
  RetryReport,
  ToolCallReport,
} from "../../src/agent/agent.ts";
import { createAgentRuntime } from "../../src/agent/runtime.ts";
import type { FileViews } from "../../src/domain/attachment.ts";
import type { ReplyAddress, TriggerEvent } from "../../src/domain/event.ts";
import { NO_USAGE, type Step, type ToolCall, type Turn, type Usage } from "../../src/domain/run.ts";
import type { Allowance, Hold, ParkedRun, Run, RunResult, Waiting } from "../../src/ports/agent.ts";
import type { RunAnswers } from "../../src/ports/answers.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { ChatModel, Chunk, Prompt } from "../../src/ports/model.ts";
import type { Tool } from "../../src/ports/tool.ts";
import { timerOf } from "../support/timer.ts";

/** Time that passes only when everybody waits for it. */
export class SimClock implements Clock {
  #nowMs = 1_700_000_000_000;
  readonly #sleepers = new Set<{ readonly untilMs: number; readonly wake: () => void }>();
  readonly timer = timerOf(this);

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { untilMs: this.#nowMs + durationMs, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
    });
  }

  get sleeping(): number {
    return this.#sleepers.size;
  }

  advance(ms: number): void {
    this.#nowMs += ms;
    for (const sleeper of this.#sleepers) {
      if (sleeper.untilMs > this.#nowMs) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
  }

  /** Lets time pass, from one wake-up to the next, until the work is done. */
  async drive<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const done = work.finally(() => {
      isDone = true;
    });
    done.catch(() => {});
    for (;;) {
      await calm();
      if (isDone) return done;
      const next = Math.min(...[...this.#sleepers].map(({ untilMs }) => untilMs));
      if (next === Infinity)
        throw new Error("Expected somebody to wake up, but nobody sleeps and nothing is done");
      this.advance(next - this.#nowMs);
    }
  }
}

/** Resolves when all work that waits for nothing outside is done. */
export function calm(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function usage(inputTokens: number, outputTokens: number, costCents = 0): Usage {
  return { ...NO_USAGE, inputTokens, outputTokens, costCents };
}

export type Scripted =
  | {
      readonly text?: string;
      readonly calls?: readonly ToolCall[];
      readonly stop?: StopOf;
      readonly usage?: Usage;
    }
  /** Says the text, then fails. */
  | { readonly text?: string; readonly error: Error }
  /** Says the text, then nothing ever; `deaf`: heeds no signal. */
  | { readonly text?: string; readonly hang: "deaf" | "heeding" };
type StopOf = Extract<Chunk, { kind: "end" }>["stop"];

export interface FakeModel extends ChatModel {
  readonly prompts: Prompt[];
}

/** Plays one answer for each call; `answerTo` may look at the prompt. */
export function fakeModel(
  answerTo: readonly Scripted[] | ((prompt: Prompt, call: number) => Scripted),
  more: { name?: string; ceilingCents?: (prompt: Prompt) => number } = {},
): FakeModel {
  const prompts: Prompt[] = [];
  return {
    provider: "fake",
    name: more.name ?? "fake-1",
    prompts,
    costCeilingCents: more.ceilingCents ?? (() => 0),
    async *generate(prompt, signal) {
      prompts.push(prompt);
      const index = prompts.length - 1;
      const answer = typeof answerTo === "function" ? answerTo(prompt, index) : answerTo[index];
      if (answer === undefined) throw new Error(`Expected at most ${index} model calls, got one more`);
      yield* play(answer, signal);
    },
  };
}

async function* play(answer: Scripted, signal: AbortSignal): AsyncGenerator<Chunk> {
  if (answer.text) yield { kind: "text", text: answer.text };
  if ("error" in answer) throw answer.error;
  if ("hang" in answer) {
    await new Promise((_resolve, reject) => {
      if (answer.hang === "heeding")
        signal.addEventListener("abort", () => reject(new Error("the SDK's own error")));
    });
    return;
  }
  const calls = answer.calls ?? [];
  for (const call of calls) yield { kind: "tool-call", call };
  yield {
    kind: "end",
    stop: answer.stop ?? (calls.length > 0 ? "tools" : "end"),
    usage: answer.usage ?? usage(10, 5),
  };
}

export interface FakeTool extends Tool {
  readonly inputs: unknown[];
}

export function fakeTool(
  name: string,
  answer: (input: unknown, signal: AbortSignal) => string | Promise<string> = () => `${name} ran`,
  repeatable = false,
): FakeTool {
  const inputs: unknown[] = [];
  return {
    name,
    description: `The tool ${name}.`,
    effect: "read",
    repeatable,
    inputSchema: { type: "object" },
    inputs,
    async call(input, signal) {
      inputs.push(input);
      return answer(input, signal);
    },
  };
}

export function call(id: string, name: string, input: unknown = {}): ToolCall {
  return { id, name, input };
}

export function eventOf(text: string, more: Partial<TriggerEvent> = {}): TriggerEvent {
  return {
    id: "test:1",
    aliases: [],
    platform: "test",
    tenant: "t",
    place: "p",
    thread: null,
    conversation: "test:t:p",
    isDirect: true,
    sender: { id: "u1", name: "Ann", isBot: false },
    trigger: "direct",
    command: null,
    text,
    attachments: [],
    replyTo: "here" as ReplyAddress,
    occurredAtMs: 1_700_000_000_000,
    ...more,
  };
}

export function agentOf(
  model: ChatModel,
  more: Omit<Partial<Agent>, "limits"> & { limits?: Partial<AgentLimits> } = {},
): Agent {
  return {
    name: "assistant",
    model,
    systemPrompt: "Be brief.",
    tools: [],
    retry: { maxAttempts: 3, backoffSeconds: 5, exponential: true },
    ...more,
    limits: {
      maxIterations: 50,
      maxExecutionMs: 300_000,
      tokensMax: 10_000,
      costCentsMax: 100,
      maxTokens: 4096,
      ...more.limits,
    },
  };
}

export interface Bench {
  readonly clock: SimClock;
  readonly records: Step[][];
  readonly modelCalls: ModelCallReport[];
  readonly retries: RetryReport[];
  readonly toolCalls: ToolCallReport[];
  readonly compactions: CompactionReport[];
  /** `hit` or `miss` of answers that might have been given before. */
  readonly cached: string[];
  readonly runtime: ReturnType<typeof createAgentRuntime>;
  readonly startedAtMs: number;
  /** Starts a run; time stands still. */
  begin(options?: RunOptions): Promise<RunResult>;
  /** The same for one that may be parked. */
  attempt(options?: RunOptions): Promise<RunResult | ParkedRun>;
  /** Runs to the end. */
  run(options?: RunOptions): Promise<RunResult>;
}

interface RunOptions {
  readonly event?: TriggerEvent;
  readonly history?: readonly Turn[];
  readonly steps?: readonly Step[];
  readonly signal?: AbortSignal;
  readonly startedAtMs?: number;
  readonly restedMs?: number;
  readonly waiting?: Waiting;
  readonly showing?: (text: string) => void;
  readonly allowance?: Allowance;
  readonly record?: (steps: readonly Step[]) => Promise<void>;
  readonly ensure?: () => Promise<void>;
  readonly heard?: Hold["heard"];
  readonly say?: Hold["say"];
  readonly isPaused?: (agent: string) => boolean;
  readonly keepFile?: Hold["keepFile"];
  readonly answers?: RunAnswers;
  readonly files?: FileViews;
}

export const HELD: Hold = {
  record: async () => {},
  ensure: async () => {},
  heard: () => [],
  say: async () => {},
  amend: async () => {},
};

export function benchFor(agent: Agent, clock = new SimClock(), others: readonly Agent[] = []): Bench {
  const bench = {
    records: [] as Step[][],
    modelCalls: [] as ModelCallReport[],
    retries: [] as RetryReport[],
    toolCalls: [] as ToolCallReport[],
    compactions: [] as CompactionReport[],
    cached: [] as string[],
  };
  const runtime = createAgentRuntime({
    agents: new Map([agent, ...others].map((one) => [one.name, one])),
    clock,
    random: () => 0,
    observe: {
      modelCall: (report) => bench.modelCalls.push(report),
      retry: (report) => bench.retries.push(report),
      toolCall: (report) => bench.toolCalls.push(report),
      compaction: (report) => bench.compactions.push(report),
      cached: ({ outcome }) => bench.cached.push(outcome),
    },
  });
  const startedAtMs = clock.nowMs();
  const attempt = (options: RunOptions = {}) => {
    const run: Run = {
      id: "run_1",
      agent: agent.name,
      event: options.event ?? eventOf("hello"),
      history: options.history ?? [],
      steps: options.steps ?? [],
      startedAtMs: options.startedAtMs ?? startedAtMs,
      ...(options.restedMs !== undefined && { restedMs: options.restedMs }),
      ...(options.files && { files: options.files }),
    };
    const record = async (steps: readonly Step[]) => {
      bench.records.push([...steps]);
      await options.record?.(steps);
    };
    return runtime.run(
      run,
      {
        record,
        ensure: options.ensure ?? HELD.ensure,
        heard: options.heard ?? HELD.heard,
        say: options.say ?? HELD.say,
        amend: HELD.amend,
        ...(options.waiting && { waiting: options.waiting }),
        ...(options.showing && { showing: options.showing }),
        ...(options.keepFile && { keepFile: options.keepFile }),
        ...(options.answers && { answers: options.answers }),
        ...(options.isPaused && { isPaused: options.isPaused }),
        ...(options.allowance && { allowance: options.allowance }),
      },
      options.signal ?? new AbortController().signal,
    );
  };
  const begin = async (options?: RunOptions) => {
    const result = await attempt(options);
    if (result.outcome === "parked") throw new Error("Expected a run that ends, got one that is parked");
    return result;
  };
  return {
    ...bench,
    clock,
    runtime,
    startedAtMs,
    attempt,
    begin,
    run: (options) => clock.drive(begin(options)),
  };
}
