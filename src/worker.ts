import { budgetOf, failure, stopped } from "./agent/ending.ts";
import { closeQuestion } from "./agent/posing.ts";
import { settlementOf } from "./agent/settlement.ts";
import { type AskedDeps, questionsOf } from "./dispatch/asked.ts";
import { begun } from "./dispatch/beginning.ts";
import { type ControlDeps, obey } from "./dispatch/control.ts";
import type { JobSignals } from "./dispatch/dispatcher.ts";
import { withEarlier } from "./dispatch/earlier.ts";
import { elsewhereFor } from "./dispatch/elsewhere.ts";
import type { FilesDeps } from "./dispatch/files.ts";
import type { Guide } from "./dispatch/guide.ts";
import { checkpoint, ensureHeld } from "./dispatch/held.ts";
import { goesRound } from "./dispatch/loop.ts";
import { filesFor, MadeFiles } from "./dispatch/made-files.ts";
import { type AgentMemory, historyOf, isOf } from "./dispatch/memory.ts";
import { interruptible, Merging } from "./dispatch/merging.ts";
import { notedAs } from "./dispatch/noting.ts";
import { attemptOutcome, isOutage, usesNoAttempt } from "./dispatch/outage.ts";
import { OwnTime } from "./dispatch/own-time.ts";
import { saidByUs } from "./dispatch/own-words.ts";
import { park } from "./dispatch/parking.ts";
import { poisonCauseOf } from "./dispatch/poison.ts";
import { leaveQuiet } from "./dispatch/quiet.ts";
import { References } from "./dispatch/references.ts";
import { report, reportHandover, reportSaid } from "./dispatch/report.ts";
import type { RolesDeps } from "./dispatch/roles.ts";
import { isSettlement, runnable } from "./dispatch/runnable.ts";
import type { Selection } from "./dispatch/selection.ts";
import { causeOf, Deferred } from "./dispatch/settle.ts";
import { ageSeconds, lastWord, told, waitedMs } from "./dispatch/waited.ts";
import { RunAborted } from "./domain/abort.ts";
import { approvalsIn, FIRST_QUESTION, openQuestion } from "./domain/approval.ts";
import { controlCommandOf } from "./domain/command.ts";
import type { Platform, TriggerEvent } from "./domain/event.ts";
import { agentAfter, handoversIn, pathIn } from "./domain/handover.ts";
import type { Named } from "./domain/mention.ts";
import { redacted, redactedPart } from "./domain/redact.ts";
import type { Route } from "./domain/route.ts";
import type { Answer, Progress } from "./domain/run.ts";
import { restedMsOf, usageByModel } from "./domain/run.ts";
import { isStopped } from "./domain/signal.ts";
import { compactedIn } from "./domain/summary.ts";
import type { PausedFor } from "./domain/switches.ts";
import type { Adapter, Render } from "./ports/adapter.ts";
import type { AgentRuntime, Allowance, Hold, RunResult } from "./ports/agent.ts";
import type { Clock, NewId } from "./ports/clock.ts";
import type { Feedback } from "./ports/feedback.ts";
import type { Hooks } from "./ports/hooks.ts";
import type { Memory } from "./ports/memory.ts";
import type { Outbox } from "./ports/outbox.ts";
import type { Job, Queue, Settlement } from "./ports/queue.ts";
import { amendBeside, sayBeside } from "./reply/beside.ts";
import { offered } from "./reply/choices.ts";
import { type DeliverDeps, deliver } from "./reply/deliver.ts";
import { deliverFiles } from "./reply/files.ts";
import { FirstStored } from "./reply/first-stored.ts";
import type { Previews } from "./reply/preview.ts";
import { GAVE_UP, handedText, NO_AGENT, NOT_REACHED, noticeText, unsentText } from "./reply/texts.ts";
import { showTyping } from "./reply/typing.ts";
import type { WaitNotices } from "./reply/waiting.ts";
import type { Logger } from "./telemetry/log.ts";
import type { Metrics } from "./telemetry/metrics.ts";

