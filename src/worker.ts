import { failure, stopped } from "./agent/ending.ts";
import { settlementOf } from "./agent/settlement.ts";
import { begun } from "./dispatch/beginning.ts";
import { obey } from "./dispatch/control.ts";
import type { JobSignals } from "./dispatch/dispatcher.ts";
import { checkpoint } from "./dispatch/held.ts";
import { Merging } from "./dispatch/merging.ts";
import { notedAs } from "./dispatch/noting.ts";
import { OwnTime } from "./dispatch/own-time.ts";
import { saidByUs } from "./dispatch/own-words.ts";
import { poisonCauseOf } from "./dispatch/poison.ts";
import { leaveQuiet } from "./dispatch/quiet.ts";
import { References } from "./dispatch/references.ts";
import { report, reportSaid } from "./dispatch/report.ts";
import { isSettlement, runnable } from "./dispatch/runnable.ts";
import { Deferred } from "./dispatch/settle.ts";
import { lastWord, waitedMs } from "./dispatch/waited.ts";
import { controlCommandOf } from "./domain/command.ts";
import type { Progress } from "./domain/run.ts";
import { isStopped } from "./domain/signal.ts";
import type { Adapter } from "./ports/adapter.ts";
import type { RunResult } from "./ports/agent.ts";
import type { Job, Settlement } from "./ports/queue.ts";
import { deliver } from "./reply/deliver.ts";
import { deliverFiles } from "./reply/files.ts";
import { FirstStored } from "./reply/first-stored.ts";
import { GAVE_UP, NO_AGENT, noticeText } from "./reply/texts.ts";
import { type Answered, ended, isAnswered, LOOP, type Parked, run, type Taken } from "./worker/answering.ts";
import type { WorkerDeps } from "./worker/deps.ts";

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

/** For what only an operator can change. */
const WAIT_MS = 60_000;

/** What is said of it: by us, where it is ours to say, or by the agent. */
async function answerTo(
  job: Job,
  progress: Progress,
  taken: Taken,
  adapter: Adapter,
  deps: WorkerDeps,
  signals: JobSignals,
): Promise<Answered | Parked | typeof LOOP> {
  const { conversation, id: eventId } = job.event;
  const end = async (result: RunResult) => {
    const { menu: choices, text } = result;
    // Before anybody can read it, and so answer it.
    if (choices !== undefined)
      await deps.menus?.show(conversation, { eventId, text: text.split("\n\n").at(-1) ?? "", choices });
    return await ended(progress, result, job, adapter, deps, signals);
  };
  const command = controlCommandOf(job.event);
  // Overtakes the run that it is about, and pause and stop are not meant for it.
  if (command !== null) {
    const event = await taken.references.known(job.event, signals.job);
    const control = { ...deps.control, selection: deps.selection, guide: deps.guide };
    return end(await obey(command, event, control, job.attempt > 1));
  }
  if (isStopped(job.signals)) {
    const result = stopped(progress.steps);
    // What had begun, and waited, has cost something all the same.
    if (progress.steps.length > 0) report(result, job, progress, performance.now(), null, deps);
    return end(result);
  }
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
  // What is said from now on may have numbers of its own.
  if (progress.steps.length === 0) await deps.menus?.leave(conversation);
  return await run(job, progress, memory, taken, adapter, deps, signals);
}
