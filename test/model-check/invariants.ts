import { type Claim, type Entry, find, holds } from "./store-model.ts";
import { UNSAID } from "./worker-program.ts";
import { EVENTS, type Event, LANES, type Step, type World } from "./world.ts";

/** What is wrong with a world, whichever way led to it; null when nothing is. */
export function faultOf(world: World): string | null {
  for (const lane of LANES) {
    const fault = twoAtOnce(world, lane);
    if (fault !== null) return fault;
  }
  for (const event of EVENTS) {
    const fault =
      outOfOrder(world, event) ??
      lostOrRepeated(world, event.id) ??
      badlyMerged(world, event.id) ??
      deaf(world, event.id);
    if (fault !== null) return fault;
  }
  return null;
}

function twoAtOnce({ store, workers }: World, lane: string): string | null {
  const running = store.filter((entry) => entry.lane === lane && entry.state === "running");
  if (running.length > 1) return `two events of lane ${lane} run at once`;
  const holders = workers.filter(
    (worker) => worker.next !== "claim" && running.some((entry) => isJobOf(worker.job, entry)),
  );
  return holders.length > 1 ? `two workers hold ${running[0]?.id}` : null;
}

function isJobOf(job: Claim, entry: Entry): boolean {
  return job.id === entry.id && holds(entry, job);
}

function outOfOrder({ store }: World, { id, after }: Event): string | null {
  const hasBegun = find(store, id)?.state === "running" || find(store, id)?.state === "done";
  const isFirst = after === null || find(store, after)?.state === "done";
  return hasBegun && !isFirst ? `${id} has begun before ${after} was over` : null;
}

function lostOrRepeated({ store, acknowledged, said }: World, id: string): string | null {
  const entries = store.filter((entry) => entry.id === id);
  const { plain, repeats, preview } = said[id] ?? UNSAID;
  if (entries.length > 1) return `${id} was accepted twice`;
  if (entries.length === 0 && acknowledged.includes(id)) return `${id} was acknowledged and is lost`;
  const [entry] = entries;
  if (entry?.state === "done" && entry.into === null && plain + repeats === 0)
    return `${id} was settled and never said`;
  if (plain > 0 && preview === "out") return `${id} was said beside its preview`;
  return plain > 1 ? `${id} was said twice, neither time as a possible repeat` : null;
}

/** What is joined to another is answered with that, and by nothing else. */
function badlyMerged({ store, said }: World, id: string): string | null {
  const entry = find(store, id);
  if (entry === undefined) return null;
  const { plain, repeats } = said[id] ?? UNSAID;
  if (entry.isCovered && plain + repeats > 0) return `${id} was answered with another, and once more`;
  if (entry.state !== "done" || entry.into === null) return null;
  return entry.isCovered ? null : `${id} is over with an answer that does not know of it`;
}

/** Whoever is parked has heard all that was said to it: else a decision would wait for the alarm. */
function deaf({ store }: World, id: string): string | null {
  const entry = find(store, id);
  const isDeaf = entry?.state === "parked" && entry.signal === "unheard";
  return isDeaf ? `${id} is parked with a word that nobody has heard` : null;
}

/** What is wrong with one step from one world to another. */
export function faultOfStep(before: World, step: Step): string | null {
  return staleCallHeard(before, step) ?? freshAfterSaid(before, step) ?? endedTwice(before, step);
}

/** Who holds an event is heard; who does not changes nothing, and is told. A receipt is true whoever brings it. */
function staleCallHeard(before: World, { call, answer, after }: Step): string | null {
  if (call === null || !("job" in call) || call.kind === "record") return null;
  const entry = find(before.store, call.job.id);
  const isHeld = entry !== undefined && holds(entry, call.job);
  if (isHeld) return answer === "lost" ? `${call.kind} was refused to the holder of ${entry.id}` : null;
  const isRefused = answer === (call.kind === "join" ? "alone" : "lost");
  if (!isRefused) return `${call.kind} with an old claim of ${call.job.id} was heard`;
  return after.store === before.store
    ? null
    : `${call.kind} with an old claim of ${call.job.id} changed the store`;
}

function freshAfterSaid(before: World, { call, answer }: Step): string | null {
  if ((call?.kind !== "reserve" && call?.kind !== "begin") || answer !== "fresh") return null;
  const { plain, repeats, preview } = before.said[call.job.id] ?? UNSAID;
  if (preview === "out") return `the reply to ${call.job.id} is called fresh with its preview out`;
  return plain + repeats > 0 ? `the reply to ${call.job.id} is called fresh after it was said` : null;
}

function endedTwice(before: World, { after }: Step): string | null {
  const over = before.store.filter(({ state }) => state === "done");
  const revived = over.find(({ id }) => find(after.store, id)?.state !== "done");
  return revived === undefined ? null : `${revived.id} was over and came back`;
}

/** Everything that was sent is settled: how each world must end that is left in peace. */
export function isSettled({ store }: World, events: readonly Event[]): boolean {
  const isDone = ({ state }: Entry) => state === "done";
  return store.length === events.length && store.every(isDone);
}
