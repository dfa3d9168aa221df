import { GatewayError } from "../domain/errors.ts";
import type { Store } from "../ports/store.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** The store, with the time and the failures of its calls counted by operation. */
export function measured(store: Store, metrics: Metrics): Store {
  function timed<A extends readonly unknown[], R>(
    operation: string,
    call: (...args: A) => Promise<R>,
  ): (...args: A) => Promise<R> {
    // Labels are bound once: looking them up for every call costs more than counting.
    const seconds = metrics.storeSeconds.labels({ operation });
    return (...args) => {
      const startedAt = performance.now();
      const ended = () => seconds.observe((performance.now() - startedAt) / 1000);
      const answer = call(...args);
      answer.then(ended, (error: unknown) => {
        ended();
        metrics.storeErrors.inc({ operation, code: error instanceof GatewayError ? error.code : "other" });
      });
      return answer;
    };
  }

  const {
    inbox,
    queue,
    outbox,
    memory,
    people,
    purse,
    journal,
    lanes,
    archive,
    requests,
    holds,
    notes,
    vault,
    audit,
    records,
    upkeep,
  } = store;
  return {
    inbox: { accept: timed("accept", (offer) => inbox.accept(offer)) },
    queue: {
      claim: timed("claim", (options) => queue.claim(options)),
      extend: timed("extend", (job, leaseMs) => queue.extend(job, leaseMs)),
      checkpoint: timed("checkpoint", (job, progress) => queue.checkpoint(job, progress)),
      join: timed("join", (job) => queue.join(job)),
      settle: timed("settle", (job, settlement) => queue.settle(job, settlement)),
      ready: (signal) => queue.ready(signal), // Its time is that of waiting for work.
    },
    outbox: {
      begin: timed("begin", (job, progress, partId) => outbox.begin(job, progress, partId)),
      reserve: timed("reserve", (job, partId) => outbox.reserve(job, partId)),
      record: timed("record", (partId, fate) => outbox.record(partId, fate)),
    },
    memory: {
      recall: timed("recall", (conversation, options) => memory.recall(conversation, options)),
      forget: timed("forget", (conversation, untilId) => memory.forget(conversation, untilId)),
      withdraw: timed("withdraw", (eventId) => memory.withdraw(eventId)),
    },
    people: { settle: timed("person", (person) => people.settle(person)) },
    purse: {
      hold: timed("hold_money", (request) => purse.hold(request)),
      settle: timed("settle_money", (hold, spend) => purse.settle(hold, spend)),
      spent: timed("spent_money", (day, scopes) => purse.spent(day, scopes)),
    },
    journal: {
      find: timed("find", (id) => journal.find(id)),
      list: timed("list", (filter) => journal.list(filter)),
      stats: timed("stats", () => journal.stats()),
    },
    lanes: {
      stateOf: timed("lane", (lane) => lanes.stateOf(lane)),
      head: timed("lane_head", (lane) => lanes.head(lane)),
      signal: timed("signal", (lane, signal) => lanes.signal(lane, signal)),
    },
    archive: {
      replay: timed("replay", (id, request) => archive.replay(id, request)),
      drop: timed("drop", (id, by) => archive.drop(id, by)),
    },
    requests: {
      record: timed("note", (notes, bounds) => requests.record(notes, bounds)),
      list: timed("notes", (filter) => requests.list(filter)),
      find: timed("notes_of", (requestId) => requests.find(requestId)),
    },
    holds: {
      hold: timed("hold", (name, ttlMs) => holds.hold(name, ttlMs)),
      renew: timed("renew", (held, ttlMs) => holds.renew(held, ttlMs)),
      release: timed("release", (held) => holds.release(held)),
    },
    notes: {
      get: timed("get_note", (name) => notes.get(name)),
      put: timed("put_note", (name, value, held) => notes.put(name, value, held)),
    },
    vault: {
      get: timed("kept", (name) => vault.get(name)),
      put: timed("keep", (name, value, was) => vault.put(name, value, was)),
      remove: timed("unkeep", (name, was) => vault.remove(name, was)),
      list: timed("list_kept", (page) => vault.list(page)),
    },
    audit: {
      read: timed("audit", (page) => audit.read(page)),
      add: timed("add_audit", (row, after) => audit.add(row, after)),
      prune: timed("prune_audit", (upTo) => audit.prune(upTo)),
    },
    records: {
      search: timed("search_records", (search) => records.search(search)),
      replace: timed("replace_record", (kept, texts) => records.replace(kept, texts)),
      conversations: timed("conversations", (page) => records.conversations(page)),
      scrub: timed("scrub", () => records.scrub()),
    },
    upkeep: {
      check: timed("check_all", () => upkeep.check()),
      overdue: timed("overdue", (retention) => upkeep.overdue(retention)),
      vacuum: timed("vacuum", () => upkeep.vacuum()),
      remove: timed("remove", (finished) => upkeep.remove(finished)),
    },
    bus: store.bus,
    get durability() {
      return store.durability;
    },
    check: timed("check", () => store.check()),
    sweep: timed("sweep", (retention) => store.sweep(retention)),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
