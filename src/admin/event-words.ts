import { REFUSAL_CAUSES } from "../domain/refusal.ts";
import type { RunOutcome } from "../domain/run.ts";
import type { EventRecord, EventState } from "../ports/journal.ts";
import type { LaneState } from "../ports/lanes.ts";
import { errorWords } from "./error-words.ts";
import { refusedWords } from "./request-words.ts";
import { agentOf, kindOf } from "./views.ts";

/** What becomes of an event, for a person: where it stands, what was said, what it waits for. */
export function eventWords(record: EventRecord, lane: LaneState): string {
  return WORDS[record.state](record, lane).replace(/\s+/g, " ").trim();
}

const WORDS: Readonly<Record<EventState, (record: EventRecord, lane: LaneState) => string>> = {
  queued: (record, lane) => `It is stored and waits. ${queuedWords(record, lane)}`,
  running: (record) => `${workerOf(record)} works on it (attempt ${record.attempt}). ${answerSoFar(record)}`,
  retrying: (record) =>
    `It failed ${times(record.attempt)} and waits for its next attempt; what came after it in the conversation waits ` +
    `with it. ${because(record)} ${answerSoFar(record)}`,
  parked: (record) =>
    `It is parked: it waits for a person to decide, or for its time, and what came after it in the conversation waits with it. ${answerSoFar(record)}`,
  done: (record) => doneWords(record),
  dropped: (record) => droppedWords(record),
  merged: ({ mergedInto }) =>
    `It was answered together with an earlier message of the same person: parley explain '${mergedInto ?? "?"}' says how that went.`,
  dead: (record) =>
    `It was given up after ${record.attempt} attempt${record.attempt === 1 ? "" : "s"} and is a dead letter. ${because(record)} ` +
    (kindOf(record) === "outbound"
      ? `There is an answer, which was not said to its end: parley dead replay '${record.id}' says the rest.`
      : `When the cause is gone, parley dead replay '${record.id}' runs it again.`),
};

function workerOf(record: EventRecord): string {
  const agent = agentOf(record);
  return agent === null ? "The agent of its route" : `Agent ${agent}`;
}

function queuedWords(record: EventRecord, lane: LaneState): string {
  if (record.mergedInto !== null)
    return `It is answered together with an earlier message of the same person, '${record.mergedInto}'.`;
  if (record.cause !== null) return because(record);
  if (lane === "running")
    return "An earlier message of the same conversation is being answered; one goes after the other.";
  if (lane === "parked")
    return "An earlier message of the same conversation is parked until a person decides; one goes after the other.";
  if (lane === "waiting")
    return "It is its turn, or an earlier message of the conversation waits for its own. All workers may be busy, or none runs: look at /ready.";
  return "A worker takes it at once, if one runs: look at /ready.";
}

function because({ cause }: EventRecord): string {
  if (cause === null) return "";
  return `The cause: ${cause}. ${WAITS[cause] ?? (UNTOLD.test(cause) ? UNTOLD_WORDS : errorWords(cause))}`;
}

/** For what an event waits that is nobody's fault. */
const WAITS: Readonly<Record<string, string>> = {
  draining: "The gateway was stopping, and hands back what it had in hand.",
  paused: "It is asked for again in a minute, as long as the kill switch is on.",
};

/** Of an adapter whose platform does not say whose token we have. */
const UNTOLD = / has not told yet whose credentials these are$/;
const UNTOLD_WORDS =
  "It runs as soon as the platform's API answers and takes our token: /ready and parley doctor say why it does not.";

function answerSoFar({ progress }: EventRecord): string {
  if (progress === null) return "";
  if (progress.answer !== null) return "The answer is there and is being said.";
  const { length } = progress.steps;
  return length === 0 ? "" : `${length} step${length === 1 ? " is" : "s are"} done.`;
}

const OUTCOMES: Readonly<Record<RunOutcome, string>> = {
  answered: "It was answered",
  stopped: "Somebody stopped it with /stop, and it was told so",
  "out-of-time":
    "The run was over its time (budgets.time_seconds, limits.max_execution_time_seconds), and the person was told",
  "out-of-tokens": "The run was over its tokens (budgets.tokens, model.max_tokens), and the person was told",
  "out-of-money": "The run was over its budget (budgets.cost_cents), and the person was told",
  "out-of-steps": "The run was over its steps (limits.max_iterations), and the person was told",
  refused: "The model declined to answer, and the person was told",
  failed: "The run failed, and the person was told",
};

function doneWords({ progress, cause }: EventRecord): string {
  const answer = progress?.answer ?? null;
  const outcome = answer?.outcome ?? cause ?? "answered";
  const ending = Object.hasOwn(OUTCOMES, outcome) ? OUTCOMES[outcome as RunOutcome] : "It is done";
  const over = answer?.overBudget;
  const what =
    over === undefined
      ? ending
      : `A budget of the day had not so much left (budgets.${over} in gateway.yaml), and the person was told`;
  if (answer === null) return `${what}.`;
  const { length } = answer.parts;
  const said = `${what}, in ${length} message${length === 1 ? "" : "s"} of ${answer.text.length} characters in all.`;
  const asked = (answer.models ?? []).map(
    ({ model, calls }) => `${model} (${calls} call${calls === 1 ? "" : "s"})`,
  );
  return asked.length === 0 ? said : `${said} Agent ${progress?.agent ?? "?"} asked ${asked.join(", ")}.`;
}

function droppedWords({ cause }: EventRecord): string {
  if (cause === null) return "It was not run.";
  const isRefusal = REFUSAL_CAUSES.some((known) => cause === known || cause.startsWith(`${known}:`));
  if (isRefusal) return refusedWords(cause);
  if (cause.startsWith("dropped by ")) return `It was a dead letter, and an operator put it away: ${cause}.`;
  if (cause === "ignored")
    return "It was taken while the store was away, and when that was back, it was no longer for the bot.";
  if (cause === "loop")
    return "It only repeats what the bot had just answered, as the messages before it did: the bot's own posts come back to it.";
  return `It was not run: ${cause}.`;
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
