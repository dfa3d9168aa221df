import { type Answer, apply, type Call, type Claim, type Rules } from "./store-model.ts";
import type { Said, Step, World } from "./world.ts";

/** Where a worker is in its program: what it does next, and with which claim. */
export type Worker = { readonly next: "claim" } | Busy;

interface Busy {
  readonly next: Exclude<Next, "claim">;
  readonly job: Claim;
}

export const NEXT = [
  "claim",
  "park",
  "join",
  "run",
  "send preview",
  "record preview",
  "record no preview",
  "checkpoint",
  "reserve",
  "send",
  "send again",
  "edit",
  "record gone",
  "record",
  "record not-sent",
  "settle done",
  "settle retry",
] as const;
type Next = (typeof NEXT)[number];

export const UNSAID: Said = { plain: 0, repeats: 0, preview: "none" };

export const IDLE: Worker = { next: "claim" };

/** What workers do right. Each can be taken away, to see that it is noticed. */
export interface Program {
  readonly stopsWhenLost: boolean;
  readonly reservesFirst: boolean;
  readonly repeatsWhatIsInDoubt: boolean;
  /** Whether it may show the answer while that grows. */
  readonly previews: boolean;
  readonly editsWhatIsShown: boolean;
  /** Whether somebody must decide before it goes on. */
  readonly asks: boolean;
  /** Whether it answers what waits right behind with it. */
  readonly merges: boolean;
  /** Of what is joined it tells the model. */
  readonly tellsOfJoined: boolean;
}

export const PROGRAM: Program = {
  stopsWhenLost: true,
  reservesFirst: true,
  repeatsWhatIsInDoubt: true,
  previews: false,
  editsWhatIsShown: true,
  asks: false,
  merges: false,
  tellsOfJoined: true,
};

/** One worker in one world. */
interface Moment {
  readonly world: World;
  readonly index: number;
  readonly rules: Rules;
  readonly program: Program;
}

/**
 * claim → run → checkpoint → reserve → send → record → settle, as `worker.ts` and `reply/deliver.ts` do it; or with `begin`,
 * which is checkpoint and reserve in one. A run may take what waits right behind along (`dispatch/merging.ts`). Who finds the
 * answer recorded passes over the checkpoint; who finds it said, over all but the end. A run may show a preview
 * (`reply/preview.ts`): reserve → send → record, before the checkpoint; who finds one edits it instead of sending.
 */
export function workerSteps(moment: Moment, lanes: readonly string[]): readonly Step[] {
  const worker = moment.world.workers[moment.index] ?? IDLE;
  if (worker.next === "claim") return lanes.flatMap((lane) => claimSteps(moment, lane));
  return [...ownSteps(moment, worker), ...faults(moment, worker)];
}

function claimSteps(moment: Moment, lane: string): readonly Step[] {
  const step = ask(moment, "claims", { kind: "claim", lane }, (answer) => {
    if (typeof answer === "string") return IDLE;
    if (moment.program.asks && !answer.hasProgress && !answer.isTold && !answer.isDue)
      return { next: "park", job: answer };
    if (answer.hasProgress) return { next: whenSaved(moment), job: answer };
    return { next: moment.program.merges ? "join" : whenGathered(moment), job: answer };
  });
  return step.answer === "nothing" ? [] : [step];
}

function ownSteps(moment: Moment, { next, job }: Busy): readonly Step[] {
  switch (next) {
    case "park":
      return [ask(moment, "parks it", { kind: "settle", job, as: "park" }, () => IDLE)];
    case "join":
      return [
        ask(moment, "joins what is behind it", { kind: "join", job }, (answer) => ({
          next: whenGathered(moment),
          job: { ...job, hasJoined: answer === "joined" && moment.program.tellsOfJoined },
        })),
      ];
    case "run":
    case "send preview":
    case "record preview":
    case "record no preview":
      return previewSteps(moment, { next, job });
    case "checkpoint":
      return [save(moment, job), begin(moment, job)];
    case "reserve":
      return [ask(moment, "reserves the reply", { kind: "reserve", job }, whenReserved(moment, job))];
    case "send":
      return [
        say(moment, "says it", "plain", { next: "record", job }),
        unheard(say(moment, "says it and hears no answer", "plain", { next: "settle retry", job })),
        refused(moment, { next: "record not-sent", job }),
      ];
    case "send again":
      return [
        say(moment, "repeats it", "repeats", { next: "record", job }),
        unheard(say(moment, "repeats it and hears no answer", "repeats", { next: "settle retry", job })),
        refused(moment, { next: "settle retry", job }),
      ];
    case "edit":
    case "record gone":
      return editSteps(moment, { next, job });
    case "record":
      return [
        ask(moment, "records that it was said", { kind: "record", job, result: "receipt" }, () => ({
          next: "settle done",
          job,
        })),
      ];
    case "record not-sent":
      return [
        ask(moment, "records that it was not said", { kind: "record", job, result: "not-sent" }, () => ({
          next: "settle retry",
          job,
        })),
      ];
    case "settle done":
      return [ask(moment, "settles", { kind: "settle", job, as: "done" }, () => IDLE)];
    case "settle retry":
      return [ask(moment, "puts it back", { kind: "settle", job, as: "retry" }, () => IDLE)];
  }
}

function save(moment: Moment, job: Claim): Step {
  const then = heldOr(moment, { next: whenSaved(moment), job });
  return ask(moment, "saves the answer", { kind: "checkpoint", job }, then);
}

