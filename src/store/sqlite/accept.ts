import { BUSY_NOTICE_MS } from "../../domain/bounds.ts";
import type { TriggerEvent } from "../../domain/event.ts";
import type { Refusal } from "../../domain/refusal.ts";
import { parsedEvent } from "../stored.ts";
import { newcomer, noticeLane, type Source } from "./lanes.ts";
import type { AcceptResult, LimitRow, OfferRow } from "./protocol.ts";
import type { State } from "./state.ts";

/** A person over a limit hears of it at most this often, however short the limit's window. */
const NOTICE_WINDOW_MS_MIN = 60_000;

/** Only found where there are some, of the message or of what it refers to: quotes inside of texts are escaped. */
const WITH_FILES = '"attachments":[{';

/** What was offered, by name. */
type Offered = ReturnType<typeof named>;

function named([
  id,
  aliases,
  lane,
  kind,
  agent,
  busy,
  conversation,
  platform,
  tenant,
  sender,
  body,
  refusal,
  limits,
  onlyIfKnown,
  isTold,
  dedupMs,
]: OfferRow) {
  const source: Source = [platform, tenant, sender];
  return {
    ...{ id, aliases, lane, kind, agent, busy, conversation, source },
    ...{ body, refusal, limits, onlyIfKnown, isTold, dedupMs },
  };
}

export function accept(state: State, row: OfferRow, nowMs: number): AcceptResult {
  const offer = named(row);
  const { id, aliases, lane, conversation, body, refusal, limits, onlyIfKnown, isTold } = offer;
  const originalSeq = findOriginal(state, id, aliases, nowMs);
  if (originalSeq !== null) {
    addMissingKeys(state, offer, originalSeq, nowMs);
    if (body.includes(WITH_FILES)) grow(state, originalSeq, body);
    return "duplicate";
  }
  if (onlyIfKnown && !isKnown(state, conversation)) return "unknown-conversation";
  if (isFull(state, lane)) return "full";

  const seq = state.nextSeq++;
  addKeys(state, offer, seq, nowMs);
  const cause =
    refusal ??
    busyRefusal(state, offer) ??
    (limits.length === 0 ? null : rateRefusal(state, limits, isTold, nowMs));
  if (cause === null) {
    enqueue(state, offer, { seq, lane, refusal: null }, nowMs);
    return "accepted";
  }
  const told = isNoticeDue(state, offer, cause, nowMs);
  if (told) enqueue(state, offer, { seq, lane: noticeLane(lane), refusal: cause }, nowMs);
  else state.sql.addDropped.run(seq, id, nowMs, cause.cause, withoutContent(body));
  return { refusal: cause, told };
}

function findOriginal(state: State, id: string, aliases: readonly string[], nowMs: number): number | null {
  let row = state.sql.liveKey.get(id, nowMs);
  for (let i = 0; row === undefined && i < aliases.length; i++) {
    row = state.sql.liveKey.get(aliases[i] ?? id, nowMs);
  }
  return row?.seq ?? null;
}

function addKeys(state: State, { id, aliases, dedupMs }: Offered, seq: number, nowMs: number): void {
  const expiresMs = nowMs + dedupMs;
  state.sql.addKey.run(id, seq, expiresMs);
  for (const alias of aliases) if (alias !== id) state.sql.addKey.run(alias, seq, expiresMs);
}

/** A third delivery may share a key with the second only. */
function addMissingKeys(
  state: State,
  { id, aliases, dedupMs }: Offered,
  originalSeq: number,
  nowMs: number,
): void {
  const missing = [id, ...aliases].filter((key) => state.sql.liveKey.get(key, nowMs) === undefined);
  if (missing.length === 0) return;
  const expiresMs = nowMs + dedupMs;
  for (const key of missing) state.sql.addKey.run(key, originalSeq, expiresMs);
  state.sql.addOrphan.run(expiresMs, originalSeq, JSON.stringify(missing));
}

