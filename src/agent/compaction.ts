import { BreakerOpen } from "../domain/breaker.ts";
import { ModelError } from "../domain/errors.ts";
import { type CompactedStep, NO_USAGE, type Step, type Usage } from "../domain/run.ts";
import { compactedIn } from "../domain/summary.ts";
import type { Run } from "../ports/agent.ts";
import type { Prompt } from "../ports/model.ts";
import type { Agent, CompactionReport } from "./agent.ts";
import { ANSWER_TOKENS_MIN, SUMMARY_INPUT_TOKENS, SUMMARY_MS_MAX, SUMMARY_THOUGHT_TOKENS } from "./bounds.ts";
import { breakerName, callModel, type ModelCall, type ModelCallDeps } from "./model-call.ts";
import { pausedText } from "./progress.ts";
import { type Frame, withMemory } from "./prompt.ts";
import { timed } from "./signals.ts";
import { markedSummary, type Older, olderTurns, summaryPrompt } from "./summary.ts";
import { promptTokens } from "./tokens.ts";

type Paying = Omit<ModelCall, "prompt" | "said">;

/**
 * Has the model make a summary of the older turns when what it is to be shown comes near a limit. A recorded step, paid for
 * like any other call; without one, the oldest turns are left out. Once a run: who goes on after a crash tries again only what
 * came to nothing.
 */
export class Compactor {
  readonly #run: Run;
  readonly #deps: ModelCallDeps;
  #hasTried = false;

  constructor(run: Run, deps: ModelCallDeps) {
    this.#run = run;
    this.#deps = deps;
  }

  /** Before a call of the model; `keep` records the step. */
  async before(
    frame: Frame,
    steps: readonly Step[],
    paying: Paying,
    keep: (step: CompactedStep) => Promise<void>,
  ): Promise<void> {
    const { agent } = paying;
    const { compaction, model } = agent;
    // One that goes on with a broken call is an agent itself, with a memory of its own.
    if (compaction === undefined || model.goesOn || this.#hasTried) return;
    if (compactedIn(steps) !== null || pausedText(steps) !== "") return;
    const { isAsked, ttlMs } = compaction;
    const { budgetTokens, roomTokens } = frame;
    if (roomTokens > budgetTokens && !isAsked) return;
    const tokensMax = Math.min(roomTokens, budgetTokens);
    const older = olderTurns(this.#run.history, { tokensMax, nowMs: this.#deps.clock.nowMs(), ttlMs });
    if (older === null) return;
    this.#hasTried = true;
    const report = reporter(this.#run, agent, older, this.#deps);
    const afforded = affordable(older, frame, this.#run, steps, paying);
    if (afforded === null) return report("skipped", "the budget of the run has no room for it");
    // A summary is of no use to a run that cannot pay for its answer any more.
    const free = await paying.payments.reserve(afforded.answerCents, breakerName(agent.model));
    if (free === null) return report("skipped", "the budget of the day has no room for it and the answer");
    const made = await this.#made(afforded.prompt, older, paying, report).finally(free);
    if (made === null) return;
    const { text, usage, wasHeld } = made;
    const { atMs, covers } = older;
    // Also without words: it is paid for.
    const step = { kind: "compacted" as const, text, atMs, covers, usage, ...(wasHeld && { wasHeld }) };
    await keep(step);
    if (text === "") report("failed", "the model gave no summary", usage);
    else report("made", undefined, usage);
  }

  async #made(
    prompt: Prompt,
    { summaryTokens }: Older,
    paying: Paying,
    report: Report,
  ): Promise<Pick<CompactedStep, "text" | "usage" | "wasHeld"> | null> {
    const { clock } = this.#deps;
    const { agent, deadlineMs, signal } = paying;
    const ms = Math.min(SUMMARY_MS_MAX, (deadlineMs - clock.nowMs()) / 2);
    const scope = timed(signal, ms, () => new TooLate(), clock);
    const once = { ...agent, retry: { ...agent.retry, maxAttempts: 1 } };
    try {
      const call = { ...paying, agent: once, prompt, signal: scope.signal, said: () => {} };
      const answer = await callModel(call, this.#deps);
      if (answer.kind !== "answered") {
        report("skipped", "the budget has not so much left");
        return null;
      }
      const { text, stop, usage, wasHeld } = answer.step;
      return {
        usage,
        ...(wasHeld && { wasHeld }),
        text: stop === "refusal" ? "" : markedSummary(text, summaryTokens),
      };
    } catch (error) {
      signal.throwIfAborted();
      const isFailure =
        error instanceof ModelError || error instanceof BreakerOpen || error instanceof TooLate;
      if (!isFailure) throw error;
      report("failed", error instanceof TooLate ? "it took too long" : error.code);
      return null;
    } finally {
      scope.end();
    }
  }
}

class TooLate extends Error {}

/** Null: the run could not pay for it and for its answer. */
function affordable(
  older: Older,
  frame: Frame,
  run: Run,
  steps: readonly Step[],
  { agent, ledger }: Paying,
): { readonly prompt: Prompt; readonly answerCents: number } | null {
  const { model, limits } = agent;
  const answering = withMemory(frame, run, steps);
  const answerTokens = frame.fixedTokens + promptTokens(answering.messages) + ANSWER_TOKENS_MIN;
  const windowTokens =
    model.contextTokens ?? Math.max(agent.compaction?.contextTokens ?? 0, SUMMARY_INPUT_TOKENS);
  const outputTokens = Math.min(
    limits.maxTokens,
    older.summaryTokens + SUMMARY_THOUGHT_TOKENS,
    Math.floor(windowTokens / 2),
  );
  const inputTokensMax = Math.min(ledger.leftTokens() - answerTokens, windowTokens) - outputTokens;
  const prompt = summaryPrompt(older, inputTokensMax, outputTokens);
  if (prompt === null) return null;
  const answerCents = model.costCeilingCents({ ...answering, maxTokens: limits.maxTokens });
  return ledger.canAfford(model.costCeilingCents(prompt) + answerCents) ? { prompt, answerCents } : null;
}

type Report = (outcome: CompactionReport["outcome"], cause?: string, usage?: Usage) => void;

function reporter(run: Run, agent: Agent, { covers }: Older, { observe }: ModelCallDeps): Report {
  return (outcome, cause, usage = NO_USAGE) => {
    const about = { agent: agent.name, runId: run.id, event: run.event, turns: covers.turns };
    observe.compaction?.({ ...about, outcome, usage, ...(cause !== undefined && { cause }) });
  };
}