function begin(moment: Moment, job: Claim): Step {
  return ask(moment, "saves the answer and reserves it", { kind: "begin", job }, whenReserved(moment, job));
}

function whenReserved({ program }: Moment, job: Claim): (answer: Answer) => Worker {
  return (answer) => {
    if (answer === "sent") return { next: "settle done", job };
    if (answer === "shown") return { next: program.editsWhatIsShown ? "edit" : "settle done", job };
    if (answer === "in-doubt")
      return { next: program.repeatsWhatIsInDoubt ? "send again" : "settle done", job };
    return answer === "fresh" || !program.stopsWhenLost ? { next: "send", job } : IDLE;
  };
}

function whenGathered({ program }: Moment): "run" | "checkpoint" {
  return program.previews ? "run" : "checkpoint";
}

/** The answer grows, and may be whole before any of it is shown. What becomes of a preview stops no run. */
function previewSteps(moment: Moment, { next, job }: Busy): readonly Step[] {
  const goesOn = { next: "checkpoint", job } as const;
  switch (next) {
    case "send preview":
      return [
        show(moment, "shows a preview", { next: "record preview", job }),
        unheard(show(moment, "shows a preview and hears no answer", goesOn)),
        refused(moment, { next: "record no preview", job }),
      ];
    case "record preview":
      return [
        ask(moment, "records that it was shown", { kind: "record", job, result: "shown" }, () => goesOn),
      ];
    case "record no preview":
      return [
        ask(
          moment,
          "records that it was not shown",
          { kind: "record", job, result: "not-sent" },
          () => goesOn,
        ),
      ];
    default:
      return [
        save(moment, job),
        begin(moment, job),
        ask(moment, "reserves a preview", { kind: "reserve", job }, (answer) => {
          if (answer === "lost" && moment.program.stopsWhenLost) return IDLE;
          return answer === "fresh" ? { next: "send preview", job } : goesOn;
        }),
      ];
  }
}

/** The same text again changes nothing, so it is repeated without a doubt. Of a message that was deleted one is told. */
function editSteps(moment: Moment, { next, job }: Busy): readonly Step[] {
  if (next === "record gone")
    return [
      ask(moment, "records that it is gone", { kind: "record", job, result: "not-sent" }, () => ({
        next: "reserve",
        job,
      })),
    ];
  const isGone = moment.world.said[job.id]?.preview === "gone";
  if (isGone) return [goOn(moment, "finds it gone", job.id, { next: "record gone", job })];
  return [
    edit(moment, "edits it", { next: "record", job }),
    unheard(edit(moment, "edits it and hears no answer", { next: "settle retry", job })),
    refused(moment, { next: "settle retry", job }),
  ];
}

function faults(moment: Moment, busy: Busy): readonly Step[] {
  const { job } = busy;
  return [
    { ...goOn(moment, "dies", job.id, IDLE), isFault: true },
    // No fault, but nothing may depend on it.
    { ...ask(moment, "renews its lease", { kind: "extend", job }, heldOr(moment, busy)), isFault: true },
  ];
}

function whenSaved({ program }: Moment): "reserve" | "send" {
  return program.reservesFirst ? "reserve" : "send";
}

function heldOr({ program }: Moment, next: Worker): (answer: Answer) => Worker {
  return (answer) => (answer === "lost" && program.stopsWhenLost ? IDLE : next);
}

function ask(
  { world, index, rules }: Moment,
  what: string,
  call: Extract<Call, { job: Claim } | { lane: string }>,
  then: (answer: Answer) => Worker,
): Step {
  const { store, answer } = apply(world.store, call, rules);
  const after = { ...world, store, workers: world.workers.with(index, then(answer)) };
  const about = "job" in call ? call.job.id : call.lane;
  return { who: index, what, about, isFault: false, after, call, answer };
}

/** Without a word to the store. */
function goOn({ world, index }: Moment, what: string, about: string, next: Worker): Step {
  const after = { ...world, workers: world.workers.with(index, next) };
  return { who: index, what, about, isFault: false, after, call: null, answer: null };
}

function say(moment: Moment, what: string, how: "plain" | "repeats", next: Busy): Step {
  // One repeat is as good as many.
  return seen(moment, what, next, (before) =>
    how === "plain" ? { ...before, plain: before.plain + 1 } : { ...before, repeats: 1 },
  );
}

function show(moment: Moment, what: string, next: Busy): Step {
  return seen(moment, what, next, (before) => ({ ...before, preview: "out" }));
}

/** One that was edited already stays as it is. */
function edit(moment: Moment, what: string, next: Busy): Step {
  return seen(moment, what, next, (before) =>
    before.preview === "out" ? { ...before, preview: "none", plain: before.plain + 1 } : before,
  );
}

function seen(moment: Moment, what: string, next: Busy, change: (before: Said) => Said): Step {
  const { id } = next.job;
  const step = goOn(moment, what, id, next);
  const before = step.after.said[id] ?? UNSAID;
  return { ...step, after: { ...step.after, said: { ...step.after.said, [id]: change(before) } } };
}

function unheard(step: Step): Step {
  return { ...step, isFault: true };
}

function refused(moment: Moment, next: Busy): Step {
  return { ...goOn(moment, "is not allowed to say it", next.job.id, next), isFault: true };
}
