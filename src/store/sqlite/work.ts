import type { Turn } from "../../domain/run.ts";
import { readable } from "../stored.ts";
import { homeLane, kindOf, type Waiting } from "./lanes.ts";
import { tokenOf } from "./leases.ts";
import { isStillOf, recall } from "./memory.ts";
import type {
  ClaimedRow,
  ExtendResult,
  Operations,
  ProgressRow,
  ReservationRow,
  SettlementRow,
} from "./protocol.ts";
import { countOf, isWithdrawn, unheard } from "./signals.ts";
import type { State } from "./state.ts";
import { expireClaims } from "./suspects.ts";

/** Of the memories that one claim brings along: they are copied to who asked, and held until the last of its jobs has ended. */
const RECALLED_CHARS_MAX = 1024 * 1024;

export function claim(
  state: State,
  { jobsMax, leaseMs, controlOnly, recall: wanted }: Operations["claim"]["args"],
  nowMs: number,
): readonly ClaimedRow[] {
  const { lanes } = state;
  const steadyMs = state.time.at(nowMs);
  expireClaims(state, steadyMs);
  lanes.wake(steadyMs);
  const claimed: ClaimedRow[] = [];
  let chars = 0;
  const recalled = ({ conversation, refusal }: Waiting) => {
    if (wanted === undefined || refusal !== null || chars >= RECALLED_CHARS_MAX) return null;
    const turns = recall(state, conversation, wanted.turnsMax, wanted.sinceMs);
    for (const turn of turns) chars += turn.length;
    return turns;
  };
  while (claimed.length < jobsMax) {
    const job = lanes.take(controlOnly);
    if (job === undefined) break;
    claimed.push(begin(state, job, steadyMs + leaseMs, nowMs, recalled));
  }
  return claimed;
}

/** The attempt is on disk before the claim is out, so a message that kills the process still runs out of attempts. */
function begin(
  state: State,
  job: Waiting,
  untilMs: number,
  nowMs: number,
  recalled: (job: Waiting) => readonly string[] | null,
): ClaimedRow {
  const { sql, leases } = state;
  job.attempt += 1;
  job.claims += 1;
  job.retrying = false;
  job.parked = false;
  job.given = countOf(job.signals);
  const token = tokenOf(job.seq, job.claims);
  sql.claim.run(job.attempt, job.claims, nowMs, job.given, job.seq);
  if (job.refusal === null) sql.see.run(job.conversation, nowMs);
  const stored = sql.body.get(job.seq);
  if (stored === undefined) throw new Error(`Expected event ${job.seq} to have its text, got none`);
  leases.grant(token, untilMs);
  return [
    token,
    job.lane,
    kindOf(job),
    job.agent,
    job.busy,
    job.attempt,
    job.failures,
    job.attempt - 1 - job.failures - job.forgiven,
    job.crashes,
    job.replay,
    job.signals,
    stored.accepted_ms,
    job.sinceMs,
    stored.body,
    job.refusal,
    stored.progress,
    state.lanes.joinedTo(job).map(({ seq }) => sql.body.get(seq)?.body ?? ""),
    recalled(job),
  ];
}

export function extend(state: State, token: number, leaseMs: number, nowMs: number): ExtendResult {
  const job = heldJob(state, token);
  if (job === null) return null;
  state.leases.grant(token, state.time.at(nowMs) + leaseMs);
  return job.signals ?? "";
}

export function checkpoint(state: State, token: number, progress: ProgressRow, nowMs: number): boolean {
  const job = heldJob(state, token);
  if (job === null) return false;
  keepProgress(state, job, progress, nowMs);
  return true;
}

function keepProgress({ sql }: State, job: Waiting, [body, isFirstAnswer]: ProgressRow, nowMs: number): void {
  sql.setProgress.run(job.seq, body);
  sql.touch.run(nowMs, job.seq);
  if (!isFirstAnswer || job.failures === 0) return;
  job.forgiven += job.failures;
  job.failures = 0;
  sql.forgive.run(job.forgiven, job.seq);
}

export function settle(state: State, token: number, settlement: SettlementRow, nowMs: number): boolean {
  const job = heldJob(state, token);
  if (job === null) return false;
  state.leases.end(job.seq);
  if (settlement.kind === "park") park(state, job, settlement, nowMs);
  else if ("afterMs" in settlement) putBack(state, job, settlement, nowMs);
  else finish(state, job, settlement, nowMs);
  return true;
}

