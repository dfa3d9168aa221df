import { turnOf } from "../../domain/priority.ts";
import type { Progress, Turn } from "../../domain/run.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Acceptance, Offer } from "../../ports/inbox.ts";
import type { EventRecord, ReplayNote } from "../../ports/journal.ts";
import type { Recall } from "../../ports/memory.ts";
import type { Job, Settlement } from "../../ports/queue.ts";
import { isFirstAnswer, readable, storedEvent, storedJob, storedOrNull, storedSignals } from "../stored.ts";
import { wellFormed } from "../well-formed.ts";
import type {
  AcceptResult,
  ClaimedRow,
  JournalRow,
  OfferRow,
  ProgressRow,
  SettlementRow,
} from "./protocol.ts";

// Values to rows on the way to the engine, rows to values on the way back.

export function toOfferRow({
  event,
  lane,
  kind,
  agent,
  busy,
  refusal,
  limits,
  onlyIfKnown,
  isTold,
  dedupMs,
}: Offer): OfferRow {
  return [
    wellFormed(event.id),
    event.aliases.map(wellFormed),
    wellFormed(lane),
    kind,
    agent === null ? null : wellFormed(agent),
    busy,
    wellFormed(event.conversation),
    event.platform,
    wellFormed(event.tenant),
    wellFormed(turnOf(event)),
    JSON.stringify(event),
    refusal,
    limits.map(({ scope, key, messages, perMs }) => [scope, key, messages, perMs] as const),
    onlyIfKnown,
    isTold,
    Math.trunc(dedupMs),
  ];
}

export function toAcceptance(result: AcceptResult): Acceptance {
  return typeof result === "string" ? { kind: result } : { kind: "refused", ...result };
}

export function toJob(row: ClaimedRow, recall: Recall | undefined): Job {
  const [
    token,
    lane,
    kind,
    agent,
    busy,
    attempt,
    failures,
    cutOffs,
    crashes,
    replay,
    signals,
    acceptedAtMs,
    waitsSinceMs,
    ...texts
  ] = row;
  const [body, refusal, progress, joined, turns] = texts;
  return {
    ...storedJob({ lane, body, refusal, progress, joined }),
    lane,
    kind,
    agent,
    busy,
    attempt,
    failures,
    cutOffs,
    crashes,
    replay,
    signals: storedSignals(signals),
    token,
    acceptedAtMs,
    waitsSinceMs,
    ...(recall && turns && { recalled: { ...recall, turns: readable<Turn>(turns) } }),
  };
}

export function toProgressRow(job: Job, progress: Progress): ProgressRow {
  return [JSON.stringify(progress), isFirstAnswer(job, progress)];
}

export function toSettlementRow(job: Job, settlement: Settlement, clock: Clock): SettlementRow {
  if (settlement.kind === "park") {
    const afterMs = Math.ceil(settlement.untilMs - clock.nowMs());
    return { kind: "park", afterMs, progress: toProgressRow(job, settlement.progress) };
  }
  if (settlement.kind !== "done") return settlement;
  const { outcome, turns, memory } = settlement;
  return {
    kind: "done",
    outcome,
    turns: turns.map(
      (turn) => [Math.trunc(turn.atMs), JSON.stringify(turn), turn.role === "summary"] as const,
    ),
    memory: memory === undefined ? null : wellFormed(memory),
  };
}

export function toRecord({
  seq,
  id,
  state,
  body,
  attempt,
  cause,
  mergedInto,
  progress,
  acceptedMs,
  updatedMs,
  replays,
}: JournalRow): EventRecord {
  return {
    seq,
    id,
    state,
    event: storedEvent(body, id),
    attempt,
    cause,
    mergedInto,
    progress: storedOrNull<Progress>(progress),
    acceptedAtMs: acceptedMs,
    updatedAtMs: updatedMs,
    replays: storedOrNull<ReplayNote[]>(replays) ?? [],
  };
}
