import { backoffMs } from "../domain/backoff.ts";
import { BACKOFF_CAP_MS } from "../domain/bounds.ts";
import { BreakerOpen, type Breakers, type CallEnd, type Leave } from "../domain/breaker.ts";
import { type ErrorCode, ModelBusy, ModelError } from "../domain/errors.ts";
import { NO_USAGE } from "../domain/run.ts";
import type { DayOver, Hold } from "../ports/agent.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { ChatModel, Prompt } from "../ports/model.ts";
import type { Agent, RetrySpec, RunObserver } from "./agent.ts";
import { RETRY_WAIT_MS_MAX } from "./bounds.ts";
import { type Collected, collect } from "./collect.ts";
import type { Ledger } from "./ledger.ts";
import type { Payment, Payments } from "./payments.ts";
import { OutOfTime, timed } from "./signals.ts";

export interface ModelCallDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly observe: RunObserver;
  readonly breakers: Breakers;
}

export interface ModelCall {
  readonly agent: Agent;
  readonly prompt: Prompt;
  readonly ledger: Ledger;
  readonly payments: Payments;
  readonly hold: Pick<Hold, "ensure" | "waiting">;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly said: (text: string) => void;
}

type Answered = { readonly kind: "answered" } & Collected;
type TooDear = { readonly kind: "too-dear" };
/** A budget of the day has not so much left. */
type Over = { readonly kind: "over"; readonly over: DayOver };
type Failure = ModelError | BreakerOpen;
type Failed = { readonly kind: "failed"; readonly error: Failure };

/**
 * Asks the agent's model, then its fallbacks, each with retries; its cheaper one first where much of a budget is used up,
 * and last where what is left is too little for the others. Throws ModelError or BreakerOpen when none could answer: a
 * retryable one when any of them might later; OutOfTime when the time was over before the next could be asked; and the
 * signal's reason when aborted.
 */
export async function callModel(call: ModelCall, deps: ModelCallDeps): Promise<Answered | TooDear | Over> {
  const failures: Failure[] = [];
  let refused: TooDear | Over | null = null;
  const { model: own, fallbacks = [], cheaper } = call.agent;
  const isTight = cheaper !== undefined && (await isPast(cheaper.pastShare, call));
  const models = [...(isTight ? [cheaper.model] : []), own, ...fallbacks];
  if (cheaper !== undefined && !isTight) models.push(cheaper.model);
  for (const model of models) {
    // In an outage the fallbacks are what the operator wants: a cheaper model may not be up to the work.
    if (!isTight && model === cheaper?.model && refused === null) continue;
    if (failures.length > 0 && deps.clock.nowMs() >= call.deadlineMs) throw new OutOfTime();
    const result = await tryModel(model, call, deps);
    if (result.kind === "answered") return result;
    if (result.kind === "failed") failures.push(result.error);
    else refused ??= result;
  }
  // One that may answer later, by itself or once the operator has seen to it, keeps the message waiting.
  const worst = failures.find(({ retryable }) => retryable) ?? failures.find(isRefusal) ?? failures[0];
  if (worst !== undefined) throw worst;
  return refused ?? { kind: "too-dear" };
}

async function isPast(share: number, { ledger, payments }: ModelCall): Promise<boolean> {
  return ledger.isPast(share) || (await payments.isPastWarning());
}

async function tryModel(
  model: ChatModel,
  call: ModelCall,
  deps: ModelCallDeps,
): Promise<Answered | TooDear | Over | Failed> {
  for (let attempt = 1; ; attempt++) {
    const ceilingCents = model.costCeilingCents(call.prompt);
    if (!call.ledger.canAfford(ceilingCents, model.goesOn)) return { kind: "too-dear" };
    try {
      return await callOnce(model, ceilingCents, call, deps);
    } catch (error) {
      call.signal.throwIfAborted();
      if (!(error instanceof ModelError || error instanceof BreakerOpen)) throw error;
      const delayMs = retryDelayMs(error, attempt, call, deps);
      if (delayMs === null) return { kind: "failed", error };
      const { provider, name } = model;
      deps.observe.retry({
        agent: call.agent.name,
        provider,
        model: name,
        attempt,
        delayMs,
        code: error.code,
      });
      call.hold.waiting?.inTrouble();
      await deps.clock.sleep(delayMs, call.signal);
    }
  }
}

async function callOnce(
  model: ChatModel,
  ceilingCents: number,
  call: ModelCall,
  deps: ModelCallDeps,
): Promise<Answered | Over> {
  // Before anything is held for it: what waits costs nothing.
  const over = await turnOf(model, call, deps);
  try {
    return await callNow(model, ceilingCents, call, deps);
  } finally {
    over();
  }
}

