import { type Entry, find, type StoreState } from "./store-model.ts";
import { NEXT, UNSAID, type Worker } from "./worker-program.ts";
import { EVENTS, type World } from "./world.ts";

/**
 * Two numbers for each world, the same for those that differ in nothing that can matter later. The first is about
 * what is kept and what was read.
 */
export function keptKey({ store, acknowledged, said }: World): number {
  let key = orderCode(store);
  for (const { id } of EVENTS) {
    key = key * ENTRIES + entryCode(find(store, id));
    key = key * 2 + (acknowledged.includes(id) ? 1 : 0);
    const { plain, repeats, preview } = said[id] ?? UNSAID;
    key = (key * PREVIEWS.length + PREVIEWS.indexOf(preview)) * 6 + plain * 2 + repeats;
  }
  return key;
}

/**
 * The second is about the workers, who are alike. Of a claim it only matters whether it is the live one, and for some
 * whether it was the last to reserve the reply.
 */
export function workersKey({ workers, store }: World): number {
  const [first = 0, second = 0] = workers.map((worker) => workerCode(worker, store));
  return first < second ? first * WORKERS + second : second * WORKERS + first;
}

const PREVIEWS = ["none", "out", "gone"] as const;
const PARTS = ["unsaid", "reserved", "shown", "sent"] as const;
const STATES = ["waiting", "parked", "running", "done"] as const;
const SIGNALS = ["none", "unheard", "given"] as const;
const ENTRIES = 1 + STATES.length * 2 * 2 * PARTS.length * SIGNALS.length * 2 * 4;

function entryCode(entry: Entry | undefined): number {
  if (entry === undefined) return 0;
  const { state, lapsed, hasProgress, part, signal, isDue, into, isCovered } = entry;
  const flags = (lapsed ? 2 : 0) + (hasProgress ? 1 : 0);
  const stage = (STATES.indexOf(state) * 4 + flags) * PARTS.length + PARTS.indexOf(part);
  const merged = (into === null ? 0 : 2) + (isCovered ? 1 : 0);
  return 1 + ((stage * SIGNALS.length + SIGNALS.indexOf(signal)) * 2 + (isDue ? 1 : 0)) * 4 + merged;
}

/** What may still change what it has reserved, without being the live claim. */
const MAY_CHANGE: ReadonlySet<Worker["next"]> = new Set([
  "send",
  "record not-sent",
  "send preview",
  "record preview",
  "record no preview",
  "edit",
  "record gone",
]);
const WORKERS = NEXT.length * EVENTS.length * 8;

function workerCode(worker: Worker, store: StoreState): number {
  if (worker.next === "claim") return 0;
  const { id, token } = worker.job;
  const entry = find(store, id);
  const isLive = entry?.state === "running" && entry.token === token;
  const isReserved = MAY_CHANGE.has(worker.next) && entry?.reservedBy === token;
  const event = EVENTS.findIndex((one) => one.id === id);
  const flags = (worker.job.hasJoined ? 4 : 0) + (isLive ? 2 : 0) + (isReserved ? 1 : 0);
  return (NEXT.indexOf(worker.next) * EVENTS.length + event) * 8 + flags;
}

/** Zero, unless a rule is missing: the lane is out of order, or holds one event twice. */
function orderCode(store: StoreState): number {
  const ids = store.map(({ id }) => id);
  const isReordered = ids.includes("a2") && ids.indexOf("a2") < ids.indexOf("a1");
  const hasTwins = ids.some((id, at) => ids.indexOf(id) !== at);
  return (isReordered ? 2 : 0) + (hasTwins ? 1 : 0);
}
