import { LRUCache } from "lru-cache";
import { callTool } from "../agent/tool-call.ts";
import { type ChoiceSource, type FoundChoice, TYPED } from "../domain/choice-source.ts";
import type { ChoiceQuestion } from "../ports/adapter.ts";
import type { Clock, NewId } from "../ports/clock.ts";
import type { Tool, Toolbox, ToolCaller } from "../ports/tool.ts";
import { messageOf } from "../shared/fault.ts";
import { get, isObject } from "../shared/json.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { toolMetrics } from "./tools.ts";

export interface ToolChoicesDeps {
  /** Of agents, by name, as they are now. */
  readonly toolboxes: () => ReadonlyMap<string, Toolbox>;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Pick<Logger, "warn">;
  readonly metrics: Metrics;
}

/** Platforms wait three seconds for what comes of it, and somebody is typing. */
const WAIT_MS = 1_500;
/** What was found for these words holds for so long; that nothing could be asked, too. */
const KEPT_MS = 10_000;
const KEPT_MAX = 1_000;
/** More than so many at once are not asked: their people have what is known without asking. */
const IN_HAND_MAX = 16;
const CHOICES_MAX = 1_000;

interface Kept {
  readonly untilMs: number;
  readonly found: Promise<readonly FoundChoice[]>;
}

/** Asks tools that only read what is to be offered. No model is called, and nothing is kept in the store. */
export class ToolChoices {
  readonly #deps: ToolChoicesDeps;
  readonly #count: ReturnType<typeof toolMetrics>;
  readonly #kept = new LRUCache<string, Kept>({ max: KEPT_MAX });
  #inHand = 0;

  constructor(deps: ToolChoicesDeps) {
    this.#deps = deps;
    this.#count = toolMetrics(deps.metrics);
  }

  /** Nothing where it cannot be told in time. Never rejects. */
  find({ source, typed, event }: ChoiceQuestion): Promise<readonly FoundChoice[]> {
    const input = Object.fromEntries(
      Object.entries(source.arguments).map(([name, value]) => [
        name,
        typeof value === "string" ? value.replaceAll(TYPED, () => typed) : value,
      ]),
    );
    const { platform, conversation, sender } = event;
    // Tools are told who asks, and may give each person something else.
    const key = JSON.stringify([source.agent, source.tool, input, platform, conversation, sender.id]);
    const nowMs = this.#deps.clock.nowMs();
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.untilMs > nowMs) return kept.found;
    if (this.#inHand >= IN_HAND_MAX) return Promise.resolve([]);
    this.#inHand++;
    const found = this.#ask(source, input, event).finally(() => {
      this.#inHand--;
    });
    this.#kept.set(key, { untilMs: nowMs + KEPT_MS, found });
    return found;
  }

  async #ask(
    { agent, tool: name }: ChoiceSource,
    input: object,
    event: ChoiceQuestion["event"],
  ): Promise<readonly FoundChoice[]> {
    const { toolboxes, clock, newId, log } = this.#deps;
    const late = new AbortController();
    const off = clock.timer(WAIT_MS, () => late.abort(new Error(`no answer within ${WAIT_MS / 1000} s`)));
    const caller: ToolCaller = { runId: newId("run"), event, history: [] };
    try {
      const tool = await toolOf(toolboxes().get(agent), name, caller, late.signal);
      const { result, isError } = await callTool(tool, { id: caller.runId, name, input }, late.signal, {
        ...{ agent, clock, caller },
        observe: { toolCall: this.#count, modelCall: () => {}, retry: () => {} },
        ensure: async () => {},
      });
      if (isError) throw new Error(result);
      return choicesIn(result);
    } catch (error) {
      log.warn({ agent, tool: name, platform: event.platform, cause: messageOf(error) }, "choices.not_found");
      return [];
    } finally {
      off();
    }
  }
}

/** What a tool does is known for sure only when it is there: its server says so. */
async function toolOf(
  toolbox: Toolbox | undefined,
  name: string,
  caller: ToolCaller,
  signal: AbortSignal,
): Promise<Tool> {
  const equipment = await toolbox?.open(caller, signal);
  const tool = equipment?.tools.find((one) => one.name === name);
  if (tool === undefined)
    throw new Error(equipment?.whyMissing(name) ?? `expected the tool ${name}, got none of that name`);
  if (tool.effect !== "read")
    throw new Error(`expected a tool that only reads, got one that may ${tool.effect}`);
  if (tool.asks !== undefined) throw new Error("expected a tool that needs no approval");
  return tool;
}

/** A JSON list, by itself or as the one list of an object, or else one choice a line. */
export function choicesIn(text: string): readonly FoundChoice[] {
  if (text === "(no output)") return [];
  if (!/^\s*[[{]/.test(text)) {
    const lines = text.split("\n").map((line) => line.trim());
    return lines.flatMap(choiceOf).slice(0, CHOICES_MAX);
  }
  const parsed: unknown = JSON.parse(text);
  const list = Array.isArray(parsed)
    ? parsed
    : isObject(parsed)
      ? Object.values(parsed).find(Array.isArray)
      : undefined;
  if (list === undefined) throw new Error("expected a list of choices, got an object without one");
  return (list as readonly unknown[]).flatMap(choiceOf).slice(0, CHOICES_MAX);
}

function choiceOf(given: unknown): readonly FoundChoice[] {
  const value = isObject(given) ? get(given, "value") : given;
  if ((typeof value !== "string" && typeof value !== "number") || value === "") return [];
  const name = get(given, "name");
  return [{ name: typeof name === "string" && name !== "" ? name : String(value), value }];
}
