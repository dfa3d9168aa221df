import type { CompactedStep, Covers, Step, Turn } from "./run.ts";

/** What an agent is shown of its memory: a summary of the older turns, where there is one, and the turns that it is not of. */
export interface Condensed {
  readonly summary: Turn | null;
  readonly turns: readonly Turn[];
}

/** The newest summary counts, as long as all that it is of is still remembered as it was. */
export function condensed(history: readonly Turn[]): Condensed {
  const turns = history.filter(({ role }) => role !== "summary");
  const summary = history.findLast((turn) => turn.role === "summary" && isWhole(turn, turns)) ?? null;
  if (summary === null) return { summary, turns };
  // As isCovered; a memory may have thousands of turns.
  const { from = 0, places = [] } = summary.covers ?? {};
  const covered = new Set(places);
  const [first = from] = places;
  const isIn = (place: number) => covered.has(place) || (place >= from && place < first);
  return { summary, turns: turns.filter(({ stored }) => stored === undefined || !isIn(stored[0])) };
}

/** Turns may be missing at the beginning alone, where no more were asked for. */
function isWhole({ covers }: Turn, turns: readonly Turn[]): boolean {
  if (covers === undefined) return false;
  const { places, turns: number, size } = covers;
  const first = turns[0]?.stored?.[0] ?? Number.POSITIVE_INFINITY;
  const own = countedIn(turns, places);
  const isThere = (place: number) => own.places.has(place) || place <= first;
  if (!own.places.has(places.at(-1) ?? Number.NaN) || !places.every(isThere)) return false;
  return own.turns < number || own.size === size;
}

export function isCovered(place: number, { covers }: Pick<Turn, "covers">): boolean {
  if (covers === undefined) return false;
  const { from, places } = covers;
  return places.includes(place) || (place >= from && place < (places[0] ?? from));
}

/**
 * How many turns there are of these places, and how large they are. What the words of a person referred to is left out: it is
 * not recalled everywhere.
 */
export function countedIn(turns: readonly Turn[], places: readonly number[]) {
  const wanted = new Set(places);
  const found = turns.filter(
    ({ role, name, stored }) =>
      stored !== undefined && wanted.has(stored[0]) && (role === "assistant" || name !== null),
  );
  return {
    places: new Set(found.flatMap(({ stored }) => stored?.[0] ?? [])),
    turns: found.length,
    size: found.reduce((sum, { stored }) => sum + (stored?.[1] ?? 0), 0),
  };
}

/** Whether what it is of is still in the memory as it was: `turns` are all of that. */
export function isUnchanged({ places, turns: number, size }: Covers, turns: readonly Turn[]): boolean {
  const now = countedIn(turns, places);
  return now.turns === number && now.size === size;
}

/** The last one that a run has made. */
export function compactedIn(steps: readonly Step[]): CompactedStep | null {
  return steps.findLast((step) => step.kind === "compacted") ?? null;
}

/** As memory keeps it. */
export function summaryTurn({ text, atMs, covers }: CompactedStep): Turn {
  return { role: "summary", name: null, text, atMs, covers };
}
