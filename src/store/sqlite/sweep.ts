import { HOLDS_KEPT_DAYS, PEOPLE_KEPT_MS, SPENDING_KEPT_DAYS } from "../../domain/bounds.ts";
import type { Retention } from "../../ports/retention.ts";
import { DAY_MS } from "../../shared/time.ts";
import { wellFormed } from "../well-formed.ts";
import type { SweepCursor, SweepResult } from "./protocol.ts";
import type { State } from "./state.ts";
import { SEEN_ACCURACY_MS, type SettledRow } from "./statements.ts";

/** Rows looked at in one batch: about a millisecond, so that accepting goes on between two. */
const BITE_ROWS = 250;
/** Free pages left in the file for reuse: giving all back would only make it grow again. */
const SPARE_PAGES = 256;

type Stage = (state: State, retention: Retention, nowMs: number, afterSeq: number) => Bite;
interface Bite {
  readonly gone: number;
  /** Null: this stage is over. */
  readonly afterSeq: number | null;
}

const STAGES: readonly Stage[] = [
  orphanedKeys,
  (state, _retention, nowMs) => asBite(Number(state.sql.deleteTold.run(nowMs, BITE_ROWS).changes)),
  (state, { finishedMs }, nowMs, afterSeq) => settled(state, "done", nowMs - finishedMs, nowMs, afterSeq),
  (state, { finishedMs }, nowMs, afterSeq) => settled(state, "dropped", nowMs - finishedMs, nowMs, afterSeq),
  (state, { deadMs }, nowMs, afterSeq) => settled(state, "dead", nowMs - deadMs, nowMs, afterSeq),
  (state, { turnsMs }, nowMs) =>
    asBite(Number(state.sql.deleteOldTurns.run(nowMs - turnsMs, BITE_ROWS).changes)),
  idleConversations,
  (state, { turnsMs }, nowMs) =>
    asBite(Number(state.sql.deletePeople.run(nowMs - Math.max(PEOPLE_KEPT_MS, turnsMs), BITE_ROWS).changes)),
  (state, _retention, nowMs) =>
    asBite(Number(state.sql.deleteMoneyHolds.run(dayBefore(nowMs, HOLDS_KEPT_DAYS), BITE_ROWS).changes)),
  (state, _retention, nowMs) =>
    asBite(Number(state.sql.deleteSpending.run(dayBefore(nowMs, SPENDING_KEPT_DAYS), BITE_ROWS).changes)),
  shrinkFile,
];

/** One batch. The caller goes on with `next` until it is null. */
export function sweep(
  state: State,
  { stage, afterSeq }: SweepCursor,
  retention: Retention,
  nowMs: number,
): SweepResult {
  const run = STAGES[stage];
  if (run === undefined) return { gone: 0, next: null };
  const batch = run(state, retention, nowMs, afterSeq);
  if (batch.afterSeq !== null) return { gone: batch.gone, next: { stage, afterSeq: batch.afterSeq } };
  const isLast = stage + 1 === STAGES.length;
  return { gone: batch.gone, next: isLast ? null : { stage: stage + 1, afterSeq: 0 } };
}

/** One more, because a day may be that of a zone in which it began or ends half a day later. */
function dayBefore(nowMs: number, days: number): string {
  return new Date(nowMs - (days + 1) * DAY_MS).toISOString().slice(0, 10);
}

/** For stages whose rows leave the index they are found by, so that there is no place to remember. */
function asBite(gone: number): Bite {
  return { gone, afterSeq: gone < BITE_ROWS ? null : 0 };
}

function orphanedKeys({ sql }: State, _retention: Retention, nowMs: number): Bite {
  const rows = sql.expiredOrphans.all(nowMs, BITE_ROWS);
  let gone = 0;
  for (const { rowid, seq, keys } of rows) {
    for (const key of JSON.parse(keys) as string[])
      gone += Number(sql.deleteKey.run(key, seq, nowMs).changes);
    sql.deleteOrphans.run(rowid);
  }
  return { gone, afterSeq: rows.length < BITE_ROWS ? null : 0 };
}

function settled(
  state: State,
  kind: "done" | "dropped" | "dead",
  untilMs: number,
  nowMs: number,
  afterSeq: number,
): Bite {
  let gone = 0;
  let last = afterSeq;
  const rows = state.sql.settledAfter.all(kind, afterSeq, BITE_ROWS);
  for (const row of rows) {
    // Nothing settles before it is accepted, nor what was replayed before it was, so from here on all are too young.
    if (row.accepted_ms > untilMs) return { gone, afterSeq: null };
    last = row.seq;
    if (row.updated_ms > untilMs) continue;
    // What was merged into it stays as long as it, and goes with it.
    for (const merged of state.sql.mergedInto.all(row.seq)) gone += deleteEvent(state, merged, nowMs);
    gone += deleteEvent(state, row, nowMs);
  }
  // A seq is never given twice, also when the newest events are gone and the process starts again.
  if (gone > 0) state.sql.setSeqFloor.run(state.nextSeq);
  return { gone, afterSeq: rows.length < BITE_ROWS ? null : last };
}

export function deleteEvent({ sql }: State, { seq, id, aliases }: SettledRow, nowMs: number): number {
  const named = aliasesIn(aliases);
  const keys = named === null ? sql.keysOf.all(seq).map(({ key }) => key) : [id, ...named.map(wellFormed)];
  const expiresMs = sql.keyExpiry.get(id, seq)?.expires_ms ?? 0;
  let gone = Number(sql.deleteEvent.run(seq).changes);
  gone += Number(sql.deleteProgress.run(seq).changes);
  gone += Number(sql.deleteOutbox.run(seq).changes);
  if (expiresMs > nowMs) sql.addOrphan.run(expiresMs, seq, JSON.stringify(keys));
  else for (const key of keys) gone += Number(sql.deleteKey.run(key, seq, nowMs).changes);
  return gone;
}

/** Null: the text of the event is damaged, and what it held cannot be read. */
function aliasesIn(json: string | null): readonly string[] | null {
  try {
    const aliases: unknown = JSON.parse(json ?? "null");
    const areNames = Array.isArray(aliases) && aliases.every((alias) => typeof alias === "string");
    return areNames ? aliases : null;
  } catch {
    return null;
  }
}

/** A conversation is forgotten when memory would hold nothing of it; one with work to do is not. */
function idleConversations({ sql, lanes }: State, { turnsMs }: Retention, nowMs: number): Bite {
  const rows = sql.idleConversations.all(nowMs - turnsMs - SEEN_ACCURACY_MS, BITE_ROWS);
  let gone = 0;
  for (const { conversation } of rows) {
    if (lanes.isActive(conversation)) sql.touchConversation.run(nowMs, conversation);
    else gone += Number(sql.deleteConversation.run(conversation).changes);
  }
  return { gone, afterSeq: rows.length < BITE_ROWS ? null : 0 };
}

function shrinkFile({ sql }: State): Bite {
  const before = sql.freePages.get()?.freelist_count ?? 0;
  if (before <= SPARE_PAGES) return { gone: 0, afterSeq: null };
  sql.shrink.all();
  const after = sql.freePages.get()?.freelist_count ?? 0;
  return { gone: 0, afterSeq: after < before && after > SPARE_PAGES ? 0 : null };
}
