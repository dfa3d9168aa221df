import type { Retention } from "../../ports/store.ts";
import type { SweepCursor, SweepResult } from "./protocol.ts";
import type { State } from "./state.ts";
import { SEEN_ACCURACY_MS } from "./statements.ts";

/** Rows looked at in one bite: about a millisecond, so that accepting goes on between two. */
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
  expiredKeys,
  (state, _retention, nowMs) => asBite(Number(state.sql.deleteTold.run(nowMs, BITE_ROWS).changes)),
  (state, { finishedMs }, nowMs, afterSeq) => settled(state, "done", nowMs - finishedMs, nowMs, afterSeq),
  (state, { finishedMs }, nowMs, afterSeq) => settled(state, "dropped", nowMs - finishedMs, nowMs, afterSeq),
  (state, { deadMs }, nowMs, afterSeq) => settled(state, "dead", nowMs - deadMs, nowMs, afterSeq),
  (state, { turnsMs }, nowMs) =>
    asBite(Number(state.sql.deleteOldTurns.run(nowMs - turnsMs, BITE_ROWS).changes)),
  idleConversations,
  shrinkFile,
];

/** One bite. The caller goes on with `next` until it is null. */
export function sweep(
  state: State,
  { stage, afterSeq }: SweepCursor,
  retention: Retention,
  nowMs: number,
): SweepResult {
  const run = STAGES[stage];
  if (run === undefined) return { gone: 0, next: null };
  const bite = run(state, retention, nowMs, afterSeq);
  if (bite.afterSeq !== null) return { gone: bite.gone, next: { stage, afterSeq: bite.afterSeq } };
  const isLast = stage + 1 === STAGES.length;
  return { gone: bite.gone, next: isLast ? null : { stage: stage + 1, afterSeq: 0 } };
}

/** For stages whose rows leave the index they are found by, so that there is no place to remember. */
function asBite(gone: number): Bite {
  return { gone, afterSeq: gone < BITE_ROWS ? null : 0 };
}

function expiredKeys(state: State, _retention: Retention, nowMs: number): Bite {
  const rows = state.sql.expiredKeys.all(nowMs, BITE_ROWS);
  let gone = 0;
  for (const { key, id } of rows) {
    // The key by which the journal finds an event stays as long as the event.
    if (key === id) state.sql.keepKey.run(key);
    else gone += Number(state.sql.deleteKey.run(key).changes);
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
  const { sql } = state;
  let gone = 0;
  let last = afterSeq;
  const rows = sql.settledAfter.all(kind, afterSeq, BITE_ROWS);
  for (const row of rows) {
    // Nothing settles before it is accepted, so from here on all are too young.
    if (row.accepted_ms > untilMs) return { gone, afterSeq: null };
    last = row.seq;
    if (row.updated_ms > untilMs) continue;
    sql.deleteEvent.run(row.seq);
    gone += 1 + Number(sql.deleteProgress.run(row.seq).changes);
    gone += Number(sql.deleteOutbox.run(row.seq).changes);
    gone += Number(sql.deleteEventKey.run(row.id, row.seq, nowMs).changes);
  }
  // A seq is never given twice, also when the newest events are gone and the process starts again.
  if (gone > 0) sql.setSeqFloor.run(state.nextSeq);
  return { gone, afterSeq: rows.length < BITE_ROWS ? null : last };
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