/** The event stays the head of its lane, so what came after it waits with it and order is kept. */
function putBack(
  state: State,
  job: Waiting,
  { kind, afterMs, cause }: Extract<SettlementRow, { kind: "retry" | "defer" }>,
  nowMs: number,
): void {
  if (kind === "defer") job.attempt -= 1;
  else job.failures += 1;
  job.retrying = kind === "retry";
  const delayMs = Math.max(0, Math.ceil(afterMs));
  state.sql.putBack.run(
    job.attempt,
    job.failures,
    job.retrying ? 1 : 0,
    nowMs + delayMs,
    cause,
    nowMs,
    job.seq,
  );
  if (delayMs > 0) state.lanes.hold(job, state.time.at(nowMs) + delayMs);
  else state.lanes.free(job);
}

/** What was said to it since the claim is for the next one, at once. */
function park(
  state: State,
  job: Waiting,
  { afterMs, progress }: Extract<SettlementRow, { kind: "park" }>,
  nowMs: number,
): void {
  keepProgress(state, job, progress, nowMs);
  job.attempt -= 1;
  job.retrying = false;
  job.signals = unheard(job);
  const delayMs = job.signals === null ? Math.max(0, Math.ceil(afterMs)) : 0;
  const parked = delayMs > 0;
  state.sql.park.run(job.attempt, nowMs + delayMs, nowMs, job.signals, parked ? 1 : 0, job.seq);
  if (parked) state.lanes.hold(job, state.time.at(nowMs) + delayMs);
  else state.lanes.free(job);
  job.parked = parked;
}

function finish(
  state: State,
  job: Waiting,
  settlement: Extract<SettlementRow, { kind: "done" | "dropped" | "dead" }>,
  nowMs: number,
): void {
  const { sql, lanes } = state;
  if (settlement.kind === "done")
    remember(state, job, settlement.memory ?? job.conversation, settlement.turns);
  const lane = homeLane(job);
  sql.settle.run(
    settlement.kind,
    job.attempt,
    causeOf(settlement),
    nowMs,
    lane === job.conversation ? null : lane,
    job.kind === "message" ? null : job.kind,
    job.seq,
  );
  sql.endWaiting.run(job.seq);
  for (const { seq } of lanes.joinedTo(job)) {
    sql.merge.run(nowMs, job.seq, seq);
    sql.endWaiting.run(seq);
  }
  lanes.finish(job);
}

/** An ordinary end needs no cause; any other is what an operator looks for. */
function causeOf(settlement: Extract<SettlementRow, { kind: "done" | "dropped" | "dead" }>): string | null {
  if (settlement.kind !== "done") return settlement.cause;
  return settlement.outcome === "answered" ? null : settlement.outcome;
}

/** What was accepted before the person said "forget" is forgotten too, even if it ends only now; so is what was taken back. */
function remember(
  state: State,
  job: Waiting,
  memory: string,
  turns: Extract<SettlementRow, { kind: "done" }>["turns"],
): void {
  if (turns.length === 0) return;
  const forgottenSeq = state.sql.forgottenSeq.get(memory)?.forgotten_seq ?? 0;
  if (job.seq <= forgottenSeq) return;
  if ([job, ...state.lanes.joinedTo(job)].some(isWithdrawn)) return;
  turns.forEach(([atMs, body, isSummary], position) => {
    if (isSummary && !readable<Turn>([body]).every((summary) => isStillOf(state, memory, summary))) return;
    state.sql.remember.run(memory, job.seq, position, atMs, body);
  });
}

/** Every call counts as a send: the caller is about to try, or cannot know whether an earlier try was heard. */
export function reserve(
  state: State,
  token: number,
  partId: string,
  progress: ProgressRow | null,
  nowMs: number,
): ReservationRow {
  const job = heldJob(state, token);
  if (job === null) return { kind: "lost" };
  if (progress !== null) keepProgress(state, job, progress, nowMs);
  const { sql } = state;
  const earlier = sql.reservation.get(partId, job.seq);
  // A reservation with a receipt: a preview is out.
  if (earlier?.receipt != null)
    return { kind: earlier.state === "sent" ? "sent" : "shown", receipt: earlier.receipt };
  const sendsBefore = sql.reservations.get(job.seq)?.count ?? 0;
  sql.reserve.run(partId, job.seq);
  // The file has one process, and in that a run ends before another of its lane begins.
  if (earlier?.state === "reserved") return { kind: "in-doubt", sendsBefore, isSenderGone: true };
  return { kind: "fresh", sendsBefore };
}

/** Not fenced: the truth about a send is worth keeping, whoever holds the event by now. */
export function record(
  { sql }: State,
  partId: string,
  fate: Operations["record"]["args"][1],
  receipt: string | null,
): null {
  // A version that knows nothing of previews takes one for a send that is in doubt, and marks its own.
  sql.record.run(partId, fate === "shown" ? "reserved" : fate, receipt);
  return null;
}

export function heldJob(state: State, token: number): Waiting | null {
  const seq = state.leases.held(token);
  return seq === null ? null : (state.lanes.jobs.get(seq) ?? null);
}
