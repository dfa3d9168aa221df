import type { Agent } from "../../src/agent/agent.ts";
import { APPROVAL_RULES } from "../../src/domain/approval.ts";
import { ModelError } from "../../src/domain/errors.ts";
import { NO_USAGE, type ToolCall } from "../../src/domain/run.ts";
import type { ChatModel, Chunk, Message, Prompt } from "../../src/ports/model.ts";
import type { Tool } from "../../src/ports/tool.ts";
import type { Dice } from "./dice.ts";
import type { Faults, ModelFate } from "./faults.ts";
import type { Life } from "./life.ts";
import { readScript, TOOLS, type ToolName, writeAnswer } from "./script.ts";
import type { Witness } from "./witness.ts";

/** A run may take this long; a model that hangs uses it up. */
const RUN_MS_MAX = 60_000;
const TOOL_TIMEOUT_MS = 10_000;
const APPROVAL_MS = 45_000;
const FOREVER_MS = 3_600_000;
/** What a call costs that ends with an answer, and what one may have cost that does not. */
const COST_CENTS = 3;
const CEILING_CENTS = 7;

/** The provider and the systems behind the tools; they outlive all processes. */
export interface Provider {
  readonly dice: Dice;
  readonly faults: Faults;
  readonly witness: Witness;
}

/** The agent of one process. The model does what the script in a message says. */
export function simulatedAgent(provider: Provider, life: Life): Agent {
  return {
    name: "assistant",
    model: simulatedModel(provider, life),
    systemPrompt: "",
    tools: TOOLS.map((name) => simulatedTool(name, provider, life)),
    approvals: { ...APPROVAL_RULES, expiresMs: APPROVAL_MS },
    limits: {
      maxIterations: 50,
      maxExecutionMs: RUN_MS_MAX,
      tokensMax: 10_000_000,
      // Of calls that are cut off and repeated there are many.
      costCentsMax: 1_000_000,
      maxTokens: 1_000,
      toolTimeoutMs: TOOL_TIMEOUT_MS,
    },
    retry: { maxAttempts: 2, backoffSeconds: 1, exponential: true },
  };
}

function simulatedModel({ dice, faults, witness }: Provider, life: Life): ChatModel {
  return {
    provider: "simulated",
    name: "simulated",
    costCeilingCents: () => CEILING_CENTS,
    async *generate(prompt, signal) {
      const eventId = prompt.turnId ?? "";
      const { script, keys, round, turn } = turnOf(prompt, readScript(witness.textOf(eventId)).key);
      const fate = faults.model();
      await life.pass("model?", () => {
        if (fate !== "ok") witness.trouble(eventId, `model ${fate}`);
        witness.modelCalled(eventId, round, life.number);
        witness.maySpend(CEILING_CENTS);
      });
      await life.clock.sleep(fate === "hangs" ? FOREVER_MS : dice.between(50, 8_000), signal);
      const error = errorOf(fate, dice);
      if (error !== null && error.code !== "MODEL_STREAM_CUT") {
        witness.maySpend(-CEILING_CENTS);
        throw error;
      }

      const tools = script.rounds[turn] ?? [];
      const text = tools.length > 0 ? "" : writeAnswer(keys, script.parts, witness.next());
      yield { kind: "text", text: text.slice(0, 9) };
      await life.pass("model says");
      if (error !== null && !script.isSlow) throw error;
      if (script.isSlow) yield* wordByWord(text.slice(9), { dice, life, signal });
      // What is shown of it by now is no answer.
      if (error !== null) throw error;
      if (!script.isSlow) yield { kind: "text", text: text.slice(9) };
      for (const [index, name] of tools.entries())
        yield { kind: "tool-call", call: callOf(eventId, round, index, name) };
      await life.pass("model!", () => witness.modelAnswered(eventId, round, life.number));
      witness.maySpend(COST_CENTS - CEILING_CENTS);
      const usage = { ...NO_USAGE, costCents: COST_CENTS };
      yield { kind: "end", stop: tools.length > 0 ? "tools" : "end", usage };
    },
  };
}

const PAUSE_MS_MAX = 900;

async function* wordByWord(
  text: string,
  { dice, life, signal }: { readonly dice: Dice; readonly life: Life; readonly signal: AbortSignal },
): AsyncGenerator<Chunk> {
  for (const word of text.split(/(?<= )/)) {
    await life.clock.sleep(dice.between(100, PAUSE_MS_MAX), signal);
    yield { kind: "text", text: word };
  }
}

interface Asked {
  /** Of the last message. */
  readonly script: ReturnType<typeof readScript>;
  /** Of all that is to be answered. */
  readonly keys: readonly string[];
  /** Answers that the run has had, and those since the last message. */
  readonly round: number;
  readonly turn: number;
}

/** What is being answered, from the message with this key on, and what the run has done so far. */
function turnOf({ messages }: Prompt, key: string): Asked {
  const first = messages.findLastIndex((message) => keyOf(message) === key);
  const ours = messages.slice(first);
  const last = ours.findLast(({ role }) => role === "user");
  return {
    script: readScript(last?.role === "user" ? last.text : ""),
    keys: ours.flatMap((message) => keyOf(message) ?? []),
    round: answersIn(ours),
    turn: answersIn(ours.slice(ours.findLastIndex(({ role }) => role === "user"))),
  };
}

function keyOf(message: Message): string | null {
  return message.role === "user" ? readScript(message.text).key : null;
}

function answersIn(messages: readonly Message[]): number {
  return messages.filter(({ role }) => role === "assistant").length;
}

function callOf(eventId: string, round: number, index: number, name: ToolName): ToolCall {
  const id = `${eventId}-${round}-${index}`;
  return { id, name, input: { eventId, id } };
}

function errorOf(fate: ModelFate, dice: Dice): ModelError | null {
  switch (fate) {
    case "overloaded":
      return new ModelError("MODEL_OVERLOADED", "overloaded", {
        retryable: true,
        retryAfterMs: dice.chance(0.5) ? dice.between(1_000, 20_000) : null,
      });
    case "cut":
      return new ModelError("MODEL_STREAM_CUT", "cut", { retryable: true });
    case "rejected":
      return new ModelError("MODEL_REQUEST_REJECTED", "rejected", { retryable: false });
    default:
      return null;
  }
}

/** `look` may be repeated, `pay` and `grant` must never be. */
function simulatedTool(name: ToolName, { dice, faults, witness }: Provider, life: Life): Tool {
  return {
    name,
    description: name,
    effect: name === "look" ? "read" : "write",
    repeatable: name === "look",
    inputSchema: { type: "object" },
    ...(name === "grant" && { asks: () => "May I grant it?" }),
    async call(input, signal) {
      const { eventId, id } = input as { eventId: string; id: string };
      await life.pass("tool?");
      const fate = faults.tool();
      if (fate !== "ok") witness.trouble(eventId, `tool ${fate}`);
      await life.clock.elapse(dice.between(1, 2_000), signal);
      await life.pass("tool acts", () => {
        if (name === "grant") witness.granted(eventId, id, life.number);
        witness.toolRan(eventId, id, name === "look", life.number);
      });
      await life.clock.sleep(fate === "hangs" ? FOREVER_MS : dice.between(1, 2_000), signal);
      await life.pass("tool!");
      if (fate === "fails") throw new Error("the simulated tool failed");
      return `${id} done`;
    },
  };
}
