import { setImmediate } from "node:timers/promises";
import { GatewayError } from "../domain/errors.ts";
import type { EventRecord, Journal } from "../ports/journal.ts";
import type { TellAudit } from "./audited.ts";
import { dropLetter, NO_TEXT, type ReplayDeps, type Replayed, replayLetter } from "./replay.ts";
import type { BulkBody } from "./requests.ts";
import type { BulkEnd, BulkLine } from "./schemas.ts";
import { letterSearch, walk } from "./search.ts";
import { kindOf } from "./views.ts";

export interface BulkDeps extends ReplayDeps {
  readonly journal: Pick<Journal, "find" | "list">;
  /** Aborted when the process goes down. */
  readonly stopping: AbortSignal;
}

export interface BulkOrder {
  readonly action: "replay" | "drop";
  readonly by: string;
  readonly body: BulkBody;
  readonly tell: TellAudit;
}

/** A letter as it was when the request came. `seq` null: there is none of this id. */
interface Wanted {
  readonly id: string;
  readonly seq: number | null;
}

/**
 * The letters that a bulk request is about, those with the lowest place first, so that each conversation is replayed
 * in its order. What is replayed and dies again gets a higher place, so it is done once.
 */
export async function snapshot(body: BulkBody, { journal, clock }: BulkDeps): Promise<readonly Wanted[]> {
  const search = letterSearch(body, clock.nowMs());
  const wanted: Wanted[] = [];
  if (body.ids === undefined) {
    for await (const record of walk(journal, search)) {
      if (search.isWanted(record)) wanted.push({ id: record.id, seq: record.seq });
      // The list begins with the newest, and the oldest are wanted.
      if (wanted.length >= 2 * body.limit) wanted.splice(0, body.limit);
    }
    wanted.reverse();
  } else {
    for (const id of new Set(body.ids)) {
      const record = await journal.find(id);
      if (record === null) wanted.push({ id, seq: null });
      else if (record.state !== "dead" || search.isWanted(record)) wanted.push({ id, seq: record.seq });
    }
    wanted.sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
  }
  return wanted.slice(0, body.limit);
}

/** A line as each letter is done, then one with the totals. Whoever stops reading stops it. */
export async function* carryOut(
  wanted: readonly Wanted[],
  order: BulkOrder,
  deps: BulkDeps,
): AsyncGenerator<BulkLine | BulkEnd, void> {
  const totals = { matched: wanted.length, done: 0, refused: 0, changed: 0, full: 0 };
  const end = (error: BulkEnd["error"]): BulkEnd => ({
    totals,
    dry_run: order.body.dry_run,
    complete: error === null,
    error,
  });
  try {
    for (const [index, letter] of wanted.entries()) {
      if (deps.stopping.aborted) return yield end(GOING_DOWN);
      const { kind, ...done } = await carryOutOne(letter, order, deps);
      totals[COUNTED_AS[done.result]]++;
      yield { id: letter.id, kind, ...done, n: index + 1, of: wanted.length };
      // Even a store that answers at once leaves a turn to hear that the caller has gone.
      await setImmediate();
    }
    yield end(null);
  } catch (error) {
    if (!(error instanceof GatewayError)) deps.log.error({ err: error }, "admin.bulk_failed");
    yield end(
      error instanceof GatewayError
        ? { code: "unavailable", message: `${error.code}: ${error.message}` }
        : { code: "internal", message: "Something broke here; it has been logged" },
    );
  } finally {
    const { action, by, body, tell } = order;
    deps.log.info({ action, by, dry_run: body.dry_run, ...totals }, "admin.bulk");
    const deed = action === "replay" ? "letters.replayed" : "letters.dropped";
    if (!body.dry_run) await tell({ action: deed, subject: "dead letters", after: totals });
  }
}

const GOING_DOWN = { code: "unavailable", message: "This gateway is going down; ask again for the rest" };

type Done = Pick<BulkLine, "kind" | "result" | "message">;

const COUNTED_AS = {
  replayed: "done",
  dropped: "done",
  would_replay: "done",
  would_drop: "done",
  refused: "refused",
  changed: "changed",
  unknown: "changed",
  full: "full",
} as const;

async function carryOutOne({ id, seq }: Wanted, order: BulkOrder, deps: BulkDeps): Promise<Done> {
  const record = seq === null ? null : await deps.journal.find(id);
  if (record === null) return { kind: null, result: "unknown", message: "There is no such event" };
  const kind = kindOf(record);
  if (record.state !== "dead" || record.seq !== seq) return { kind, ...changed(record) };
  const { action, by, body } = order;
  if (action === "drop") {
    if (body.dry_run) return { kind, result: "would_drop", message: null };
    const isDropped = await dropLetter(record, by, deps);
    return { kind, ...(isDropped ? { result: "dropped", message: null } : FASTER) };
  }
  if (body.dry_run) {
    const why = deps.refusalOf(record.event);
    return { kind, result: why === null ? "would_replay" : "refused", message: why };
  }
  return { kind, ...ofReplayed(await replayLetter(record, by, deps)) };
}

const FASTER = { result: "changed", message: "Somebody else was faster" } as const;

function ofReplayed(replayed: Replayed): Omit<Done, "kind"> {
  switch (replayed.kind) {
    case "queued":
      return { result: "replayed", message: null };
    case "refused":
      return { result: "refused", message: replayed.why };
    case "full":
      return { result: "full", message: "Too much is waiting already" };
    case "unknown":
      return { result: "unknown", message: "There is no such event" };
    case "no-text":
      return { result: "refused", message: NO_TEXT };
    case "conflict":
      return changed(replayed.record);
  }
}

function changed({ state }: EventRecord): Omit<Done, "kind"> {
  return {
    result: "changed",
    message: state === "dead" ? "It was replayed and died again" : `It is ${state} now`,
  };
}
