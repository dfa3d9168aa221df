import type { AuditPlace, AuditRow } from "../../domain/audit.ts";
import type { BusyMode } from "../../domain/busy.ts";
import type { ErrorCode } from "../../domain/errors.ts";
import type { EventKind } from "../../domain/kind.ts";
import type { Refusal } from "../../domain/refusal.ts";
import type { ReplayAnswer, ReplayRequest } from "../../ports/archive.ts";
import type { AuditPage, AuditRead } from "../../ports/audit-log.ts";
import type { RateLimit } from "../../ports/inbox.ts";
import type { EventState, StoreStats } from "../../ports/journal.ts";
import type { LaneState, Signalled } from "../../ports/lanes.ts";
import type { Withdrawn } from "../../ports/memory.ts";
import type { Reservation } from "../../ports/outbox.ts";
import type { Holding, HoldRequest } from "../../ports/purse.ts";
import type { ClaimOptions } from "../../ports/queue.ts";
import type { Bite, ConversationSummary, Kept, Search } from "../../ports/records.ts";
import type { Retention } from "../../ports/retention.ts";
import type { Finished } from "../../ports/upkeep.ts";
import type { VaultEntry, VaultPage } from "../../ports/vault.ts";
import type { OfferedKind } from "./lanes.ts";
import type { SpendingRow } from "./purse-statements.ts";

/**
 * What the store's front asks of its engine. Everything is plain data, so that a batch can cross to a thread;
 * what is frequent is a tuple, because copying property names costs more than copying the values.
 */
export interface Operations {
  accept: { args: OfferRow; result: AcceptResult };
  claim: { args: ClaimOptions; result: readonly ClaimedRow[] };
  extend: { args: readonly [token: number, leaseMs: number]; result: ExtendResult };
  checkpoint: { args: readonly [token: number, progress: ProgressRow]; result: boolean };
  /** Bodies of all that is joined. */
  join: { args: number; result: readonly string[] };
  settle: { args: readonly [token: number, settlement: SettlementRow]; result: boolean };
  /** With the progress that is stored with it, or null. */
  reserve: {
    args: readonly [token: number, partId: string, progress: ProgressRow | null];
    result: ReservationRow;
  };
  /** A receipt as JSON, or null for `not-sent`. */
  record: {
    args: readonly [partId: string, fate: "sent" | "shown" | "not-sent", receipt: string | null];
    result: null;
  };
  recall: {
    args: readonly [conversation: string, turnsMax: number, sinceMs: number];
    result: readonly string[];
  };
  forget: { args: readonly [conversation: string, untilEventId: string | null]; result: null };
  /** With the lane of one that is in hand, whose holder is to hear of it. */
  withdraw: { args: readonly [eventId: string, signal: string]; result: WithdrawnRow };
  person: { args: PersonRow; result: PersonResult };
  holdMoney: { args: HoldRequest; result: Holding };
  settleMoney: {
    args: readonly [
      day: string,
      id: string,
      amount: number,
      inputTokens: number,
      outputTokens: number,
      cacheReadTokens: number,
      cacheWriteTokens: number,
    ];
    result: null;
  };
  spentMoney: { args: readonly [day: string, scopes: readonly string[]]; result: readonly SpendingRow[] };
  find: { args: string; result: JournalRow | null };
  list: {
    args: { state: EventState | null; limit: number; beforeSeq: number };
    result: readonly JournalRow[];
  };
  stats: { args: null; result: StoreStats };
  laneState: { args: string; result: LaneState };
  laneHead: { args: string; result: LaneHeadRow | null };
  /** A signal as JSON. */
  signal: { args: readonly [lane: string, key: string, signal: string]; result: Signalled };
  replay: { args: readonly [id: string, request: ReplayRequest]; result: ReplayAnswer };
  drop: { args: readonly [id: string, by: string]; result: boolean };
  /** Notes as JSON. */
  noteRequests: {
    args: {
      rows: readonly (readonly [id: string, requestId: string, outcome: string, body: string])[];
      refusedMax: number;
      afterId: string;
    };
    result: null;
  };
  listRequests: {
    args: { outcomes: readonly string[]; limit: number; beforeId?: string };
    result: readonly string[];
  };
  findRequests: { args: string; result: readonly string[] };
  /** Gives the fencing token. */
  hold: { args: string; result: number };
  getNote: { args: string; result: string | null };
  putNote: { args: readonly [name: string, value: string]; result: null };
  getKept: { args: string; result: string | null };
  /** A value of null removes it; `was` holds what must be kept now, or nothing. */
  putKept: {
    args: readonly [name: string, value: string | null, was: readonly (string | null)[]];
    result: boolean;
  };
  listKept: { args: VaultPage; result: readonly VaultEntry[] };
  readAudit: { args: AuditPage; result: AuditRead };
  addAudit: { args: { row: AuditRow; after: AuditPlace }; result: boolean };
  pruneAudit: { args: AuditPlace; result: number };
  searchRecords: { args: Search; result: Bite };
  replaceRecord: { args: readonly [kept: Kept, texts: readonly (string | null)[] | null]; result: boolean };
  listConversations: {
    args: { readonly limit: number; readonly after?: string };
    result: { readonly found: readonly ConversationSummary[]; readonly next: string | null };
  };
  /** Why the last write was refused; null: it was not. */
  check: { args: null; result: string | null };
  sweep: { args: { retention: Retention; cursor: SweepCursor }; result: SweepResult };
  /** One bite: how many bytes the file has without its log, and whether there is more to give back. */
  vacuum: { args: null; result: VacuumResult };
  removeEvents: { args: readonly Finished[]; result: number };
}
export type Kind = keyof Operations;
export type Request<K extends Kind = Kind> = K extends Kind
  ? readonly [kind: K, nowMs: number, args: Operations[K]["args"]]
  : never;

