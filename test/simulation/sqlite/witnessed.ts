import type { Store } from "../../../src/ports/store.ts";
import { idsOf } from "../joins.ts";
import type { Life } from "../life.ts";
import type { Witness } from "../witness.ts";

/** A store whose witness believes what it says of itself: it answers in the tick in which it stores. */
export function witnessedStore(store: Store, life: Life, witness: Witness): Store {
  const { queue, outbox } = store;
  return {
    ...store,
    queue: {
      ...queue,
      async claim(options) {
        const jobs = await queue.claim(options);
        for (const job of jobs) witness.claimed({ ...job, joined: idsOf(job.events.slice(1)) }, life.number);
        return jobs;
      },
      async checkpoint(job, progress) {
        const held = await queue.checkpoint(job, progress);
        if (held) witness.recorded(job.event.id, progress);
        return held;
      },
      async join(job) {
        const joined = await queue.join(job);
        witness.joined(job.event.id, idsOf(joined));
        return joined;
      },
      settle(job, settlement) {
        witness.settling(job.event.id, settlement.kind, job.attempt);
        return queue.settle(job, settlement);
      },
    },
    outbox: {
      ...outbox,
      async begin(job, progress, partId) {
        witness.partReserved(partId);
        const reservation = await outbox.begin(job, progress, partId);
        if (reservation.kind !== "lost") witness.recorded(job.event.id, progress);
        return reservation;
      },
      reserve(job, partId) {
        witness.partReserved(partId);
        return outbox.reserve(job, partId);
      },
    },
  };
}
