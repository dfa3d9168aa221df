import type { Upkeep } from "../../ports/upkeep.ts";
import type { LookAt } from "./look.ts";
import type { Ask, Operations } from "./protocol.ts";
import type { State } from "./state.ts";
import { deleteEvent } from "./sweep.ts";

/** Free pages go from the end of the file, 256 at a time; what is accepted meanwhile waits for no more than these. */
export function vacuum({ sql }: State): Operations["vacuum"]["result"] {
  const startedAt = performance.now();
  const pageBytes = sql.pageBytes.get()?.page_size ?? 0;
  const pages = () => sql.allPages.get()?.page_count ?? 0;
  const before = pages();
  const free = sql.freePages.get()?.freelist_count ?? 0;
  if (free > 0) sql.shrink.all();
  const after = pages();
  return {
    bytesBefore: before * pageBytes,
    bytesAfter: after * pageBytes,
    ms: performance.now() - startedAt,
    isOver: after === before || (sql.freePages.get()?.freelist_count ?? 0) === 0,
  };
}

export function removeEvents(
  state: State,
  finished: Operations["removeEvents"]["args"],
  nowMs: number,
): number {
  let gone = 0;
  for (const { seq, merged } of finished) {
    const row = state.sql.settled.get(seq);
    const within = state.sql.mergedInto.all(seq);
    if (
      row === undefined ||
      state.sql.isOver.get(seq) === undefined ||
      within.some((one) => !merged.includes(one.seq))
    )
      continue;
    for (const one of [...within, row]) deleteEvent(state, one, nowMs);
    gone += within.length + 1;
  }
  // A seq is never given twice, also when the newest events are gone and the process starts again.
  if (gone > 0) state.sql.setSeqFloor.run(state.nextSeq);
  return gone;
}

/** Removed in one transaction: about a millisecond. */
const REMOVED_AT_ONCE = 100;

export function createUpkeep(ask: Ask, lookAt: LookAt): Upkeep {
  return {
    check: async () => await lookAt({ kind: "check" }),
    overdue: async (retention) => await lookAt({ kind: "overdue", retention }),
    async vacuum() {
      let bytesBefore: number | null = null;
      for (let longestMs = 0; ; ) {
        const bite: Operations["vacuum"]["result"] = await ask("vacuum", null);
        bytesBefore ??= bite.bytesBefore;
        longestMs = Math.max(longestMs, bite.ms);
        if (bite.isOver) return { bytesBefore, bytesAfter: bite.bytesAfter, longestMs };
      }
    },
    async remove(finished) {
      let gone = 0;
      for (let at = 0; at < finished.length; at += REMOVED_AT_ONCE)
        gone += await ask("removeEvents", finished.slice(at, at + REMOVED_AT_ONCE));
      return gone;
    },
  };
}
