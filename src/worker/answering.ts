import { budgetOf, failure } from "../agent/ending.ts";
import { closeQuestion } from "../agent/posing.ts";
import { questionsOf } from "../dispatch/asked.ts";
import type { JobSignals } from "../dispatch/dispatcher.ts";
import { withEarlier } from "../dispatch/earlier.ts";
import { elsewhereFor } from "../dispatch/elsewhere.ts";
import { checkpoint, ensureHeld } from "../dispatch/held.ts";
import { goesRound } from "../dispatch/loop.ts";
import { filesFor, MadeFiles } from "../dispatch/made-files.ts";
import { type AgentMemory, historyOf, isOf } from "../dispatch/memory.ts";
import { interruptible, type Merging } from "../dispatch/merging.ts";
import { notedAs } from "../dispatch/noting.ts";
import { attemptOutcome, isOutage, usesNoAttempt } from "../dispatch/outage.ts";
import type { OwnTime } from "../dispatch/own-time.ts";
import { park } from "../dispatch/parking.ts";
import type { References } from "../dispatch/references.ts";
import { report, reportHandover } from "../dispatch/report.ts";
import { causeOf } from "../dispatch/settle.ts";
import { ageSeconds, told, waitedMs } from "../dispatch/waited.ts";
import { RunAborted } from "../domain/abort.ts";
import { approvalsIn, FIRST_QUESTION, openQuestion } from "../domain/approval.ts";
import { agentAfter, handoversIn, pathIn } from "../domain/handover.ts";
import type { Named } from "../domain/mention.ts";
import { redacted, redactedPart } from "../domain/redact.ts";
import { type Answer, type Progress, restedMsOf, usageByModel } from "../domain/run.ts";
import { compactedIn } from "../domain/summary.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Hold, RunResult } from "../ports/agent.ts";
import type { Job, Settlement } from "../ports/queue.ts";
import { amendBeside, sayBeside } from "../reply/beside.ts";
import { offered } from "../reply/choices.ts";
import { GAVE_UP, handedText, NOT_REACHED, unsentText } from "../reply/texts.ts";
import { showTyping } from "../reply/typing.ts";
import type { WorkerDeps } from "./deps.ts";

/** Our own words come back to us, and nothing tells that they are ours. */
export const LOOP = "loop";

/** What is answered together, and what all that refers to. */
export interface Taken {
  readonly merging: Merging;
  readonly references: References;
  readonly time: OwnTime;
}

export type Answered = Progress & { readonly answer: Answer };
export type Parked = Extract<Settlement, { kind: "park" }>;

export function isAnswered(progress: Progress): progress is Answered {
  return progress.answer !== null;
}

/** Renders what came of a run, or what is said without one. */
export async function ended(
  progress: Progress,
  result: RunResult,
  job: Job,
  adapter: Adapter,
  deps: WorkerDeps,
  signals: JobSignals,
  named?: readonly Named[],
): Promise<Answered> {
  const { job: signal, isHeld, leftMs } = signals;
  const open = openQuestion(progress.steps);
  if (open !== null) {
    const aside = { ...deps.delivery, isHeld, leftMs };
    const hold = {
      say: async () => {},
      amend: (key: string, text: string) => amendBeside({ key, text }, job, adapter, aside, signal),
      elsewhere: elsewhereFor(job, progress.agent, deps, signals),
    };
    await closeQuestion(open, "stopped", { event: job.event, steps: progress.steps, hold });
    await deps.questions?.questions.close(open.approvalId);
  }
  const text = redacted(result.text);
  const hears = deps.hearsPresses?.(job.event.platform) ?? true;
  const { markdown, buttons } = offered({ ...result, text }, adapter, hears);
  const from = progress.path?.[0];
  const { files, unsent } = filesFor(result, progress.steps);
  const around = [from && handedText(from, progress.agent), markdown, unsentText(unsent)];
  const whole = around.filter(Boolean).join("\n\n");
  const rendered = await deps.render(adapter, whole, job.event.replyTo, buttons, named);
  const approvals = approvalsIn(progress.steps);
  const compacted = compactedIn(progress.steps);
  const kept = { ...(approvals.length > 0 && { approvals }), ...(compacted !== null && { compacted }) };
  const models = usageByModel(progress.steps);
  const isOld = progress.steps.some((step) => step.kind === "model" && step.fromCache === true);
  const beside = {
    ...(models.length > 0 && { models }),
    ...(isOld && { fromCache: true as const }),
    ...(files.length > 0 && { files }),
  };
  const answer = { ...result, ...beside, text, parts: rendered.map(redactedPart) };
  return { ...progress, ...kept, steps: [], answer };
}

