import { type Answer, apply, type Call, find, holds, type Rules, type StoreState } from "./store-model.ts";
import { IDLE, type Program, UNSAID, type Worker, workerSteps } from "./worker-program.ts";

/** Two events of one lane, whose order matters, and one of another. */
export const EVENTS = [
  { id: "a1", lane: "a", after: null },
  { id: "a2", lane: "a", after: "a1" },
  { id: "b1", lane: "b", after: null },
] as const;
export const LANES = ["a", "b"] as const;
export type Event = (typeof EVENTS)[number];

export interface World {
  readonly store: StoreState;
  readonly workers: readonly Worker[];
  /** What senders were told is taken. */
  readonly acknowledged: readonly string[];
  readonly said: Readonly<Record<string, Said>>;
}

/** What people have read of an answer. */
export interface Said {
  /** How often, as if for the first time. */
  readonly plain: number;
  /** As a possible repeat. */
  readonly repeats: number;
  /** A message that is not the answer yet, or that somebody has deleted. */
  readonly preview: "none" | "out" | "gone";
}

export const START: World = {
  store: [],
  workers: [IDLE, IDLE],
  acknowledged: [],
  said: Object.fromEntries(EVENTS.map(({ id }) => [id, UNSAID])),
};

/** One thing that can happen. */
export interface Step {
  /** Which worker; null: somebody else. */
  readonly who: number | null;
  readonly what: string;
  /** The event or the lane. */
  readonly about: string;
  /** It may happen, and nothing may depend on it: without any of these, everything comes to its end. */
  readonly isFault: boolean;
  readonly after: World;
  /** What the store was asked, and what it said; null when it was not. */
  readonly call: Call | null;
  readonly answer: Answer | null;
}

/** All that can happen next. A worker that is paused is one that does nothing while others go on. */
export function stepsFrom(
  world: World,
  rules: Rules,
  program: Program,
  events: readonly Event[] = EVENTS,
): readonly Step[] {
  return [
    ...events.flatMap((event) => deliveries(world, event, rules)),
    ...events.flatMap(({ id }) => [...lapses(world, id, rules), ...deletions(world, id, program)]),
    ...(program.asks ? decisions(world, rules) : []),
    ...world.workers.flatMap((_, index) => workerSteps({ world, index, rules, program }, LANES)),
  ];
}

/** The platform sends an event once its predecessor is taken, and again at any time. */
function deliveries(world: World, { id, lane, after }: Event, rules: Rules): Step[] {
  if (after !== null && !world.acknowledged.includes(after)) return [];
  const call = { kind: "accept", id, lane } as const;
  const { store, answer } = apply(world.store, call, rules);
  const unheard = { ...world, store };
  const step = { who: null, what: "is sent", about: id, call, answer };
  if (world.acknowledged.includes(id)) return [{ ...step, isFault: true, after: unheard }];
  const acknowledged = [...world.acknowledged, id].sort();
  return [
    { ...step, isFault: false, after: { ...unheard, acknowledged } },
    { ...step, what: "is sent, and the answer is lost", isFault: true, after: unheard },
  ];
}

function lapses(world: World, id: string, rules: Rules): Step[] {
  const entry = find(world.store, id);
  if (entry?.state !== "running" || entry.lapsed) return [];
  const isFault = world.workers.some((worker) => worker.next !== "claim" && holds(entry, worker.job));
  const call = { kind: "lapse", id } as const;
  const { store, answer } = apply(world.store, call, rules);
  return [
    { who: null, what: "loses its lease", about: id, isFault, after: { ...world, store }, call, answer },
  ];
}

/** Somebody decides, once, at any time; or nobody does until the time is over. */
function decisions(world: World, rules: Rules): Step[] {
  const steps: Step[] = [];
  const nobody = { who: null, isFault: false } as const;
  for (const lane of LANES) {
    const head = world.store.find((entry) => entry.lane === lane && entry.state !== "done");
    if (head === undefined || head.signal !== "none") continue;
    const call = { kind: "signal", lane } as const;
    const { store, answer } = apply(world.store, call, rules);
    steps.push({ ...nobody, what: "is decided", about: head.id, after: { ...world, store }, call, answer });
  }
  if (world.store.some(({ state }) => state === "parked")) {
    const call = { kind: "alarm" } as const;
    const { store, answer } = apply(world.store, call, rules);
    steps.push({
      ...nobody,
      what: "is due",
      about: "what is parked",
      after: { ...world, store },
      call,
      answer,
    });
  }
  return steps;
}

/** Somebody deletes the preview: once, so that whatever finds it gone has an end. */
function deletions(world: World, id: string, { previews }: Program): Step[] {
  const said = world.said[id] ?? UNSAID;
  if (!previews || said.preview !== "out") return [];
  const after: World = { ...world, said: { ...world.said, [id]: { ...said, preview: "gone" } } };
  const nobody = { who: null, call: null, answer: null };
  return [{ ...nobody, what: "loses its preview", about: id, isFault: true, after }];
}

/** One line of the way to a world. */
export function lineOf({ who, what, about }: Step): string {
  return who === null ? `${about} ${what}` : `worker ${who + 1} ${what} (${about})`;
}