export interface WorkerDeps {
  readonly queue: Pick<Queue, "checkpoint" | "join">;
  readonly memory: Memory;
  readonly adapters: ReadonlyMap<string, Adapter>;
  readonly runtime: AgentRuntime;
  readonly routes: readonly Route[];
  readonly agents: ReadonlyMap<string, AgentMemory>;
  readonly selection: Pick<
    Selection,
    "agentFor" | "refusal" | "choose" | "now" | "obey" | "forget" | "choosable"
  >;
  readonly control: Omit<ControlDeps, "selection" | "guide">;
  readonly guide: Pick<Guide, "help" | "menuFor">;
  /** Of platforms whose messages do not tell roles; absent: there is none. */
  readonly roles?: RolesDeps;
  readonly render: Render;
  readonly delivery: Omit<DeliverDeps, "isHeld" | "leftMs" | "outbox"> & { readonly outbox: Outbox };
  /** What the model calls of a run may cost today; absent: as much as the run may. */
  readonly allowanceOf?: (event: TriggerEvent, agent: string) => Allowance;
  /** By which the model of a run is known; absent: as its agent has it. */
  readonly modelOf?: (event: TriggerEvent, agent: string) => string | null;
  readonly attemptsMax: number;
  /** How long nothing may have come before what `busy: collect` has collected is answered; absent: no time. */
  readonly quietMsOf?: (event: TriggerEvent, agent: string) => number;
  /** For whoever reacts to what is said; absent: no reaction means anything. */
  readonly feedback?: Pick<Feedback, "said">;
  /** Where questions are found by their ids; absent: in their conversations alone. */
  readonly questions?: Omit<AskedDeps, "clock" | "log">;
  /** Told of what was answered; absent: nobody. */
  readonly hooks?: Hooks;
  /** Tells who waits for a model that is away; absent: nobody. */
  readonly waiting?: WaitNotices;
  /** A message waits no longer than this for a model that is away; absent: for ever. */
  readonly waitMsMax?: number;
  /** Where files of messages are kept; absent: they are named to the model, and not read. */
  readonly files?: FilesDeps;
  /** Shows answers while they grow; absent: none. */
  readonly previews?: Previews;
  readonly isPaused: (of: PausedFor) => boolean;
  /** Whether a press on a button starts a run there; absent: everywhere. */
  readonly hearsPresses?: (platform: Platform) => boolean;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/**
 * The back half of the path: route → run → reply, for one claimed event. Gives how to settle it; throws when it
 * could not be done, and `dispatch/settle.ts` decides what then. Everything done is recorded on the way, so that
 * the next holder goes on where this one stopped.
 */
export async function work(claimed: Job, deps: WorkerDeps, signals: JobSignals): Promise<Settlement> {
  const time = new OwnTime();
  const adapter = deps.adapters.get(claimed.event.platform);
  // A start without its secrets must not bury what was acknowledged: it waits until they are back.
  if (adapter === undefined) throw new Deferred(`${claimed.event.platform} is not configured`, WAIT_MS);
  const job = await runnable(claimed, adapter, deps, signals.job);
  if (isSettlement(job)) return job;
  if (job.refusal !== null) {
    const parts = adapter.render(noticeText(job.refusal), job.event.replyTo);
    await deliver(job, parts, adapter, { ...deps.delivery, ...signals }, signals.job);
    return { kind: "dropped", cause: job.refusal.cause };
  }

  const merging = new Merging(job, deps.queue);
  const progress = await begun(job, deps);
  await leaveQuiet(job, merging, deps.quietMsOf?.(job.event, progress.agent) ?? 0, deps.clock);
  const references = new References(adapter, progress, deps);
  const taken = { merging, references, time };
  const done = isAnswered(progress) ? progress : await answerTo(job, progress, taken, adapter, deps, signals);
  if (done === LOOP) return { kind: "dropped", cause: LOOP };
  if ("kind" in done) return done;
  const { answer } = done;
  const log = deps.delivery.log.child({ run_id: progress.runId });
  const outbox = new FirstStored(deps.delivery.outbox, progress.answer === null ? done : null);
  const { isHeld, leftMs } = signals;
  const follows = (done.approvals ?? []).length > 0;
  const elsewhere: OwnTime["elsewhere"] = (wait) => time.elsewhere(wait);
  const noting = notedAs(job, done.agent, adapter, deps);
  const delivery = { ...deps.delivery, ...noting, outbox, log, isHeld, leftMs, follows, elsewhere };
  try {
    await deliver(job, answer.parts, adapter, delivery, signals.job);
    const sending = { ...delivery, media: deps.files?.media };
    await deliverFiles(job, answer.files ?? [], adapter, sending, signals.job);
  } catch (error) {
    throw lastWord(error, waitedMs(job, progress, deps.clock), deps.waitMsMax);
  } finally {
    // Nothing was begun: there is nothing to say, or now is not the time. The answer is paid for all the same.
    if (outbox.unsaved !== null) await checkpoint(job, outbox.unsaved, deps);
  }
  await reportSaid(job, done, time.seconds, deps);
  for (const event of merging.joined) adapter.merged?.(event, job.event);
  const { earlier = [], compacted } = done;
  const shown = { answer, earlier: references.namedItems(earlier), ...(compacted && { compacted }) };
  const files = await references.texts(merging.events, earlier);
  return settlementOf(shown, references.named(merging.events), {
    clock: deps.clock,
    files,
    by: deps.agents.get(done.agent)?.by,
  });
}

/** Our own words come back to us, and nothing tells that they are ours. */
const LOOP = "loop";

/** For what only an operator can change. */
const WAIT_MS = 60_000;

/** Runs the agent, or goes on with a run that was cut off, and renders what came of it. */
async function answerTo(
  job: Job,
  progress: Progress,
  taken: Taken,
  adapter: Adapter,
  deps: WorkerDeps,
  signals: JobSignals,
): Promise<Answered | Parked | typeof LOOP> {
  const end = (result: RunResult) => ended(progress, result, job, adapter, deps, signals);
  const command = controlCommandOf(job.event);
  // Overtakes the run that it is about, and pause and stop are not meant for it.
  if (command !== null) {
    const event = await taken.references.known(job.event, signals.job);
    const control = { ...deps.control, selection: deps.selection, guide: deps.guide };
    return end(await obey(command, event, control, job.attempt > 1));
  }
  if (isStopped(job.signals)) return end(stopped(progress.steps));
  if (deps.isPaused({ platform: job.event.platform, agent: progress.agent }))
    throw new Deferred("paused", WAIT_MS);
  const refusal = deps.selection.refusal(job.event);
  if (refusal !== null) return end(saidByUs({ text: refusal }));
  const menu = progress.steps.length > 0 ? null : deps.guide.menuFor(job.event, progress.agent);
  if (menu !== null) return end(saidByUs({ text: menu.text, menu: menu.choices }));
  const memory = deps.agents.get(progress.agent);
  if (memory === undefined) return end(failure(NO_AGENT, "no agent is set up for this event"));
  const poison = poisonCauseOf(job);
  if (poison !== null) return end(failure(GAVE_UP, poison));
  return await run(job, progress, memory, taken, adapter, deps, signals);
}

/** What is answered together, and what all that refers to. */
interface Taken {
  readonly merging: Merging;
  readonly references: References;
  readonly time: OwnTime;
}

type Answered = Progress & { readonly answer: Answer };
type Parked = Extract<Settlement, { kind: "park" }>;

function isAnswered(progress: Progress): progress is Answered {
  return progress.answer !== null;
}

async function ended(
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
  const beside = { ...(models.length > 0 && { models }), ...(files.length > 0 && { files }) };
  const answer = { ...result, ...beside, text, parts: rendered.map(redactedPart) };
  return { ...progress, ...kept, steps: [], answer };
}

async function run(
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
