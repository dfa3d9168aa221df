import type { Dice } from "../simulation/dice.ts";
import { Hands, type RealStore } from "./hands.ts";
import { type Answer, apply, type Claim, type Rules, type StoreState } from "./store-model.ts";
import { PROGRAM } from "./worker-program.ts";
import { LANES, lineOf, START, type Step, stepsFrom } from "./world.ts";

export interface WalkOptions {
  readonly real: RealStore;
  readonly rules: Rules;
  readonly dice: Dice;
  /** Tells the events of this walk from those of others in the same store. */
  readonly name: string;
  /** So much happens by chance, faults and all; then everything comes to its end without. */
  readonly steps: number;
}

/** Goes through the model where chance leads, asks the real store the same, and throws where it says something else. */
export async function walk({ real, rules, dice, name, steps }: WalkOptions): Promise<void> {
  const hands = new Hands(real, name);
  const trace: string[] = [];
  let world = START;
  for (let taken = 0; ; taken++) {
    const possible = stepsFrom(world, rules, { ...PROGRAM, previews: true, asks: true, merges: true }).filter(
      ({ isFault }) => taken < steps || !isFault,
    );
    if (possible.length === 0) break;
    const step = await take(dice.pick(possible), possible);
    world = step.after;
    if (!canClaim(world.store, rules)) expectSame(null, await hands.claim(dice.between(0, 1)));
  }
  await hands.expectAllDone(world.store);

  async function take(step: Step, possible: readonly Step[]): Promise<Step> {
    trace.push(lineOf(step));
    if (step.call?.kind === "claim") return await claim(step, possible);
    if (step.call === null) return step;
    expectSame(step.answer, await hands.ask(step.call, step.who ?? dice.between(0, 1), world.store));
    return step;
  }

  /** The real store may prefer the other lane; then the model goes there as well. */
  async function claim(wanted: Step, possible: readonly Step[]): Promise<Step> {
    const claimed = await hands.claim(wanted.who ?? 0);
    const step = possible.find(
      ({ who, call, answer }) => who === wanted.who && call?.kind === "claim" && isSame(answer, claimed),
    );
    if (step === undefined) expectSame(wanted.answer, claimed);
    trace.splice(-1, 1, lineOf(step ?? wanted));
    return step ?? wanted;
  }

  function expectSame(expected: Told, got: Told): void {
    if (isSame(expected, got)) return;
    throw new Error(`Expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}:\n${trace.join("\n")}`);
  }
}

type Told = Answer | Pick<Claim, "id" | "hasProgress" | "isTold" | "hasJoined"> | null;

function isSame(one: Told, other: Told): boolean {
  if (one === null || other === null || typeof one === "string" || typeof other === "string") {
    return one === other;
  }
  return (
    one.id === other.id &&
    one.hasProgress === other.hasProgress &&
    one.isTold === other.isTold &&
    one.hasJoined === other.hasJoined
  );
}

function canClaim(store: StoreState, rules: Rules): boolean {
  return LANES.some((lane) => apply(store, { kind: "claim", lane }, rules).answer !== "nothing");
}