/** Runs the agent, or goes on with a run that was cut off. */
export async function run(
  job: Job,
  begun: Progress,
  memory: AgentMemory,
  { merging, references, time }: Taken,
  adapter: Adapter,
  deps: WorkerDeps,
  signals: JobSignals,
): Promise<Answered | Parked | typeof LOOP> {
  const { job: jobSignal, run: stopSignal, heard, isHeld, leftMs, listen } = signals;
  const interruption = interruptible(merging, stopSignal, { heard, listen }, deps.log);
  const { signal } = interruption;
  const { event } = job;
  const startedAt = performance.now();
  deps.metrics.eventAge.observe({ platform: adapter.platform }, ageSeconds(job, deps.clock));
  const history = await historyOf(job, memory, deps);
  const saidHere = history.filter((turn) => turn.role !== "summary" && isOf(turn, event.conversation));
  if (goesRound(saidHere, event)) return LOOP;
  const reading = {
    ...{ breakers: deps.delivery.breakers, clock: deps.clock, log: deps.log },
    sinceMs: deps.clock.nowMs() - memory.ttlMs,
    keep: (read: Progress) => checkpoint(job, read, deps),
  };
  const progress =
    saidHere.length > 0
      ? begun
      : await time.elsewhere(() => withEarlier(event, begun, adapter, reading, signal));
  const { runId: id, agent, steps, earlier } = progress;
  // What has achieved nothing may have waited for its model: only what it does now takes of its time.
  const takenUpAtMs = deps.clock.nowMs();
  const startedAtMs = steps.length === 0 ? takenUpAtMs : progress.startedAtMs;
  const restedMs = steps.length === 0 ? 0 : restedMsOf(progress, takenUpAtMs);
  // What comes next costs money or cannot be undone: another holder of the event may have done it by now.
  await ensureHeld(isHeld);
  const { outbox, breakers } = deps.delivery;
  const follows = steps.some(({ kind }) => kind === "tool-asked");
  const saying = { outbox, breakers, isHeld, leftMs, follows, log: deps.log };
  const patience = deps.waiting?.begin(job, adapter, saying, signal, progress.parkedMs);
  const preview = deps.previews?.begin(job, agent, adapter, saying, jobSignal);
  const allowance = deps.allowanceOf?.(event, agent);
  const achieved = (): Progress => ({ ...progress, ...references.recorded });
  const worked = (done: Progress["steps"]): Progress => {
    const now = agentAfter(done, agent);
    return { ...achieved(), agent: now, steps: done, workedMs: deps.clock.nowMs() - startedAtMs - restedMs };
  };
  const joining = async () => {
    const joined = await merging.beforeCall();
    await references.takeAll(joined, [], signal);
    return references.named(joined);
  };
  const aside = { ...deps.delivery, isHeld, leftMs };
  let recorded = steps;
  const hold: Hold = {
    record(steps) {
      const handed = steps.length > recorded.length ? handoversIn(steps.slice(-1))[0] : undefined;
      recorded = steps;
      return time.own(async () => {
        await checkpoint(job, worked(steps), deps);
        if (handed !== undefined) reportHandover(handed, job, id, deps);
        await ensureHeld(isHeld);
      });
    },
    ensure: () => time.own(() => ensureHeld(isHeld)),
    heard,
    async say(key, text, buttons) {
      // Where it takes the place of what is shown, as in a deferred answer, nothing may follow that takes it back.
      await preview?.pause();
      const follows = key !== FIRST_QUESTION || preview?.isOut === true;
      const noting = notedAs(job, agent, adapter, deps, { buttons: buttons ?? [] });
      await sayBeside({ key, text, buttons }, job, adapter, { ...aside, ...noting, follows }, jobSignal);
    },
    amend: (key, text, buttons) => amendBeside({ key, text, buttons }, job, adapter, aside, jobSignal),
    elsewhere: elsewhereFor(job, agent, deps, signals),
    ...(deps.questions && {
      questions: questionsOf(job, progress, { ...deps.questions, clock: deps.clock, log: deps.log }),
    }),
    ...answersFor(job, deps),
    ...(merging.mayGrow && { join: joining }),
    ...(patience && { waiting: patience }),
    ...(preview && { showing: (text) => preview.show(text) }),
    ...MadeFiles.keeping(event, steps, adapter, deps),
    ...(allowance && { allowance, allowanceOf: (other) => deps.allowanceOf?.(event, other) }),
    isPaused: (other) => deps.isPaused({ platform: event.platform, agent: other }),
  };
  const stopTyping = showTyping(adapter, event.replyTo, deps.clock);
  signal.addEventListener("abort", stopTyping, { once: true });
  try {
    const asked = [event, ...merging.joined];
    const isNews = await time.elsewhere(() => references.takeAll(asked, earlier ?? [], signal));
    if (isNews) await checkpoint(job, achieved(), deps);
    const [now = event, ...joined] = references.named([event, ...merging.joined]);
    const model = deps.modelOf?.(event, agent) ?? null;
    const turn = {
      id,
      agent,
      ...(model !== null && { model }),
      event: now,
      history,
      ...(joined.length > 0 && { joined }),
      ...(earlier !== undefined && { earlier: references.namedItems(earlier) }),
      ...references.views,
      ...(references.mayName([now]) && { mayMention: true as const }),
      steps,
      startedAtMs,
      ...(restedMs > 0 && { restedMs }),
    };
    const running = time.elsewhere(() => deps.runtime.run(turn, hold, signal));
    const result = await running.catch(async (error: unknown) => {
      deps.metrics.runAttempts.inc({ agent, outcome: attemptOutcome(error, signal) });
      if (signal.aborted) throw await merging.brokenOff(error);
      if (isOutage(error) && waitedMs(job, progress, deps.clock) > (deps.waitMsMax ?? Infinity))
        return failure(NOT_REACHED, causeOf(error));
      // The last attempt answers all the same: nobody is left waiting for a reply that never comes.
      if (!usesNoAttempt(error) && job.failures + 1 >= deps.attemptsMax)
        return failure(GAVE_UP, causeOf(error));
      throw await told(error, patience);
    });
    // Joined while the model gave its last word: that is kept, and is no answer to what has come.
    await interruption.end();
    if (merging.hasUnshown && result.outcome !== "stopped") throw new RunAborted("interrupted");
    // Before the answer: what is being said of the wait must not come after it, nor a preview.
    await time.elsewhere(async () => {
      await patience?.end();
      await preview?.end();
    });
    if (result.outcome === "parked") return park(worked(result.steps), result.untilMs, job, deps);
    const path = pathIn(recorded);
    const had = path.length > 0 && { path, agent: agentAfter(recorded, agent) };
    const done = { ...achieved(), ...had, steps: recorded };
    // Before it is said that the other answers here from now on.
    if (had !== false) await deps.selection.choose(event, { agent: done.agent, isHanded: true });
    report(result, job, done, startedAt, budgetOf(result), deps);
    const named = references.mentionable(merging.events, earlier ?? []);
    return await ended(done, result, job, adapter, deps, signals, named);
  } finally {
    signal.removeEventListener("abort", stopTyping);
    stopTyping();
    await interruption.end();
    await patience?.end();
    await preview?.end();
  }
}

/** What an operator has brought back is to be answered anew. */
function answersFor(
  { event: { conversation, id: eventId }, replay }: Job,
  { answers }: Pick<WorkerDeps, "answers">,
): Pick<Hold, "answers"> {
  if (answers === undefined || replay > 0) return {};
  return {
    answers: {
      find: (digest) => answers.find(conversation, digest),
      keep: (digest, answer, ttlMs) => answers.keep({ conversation, eventId }, digest, answer, ttlMs),
    },
  };
}
