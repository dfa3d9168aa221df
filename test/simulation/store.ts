import type { Store } from "../../src/ports/store.ts";
import type { Life } from "./life.ts";
import type { Witness } from "./witness.ts";

/** The store as one process uses it: a step before and after each call. */
export function steppedStore(store: Store, life: Life, witness: Witness): Store {
  const { inbox, queue, outbox, memory, lanes, purse, holds, notes } = store;
  const { terms } = witness;
  return {
    ...store,
    inbox: { accept: (offer) => life.call("accept", () => inbox.accept(offer)) },
    queue: {
      claim: (options) => life.call("claim", () => queue.claim(options)),
      extend: (job, leaseMs) => life.call("extend", () => queue.extend(job, leaseMs)),
      checkpoint: (job, progress) => life.call("checkpoint", () => queue.checkpoint(job, progress)),
      join: (job) => life.call("join", () => queue.join(job)),
      settle: (job, settlement) => life.call("settle", () => queue.settle(job, settlement)),
      ready: (signal) => queue.ready(signal),
    },
    outbox: {
      begin: (job, progress, partId) => life.call("begin", () => outbox.begin(job, progress, partId)),
      reserve: (job, partId) => life.call("reserve", () => outbox.reserve(job, partId)),
      record: (partId, result) => life.call("record", () => outbox.record(partId, result)),
    },
    memory: {
      recall: (conversation, options) => life.call("recall", () => memory.recall(conversation, options)),
      async forget(conversation, untilEventId = "") {
        await life.call("forget", () => {
          if (!witness.resets.has(untilEventId)) witness.resets.set(untilEventId, false);
          return memory.forget(conversation, untilEventId);
        });
        witness.resets.set(untilEventId, true);
      },
      withdraw: (eventId) => life.call("withdraw", () => memory.withdraw(eventId)),
    },
    holds: {
      async hold(name, ttlMs) {
        const askedAtMs = life.clock.nowMs();
        const held = await life.call("hold", () => holds.hold(name, ttlMs));
        if (held !== null) terms.elected(held, life, askedAtMs + ttlMs);
        return held;
      },
      async renew(held, ttlMs) {
        const askedAtMs = life.clock.nowMs();
        const isHeld = await life.call("renew", () => holds.renew(held, ttlMs));
        if (isHeld) terms.renewed(held, life, askedAtMs + ttlMs);
        else terms.ended(held, life);
        return isHeld;
      },
      async release(held) {
        terms.ended(held, life);
        await life.call("release", () => holds.release(held));
      },
    },
    notes: {
      get: (name) => life.call("get note", () => notes.get(name)),
      put: (name, value, held) => life.call("put note", () => notes.put(name, value, held)),
    },
    purse: {
      ...purse,
      hold: (request) => life.call("hold money", () => purse.hold(request)),
      settle: (hold, spend) => life.call("settle money", () => purse.settle(hold, spend)),
    },
    lanes: {
      stateOf: (lane) => life.call("state of lane", () => lanes.stateOf(lane)),
      head: (lane) => life.call("head", () => lanes.head(lane)),
      signal: (lane, signal) => life.call("signal", () => lanes.signal(lane, signal)),
    },
  };
}