export type Ask = <K extends Kind>(kind: K, args: Operations[K]["args"]) => Promise<Operations[K]["result"]>;

export type OfferRow = readonly [
  id: string,
  aliases: readonly string[],
  lane: string,
  kind: OfferedKind,
  agent: string | null,
  busy: BusyMode,
  conversation: string,
  platform: string,
  tenant: string,
  sender: string,
  body: string,
  refusal: Refusal | null,
  limits: readonly LimitRow[],
  onlyIfKnown: boolean,
  isTold: boolean,
  dedupMs: number,
];
export type LimitRow = readonly [scope: RateLimit["scope"], key: string, messages: number, perMs: number];
export type WithdrawnRow = readonly [found: Withdrawn, runningLane: string | null];
/** Conversations of the names. */
export type PersonRow = readonly [lasting: string | null, passing: string | null];
export type PersonResult = readonly [
  conversation: string,
  lasting: string | null,
  passing: string | null,
  /** Whether anybody at all is known by two names. */
  isAnybody: boolean,
];
export type AcceptResult =
  | "accepted"
  | "duplicate"
  | "unknown-conversation"
  | "full"
  | { readonly refusal: Refusal; readonly told: boolean };

/** Texts as kept. */
export type LaneHeadRow = readonly [body: string, progress: string | null, signals: string | null];
/** As JSON, and whether failures are counted anew from it on. */
export type ProgressRow = readonly [body: string, isFirstAnswer: boolean];
/** Null: the lease is lost. Else what was said to the event, as kept, or an empty text. */
export type ExtendResult = string | null;

export type ClaimedRow = readonly [
  token: number,
  lane: string,
  kind: EventKind,
  agent: string | null,
  busy: BusyMode,
  attempt: number,
  failures: number,
  cutOffs: number,
  crashes: number,
  replay: number,
  signals: string | null,
  acceptedMs: number,
  sinceMs: number,
  body: string,
  refusal: string | null,
  progress: string | null,
  /** Bodies of what is joined to it. */
  joined: readonly string[],
  /** Null where nobody asked, or there was no room. */
  turns: readonly string[] | null,
];

/** A turn is its time and its JSON, and whether it is a summary. */
export type SettlementRow =
  | {
      readonly kind: "done";
      readonly outcome: string;
      readonly turns: readonly (readonly [number, string, isSummary: boolean])[];
      /** Null: its conversation. */
      readonly memory: string | null;
    }
  | { readonly kind: "dropped" | "dead"; readonly cause: string }
  | { readonly kind: "defer" | "retry"; readonly afterMs: number; readonly cause: string }
  | { readonly kind: "park"; readonly afterMs: number; readonly progress: ProgressRow };

export type ReservationRow =
  | Extract<Reservation, { kind: "fresh" | "in-doubt" }>
  | { readonly kind: "sent" | "shown"; readonly receipt: string }
  | { readonly kind: "lost" };

export interface JournalRow {
  readonly seq: number;
  readonly id: string;
  readonly state: EventState;
  readonly body: string;
  readonly attempt: number;
  readonly cause: string | null;
  readonly mergedInto: string | null;
  readonly progress: string | null;
  readonly acceptedMs: number;
  readonly updatedMs: number;
  /** As JSON; null for none. */
  readonly replays: string | null;
}

/** Where a sweep goes on: one kind of row after the other, each in the order of its key. */
export interface SweepCursor {
  readonly stage: number;
  readonly afterSeq: number;
}
export interface SweepResult {
  readonly gone: number;
  /** Null: the sweep is over. */
  readonly next: SweepCursor | null;
}

export interface VacuumResult {
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly ms: number;
  readonly isOver: boolean;
}

/** Whether a claim would find something, and when that may change by itself. */
export interface Status {
  readonly claimable: boolean;
  readonly wakeAtMs: number | null;
}

export interface Reply {
  /** One for each request, in order. A failed one has a meaningless value here and an entry in `failures`. */
  readonly results: readonly unknown[];
  readonly failures: readonly Failure[];
  readonly status: Status;
}
export interface Failure {
  readonly index: number;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface EngineOptions {
  readonly file: string;
  readonly durability: "power" | "process";
  readonly limits: StoreLimits;
}
export interface StoreLimits {
  /** Events waiting in one lane, the running one not counted. */
  readonly waitingPerLaneMax: number;
  /** Events waiting in all lanes. */
  readonly waitingMax: number;
}

/** To the operator; a warning unless it says otherwise. */
export type Log = (line: string, level?: LogLevel) => void;
export type LogLevel = "info" | "warn" | "error";
