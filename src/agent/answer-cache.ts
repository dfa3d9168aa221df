import { createHash } from "node:crypto";
import { NO_USAGE, type Step } from "../domain/run.ts";
import type { RunAnswers } from "../ports/answers.ts";
import type { Prompt } from "../ports/model.ts";
import { type Agent, modelsOf, type RunObserver } from "./agent.ts";
import { breakerName } from "./model-call.ts";
import type { ModelStep } from "./progress.ts";

interface Asking {
  readonly agent: Agent;
  readonly steps: readonly Step[];
  /** Absent: nothing is kept of this run, or it is to be answered anew. */
  readonly answers: RunAnswers | undefined;
  readonly observe: RunObserver;
}

/** Of one call of the model, what may be said again in its place, and what is kept of it. */
export interface AnswerCache {
  /** As a step that has cost nothing; null: the model has to be asked. */
  find(): Promise<ModelStep | null>;
  /** Does not wait for it: an answer that is not kept is given all the same. */
  keep(step: ModelStep): void;
}

/** Only of the first call of a run: what comes behind a tool depends on more than words. */
export function answerCacheOf(
  prompt: Prompt,
  { agent, steps, answers, observe }: Asking,
): AnswerCache | null {
  const { cache, model } = agent;
  const isFirst = steps.every(({ kind }) => kind === "joined");
  // One that goes on with a broken call is an agent itself, and is told more than the words.
  if (cache === undefined || answers === undefined || !isFirst || model.goesOn === true) return null;
  const digest = digestOf(prompt, agent, cache.of);
  return {
    async find() {
      // A store that is away is no reason not to answer.
      const kept = await answers.find(digest).catch(() => null);
      observe.cached?.({ agent: agent.name, outcome: kept === null ? "miss" : "hit" });
      return (
        kept && {
          ...{ kind: "model", text: kept.text, toolCalls: [], usage: NO_USAGE, stop: "end" },
          ...{ model: kept.model, fromCache: true },
        }
      );
    },
    keep({ text, toolCalls, stop, files = [], model: by }) {
      const isWhole = stop === "end" && toolCalls.length === 0 && files.length === 0 && text.trim() !== "";
      if (isWhole && by !== undefined) answers.keep(digest, { text, model: by }, cache.ttlMs).catch(() => {});
    },
  };
}

/** Of all that the model is shown, and of how it is asked. Nothing of the words can be read in it. */
function digestOf({ system, messages, tools, maxTokens }: Prompt, agent: Agent, of: string): string {
  const asked = [agent.name, of, modelsOf(agent).map(breakerName), maxTokens, system, messages, tools];
  return sha256(JSON.stringify(asked, withBytes));
}

/** The bytes of a file stand behind a function, which JSON leaves out: two of one size are not the same. */
function withBytes(_: string, value: unknown): unknown {
  return typeof value === "function" ? sha256(value()) : value;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