/** Waits until the call may be made, and not longer than the run has time. Gives what is to be called when it is over. */
async function turnOf(
  { gate }: ChatModel,
  { deadlineMs, signal, hold }: ModelCall,
  { clock }: ModelCallDeps,
): Promise<() => void> {
  if (gate === undefined) return () => {};
  const leftMs = deadlineMs - clock.nowMs();
  const scope = timed(signal, leftMs, () => new OutOfTime(), clock);
  try {
    return await gate.enter(scope.signal, { leftMs, waits: () => hold.waiting?.inTrouble() });
  } finally {
    scope.end();
  }
}

async function callNow(
  model: ChatModel,
  ceilingCents: number,
  call: ModelCall,
  deps: ModelCallDeps,
): Promise<Answered | Over> {
  const leave = deps.breakers.of(breakerName(model)).enter();
  const payment = await paid(ceilingCents, model, call).catch((error: unknown) => {
    leave("unknown");
    throw error;
  });
  if (payment.kind === "over") {
    leave("unknown");
    return payment;
  }
  try {
    const { step, files } = await answerOf(model, leave, call, deps);
    return { kind: "answered", step: payment.spent({ ...step, model: breakerName(model) }), files };
  } catch (error) {
    if (!call.signal.aborted && isFree(error)) await payment.refund();
    throw error;
  }
}

export function breakerName({ provider, name }: ChatModel): string {
  return `${provider}/${name}`;
}

/** Before each attempt, and not only each step: since the one before, another may have answered. */
async function paid(
  ceilingCents: number,
  model: ChatModel,
  { payments, hold }: ModelCall,
): Promise<Payment | Over> {
  const payment = await payments.begin(ceilingCents, {
    goesOn: model.goesOn === true,
    model: breakerName(model),
  });
  await hold.ensure();
  return payment;
}

/** Nobody knows what the broken part of an answer costs, so all that was held for it counts as spent. */
function isFree(error: unknown): boolean {
  return error instanceof ModelError && error.code !== "MODEL_STREAM_CUT";
}

async function answerOf(
  model: ChatModel,
  leave: Leave,
  call: ModelCall,
  deps: ModelCallDeps,
): Promise<Collected> {
  const startedAtMs = deps.clock.nowMs();
  const report = (
    end: CallEnd,
    outcome: "ok" | "aborted" | ErrorCode,
    usage = NO_USAGE,
    cause?: ModelError,
  ) => {
    leave(end, cause);
    const durationMs = deps.clock.nowMs() - startedAtMs;
    const { provider, name } = model;
    deps.observe.modelCall({ agent: call.agent.name, provider, model: name, outcome, durationMs, usage });
  };
  call.said("");
  const { waiting } = call.hold;
  waiting?.asked();
  try {
    const answer = await collect(
      model,
      call.prompt,
      call.signal,
      call.said,
      waiting && (() => waiting.heard()),
    );
    report("ok", "ok", answer.step.usage);
    return answer;
  } catch (error) {
    if (error instanceof ModelError && !call.signal.aborted)
      report(endOf(error), error.code, NO_USAGE, error);
    else report("unknown", "aborted");
    throw error;
  }
}

function isRefusal(error: Failure): boolean {
  return error instanceof ModelError && error.isRefusal;
}

/** A provider that rejects one request works; the breaker is about those that do not, and those that refuse us. */
function endOf(error: ModelError): CallEnd {
  if (error.isRefusal) return "refused";
  const { code } = error;
  const isIllness =
    code === "MODEL_OVERLOADED" ||
    code === "MODEL_UNREACHABLE" ||
    code === "MODEL_STREAM_CUT" ||
    code === "MODEL_RATE_LIMITED";
  return isIllness ? "failed" : "ok";
}

/** Null: not in this run. What must wait long waits in the queue, where it holds no worker. */
function retryDelayMs(error: Failure, attempt: number, call: ModelCall, deps: ModelCallDeps): number | null {
  const { retry } = call.agent;
  const hasToWait = error instanceof BreakerOpen || error instanceof ModelBusy;
  if (!error.retryable || hasToWait || attempt >= retry.maxAttempts) return null;
  const delayMs = Math.max(backoff(attempt, retry, deps.random), error.retryAfterMs ?? 0);
  const leftMs = call.deadlineMs - deps.clock.nowMs();
  return delayMs > RETRY_WAIT_MS_MAX || delayMs >= leftMs ? null : delayMs;
}

function backoff(attempt: number, retry: RetrySpec, random: Random): number {
  const { backoffSeconds, exponential } = retry;
  return backoffMs(attempt, { baseMs: backoffSeconds * 1000, capMs: BACKOFF_CAP_MS, exponential }, random);
}