/** Whoever has the event in hand goes on with what was claimed. */
function grow({ lanes, sql }: State, seq: number, offered: string): void {
  const job = lanes.jobs.get(seq);
  if (job === undefined || job.refusal !== null) return;
  const stored = sql.body.get(seq);
  if (stored === undefined || stored.progress !== null) return;
  const event = parsedEvent(stored.body);
  const { attachments } = JSON.parse(offered) as TriggerEvent;
  if (!event?.mayGrow || event.attachments.length > 0 || attachments.length === 0) return;
  sql.setBody.run(JSON.stringify({ ...event, attachments } satisfies TriggerEvent), seq);
}

function isKnown(state: State, conversation: string): boolean {
  return state.lanes.isActive(conversation) || state.sql.isKnown.get(conversation) !== undefined;
}

/** Running events are not counted: they are no longer waiting. */
export function isFull({ lanes, leases, limits }: State, lane: string): boolean {
  return (
    lanes.waitingIn(lane) >= limits.waitingPerLaneMax || lanes.jobs.size - leases.size >= limits.waitingMax
  );
}

/** Its detail is the run that it came upon: the person hears of each once. */
function busyRefusal({ lanes }: State, { lane, busy, isTold }: Offered): Refusal | null {
  if (busy !== "drop") return null;
  const head = lanes.headOf(lane);
  if (head === undefined || (lanes.stateOf(lane) === "waiting" && head.attempt === 0)) return null;
  return { cause: "busy", detail: `run ${head.seq}`, noticeWindowMs: isTold ? BUSY_NOTICE_MS : 0 };
}

function rateRefusal(
  state: State,
  limits: readonly LimitRow[],
  isTold: boolean,
  nowMs: number,
): Refusal | null {
  const refused = state.buckets.take(limits, state.time.at(nowMs));
  if (refused === null) return null;
  const [scope, , , perMs] = refused.limit;
  return {
    cause: "rate_limited",
    detail: scope,
    noticeWindowMs: isTold ? Math.max(NOTICE_WINDOW_MS_MIN, perMs) : 0,
    retryAfterMs: refused.waitMs,
  };
}

function enqueue(
  state: State,
  { id, kind, agent, busy, conversation, source, body }: Offered,
  place: { seq: number; lane: string; refusal: Refusal | null },
  nowMs: number,
): void {
  const { seq, lane } = place;
  const refusal = place.refusal === null ? null : JSON.stringify(place.refusal);
  state.sql.addEvent.run(seq, id, nowMs, body);
  state.sql.addWaiting.run(
    seq,
    lane,
    kind,
    agent,
    busy,
    conversation,
    nowMs,
    place.refusal?.cause ?? null,
    refusal,
    ...source,
    nowMs,
    0,
  );
  state.lanes.add(
    newcomer({
      ...{ seq, lane, kind, agent, busy, conversation, source },
      ...{ sinceMs: nowMs, refusal, replay: 0 },
    }),
  );
}

/** Whether this person has not been told the same within the window. The mark is written with the event. */
function isNoticeDue(state: State, { source }: Offered, refusal: Refusal, nowMs: number): boolean {
  if (refusal.noticeWindowMs <= 0) return false;
  // Not by conversation: each mention in a channel opens one, and a flood would get a notice for each.
  const about = refusal.cause === "busy" ? [refusal.detail] : [];
  const key = JSON.stringify([refusal.cause, source.join(":"), ...about]);
  const toldMs = state.sql.toldAt.get(key)?.at_ms;
  // A mark from the future is from before the clock was set back: it must not silence for longer.
  if (toldMs !== undefined && toldMs <= nowMs && nowMs - toldMs < refusal.noticeWindowMs) return false;
  state.sql.tell.run(key, nowMs, nowMs + refusal.noticeWindowMs);
  return true;
}

/** A flood that is refused must not fill the disk with what it says. */
function withoutContent(body: string): string {
  const event = JSON.parse(body) as TriggerEvent;
  return JSON.stringify({ ...event, text: "", attachments: [] } satisfies TriggerEvent);
}
