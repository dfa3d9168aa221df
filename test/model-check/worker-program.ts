import { type Answer, apply, type Call, type Claim, type Rules } from "./store-model.ts";
import type { Step, World } from "./world.ts";

/** Where a worker is in its program: what it does next, and with which claim. */
export type Worker = { readonly next: "claim" } | Busy;

interface Busy {
  readonly next: Exclude<Next, "claim">;
  readonly job: Claim;
}

export const NEXT = [
  "claim",
  "checkpoint",
  "reserve",
  "send",
  "send again",
  "record",
  "record not-sent",
  "settle done",
  "settle retry",
] as const;
type Next = (typeof NEXT)[number];

export const IDLE: Worker = { next: "claim" };

/** What workers do right. Each can be taken away, to see that it is noticed. */
export interface Program {
  readonly stopsWhenLost: boolean;
  readonly reservesFirst: boolean;
  readonly repeatsWhatIsInDoubt: boolean;
}

export const PROGRAM: Program = { stopsWhenLost: true, reservesFirst: true, repeatsWhatIsInDoubt: true };

/** One worker in one world. */
interface Moment {
  readonly world: World;
  readonly index: number;
  readonly rules: Rules;
  readonly program: Program;
}

/**
 * claim → checkpoint → reserve → send → record → settle, as `worker.ts` and `reply/deliver.ts` do it. Who finds the
 * answer recorded passes over the checkpoint; who finds it said, over all but the end.
 */
export function workerSteps(moment: Moment, lanes: readonly string[]): readonly Step[] {
  const worker = moment.world.workers[moment.index] ?? IDLE;
  if (worker.next === "claim") return lanes.flatMap((lane) => claimSteps(moment, lane));
  return [...ownSteps(moment, worker), ...faults(moment, worker)];
}

function claimSteps(moment: Moment, lane: string): readonly Step[] {
  const step = ask(moment, "claims", { kind: "claim", lane }, (answer) => {
    if (typeof answer === "string") return IDLE;
    return { next: answer.hasProgress ? whenSaved(moment) : "checkpoint", job: answer };
  });
  return step.answer === "nothing" ? [] : [step];
}

function ownSteps(moment: Moment, { next, job }: Busy): readonly Step[] {
  const { stopsWhenLost, repeatsWhatIsInDoubt } = moment.program;
  switch (next) {
    case "checkpoint": {
      const then = heldOr(moment, { next: whenSaved(moment), job });
      return [ask(moment, "saves the answer", { kind: "checkpoint", job }, then)];
    }
    case "reserve":
      return [
        ask(moment, "reserves the reply", { kind: "reserve", job }, (answer) => {
          if (answer === "sent") return { next: "settle done", job };
          if (answer === "in-doubt")
            return { next: repeatsWhatIsInDoubt ? "send again" : "settle done", job };
          return answer === "fresh" || !stopsWhenLost ? { next: "send", job } : IDLE;
        }),
      ];
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
  const { id } = next.job;
  const step = goOn(moment, what, id, next);
  const before = step.after.said[id] ?? { plain: 0, repeats: 0 };
  // One repeat is as good as many.
  const said = how === "plain" ? { ...before, plain: before.plain + 1 } : { ...before, repeats: 1 };
  return { ...step, after: { ...step.after, said: { ...step.after.said, [id]: said } } };
}

function unheard(step: Step): Step {
  return { ...step, isFault: true };
}

function refused(moment: Moment, next: Busy): Step {
  return { ...goOn(moment, "is not allowed to say it", next.job.id, next), isFault: true };
}
