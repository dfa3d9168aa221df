import { SUSPECTS_MAX } from "../../domain/bounds.ts";
import type { Database } from "./database.ts";
import type { State } from "./state.ts";

/*
 * Who may be poison. A claim marks its event as held, an end in order takes the mark away. What is still held when
 * the next process starts was in hand when the last one died; few such events are suspects, many prove nothing about
 * any of them. A lease that runs out by time is judged in the same way, unless the file took nothing meanwhile.
 */

/** Once, before anything is claimed: ends what the last process held. */
export function endClaimsOfTheDead(db: Database): void {
  const count =
    db.prepare<{ count: number }>("SELECT count(*) AS count FROM waiting WHERE held = 1").get()?.count ?? 0;
  if (count === 0) return;
  const deaths = areSuspects(count) ? 1 : 0;
  db.exec(`UPDATE waiting SET crashes = crashes + ${deaths}, held = 0 WHERE held = 1`);
}

/** Before an end in order. */
export function handBackAll(db: Database): void {
  db.exec("UPDATE waiting SET held = 0 WHERE held = 1");
}

/** Ends the leases that have run out; their events can be claimed again. */
export function expireClaims({ sql, lanes, leases }: State, steadyMs: number): void {
  const inHand = leases.size;
  for (const { seq, isExcused } of leases.expire(steadyMs)) {
    const job = lanes.jobs.get(seq);
    if (job === undefined) continue;
    if (areSuspects(inHand) && !isExcused) job.crashes += 1;
    sql.letGo.run(job.crashes, seq);
    lanes.free(job);
  }
}

function areSuspects(count: number): boolean {
  return count <= SUSPECTS_MAX;
}
