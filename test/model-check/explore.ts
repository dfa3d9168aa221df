import { faultOf, faultOfStep, isSettled } from "./invariants.ts";
import { keptKey, workersKey } from "./key.ts";
import type { Rules } from "./store-model.ts";
import type { Program } from "./worker-program.ts";
import { EVENTS, type Event, lineOf, START, type Step, stepsFrom, type World } from "./world.ts";

export interface Exploration {
  /** Different worlds that can come about. */
  readonly worlds: number;
  readonly steps: number;
  readonly violation: Violation | null;
}

export interface Violation {
  readonly fault: string;
  /** A shortest way there. */
  readonly trace: readonly string[];
}

export interface Protocol {
  readonly rules: Rules;
  readonly program: Program;
  /** All of them when absent. */
  readonly events?: readonly Event[];
}

/** Looks at every world that can come about, nearest first, until one is wrong. */
export function explore(protocol: Protocol): Exploration {
  const { rules, program, events = EVENTS } = protocol;
  const ways = new Ways();
  let steps = 0;
  const result = (fault: string | null, at: number, last?: Step): Exploration => {
    const violation = fault === null ? null : { fault, trace: traceTo(at, ways, protocol, last) };
    return { worlds: ways.count, steps, violation };
  };

  for (let nearest: Found[] = [{ world: START, index: 0 }]; nearest.length > 0; ) {
    const next: Found[] = [];
    for (const { world, index } of nearest) {
      let goesOn = false;
      for (const [choice, step] of stepsFrom(world, rules, program, events).entries()) {
        steps++;
        const fault = faultOfStep(world, step);
        if (fault !== null) return result(fault, index, step);
        if (isSame(step.after, world)) continue;
        const to = ways.add(step.after, index, choice);
        const flaw = to.isNew ? faultOf(step.after) : null;
        if (flaw !== null) return result(flaw, index, step);
        if (to.isNew) next.push({ world: step.after, index: to.index });
        if (step.isFault) continue;
        goesOn = true;
        ways.goesInPeace(index, to.index);
      }
      if (!goesOn && !isSettled(world, events))
        return result("nothing goes on, and not all is settled", index);
    }
    nearest = next;
  }
  const turning = ways.findLoop();
  return result(turning === null ? null : "it can go on for ever without a fault", turning ?? 0);
}

/** Most that can happen is that somebody asks again, and nothing comes of it. */
function isSame(after: World, before: World): boolean {
  return (
    after.store === before.store &&
    after.acknowledged === before.acknowledged &&
    after.said === before.said &&
    after.workers.every((worker, index) => worker === before.workers[index])
  );
}

interface Found {
  readonly world: World;
  readonly index: number;
}

/** How each world was found first, and where it leads without faults. Worlds by number, as there are many. */
class Ways {
  readonly #indexes = new Map<number, Map<number, number>>();
  readonly #from: number[] = [];
  readonly #choice: number[] = [];
  readonly #peaceFrom: number[] = [];
  readonly #peaceTo: number[] = [];

  constructor() {
    this.add(START, 0, 0);
  }

  get count(): number {
    return this.#from.length;
  }

  add(world: World, from: number, choice: number): { readonly index: number; readonly isNew: boolean } {
    const kept = keptKey(world);
    const alike = this.#indexes.get(kept) ?? new Map<number, number>();
    const key = workersKey(world);
    const known = alike.get(key);
    if (known !== undefined) return { index: known, isNew: false };
    const index = this.#from.length;
    this.#indexes.set(kept, alike.set(key, index));
    this.#from.push(from);
    this.#choice.push(choice);
    return { index, isNew: true };
  }

  goesInPeace(from: number, to: number): void {
    this.#peaceFrom.push(from);
    this.#peaceTo.push(to);
  }

  /** Which of its steps each world on the way has to take. */
  choicesTo(index: number): readonly number[] {
    const choices: number[] = [];
    for (let at = index; at !== 0; at = this.#from[at] ?? 0) choices.push(this.#choice[at] ?? 0);
    return choices.reverse();
  }

  /** A world that leads back to itself without faults; null when there is none. */
  findLoop(): number | null {
    const waysIn = new Int32Array(this.count);
    const firstOut = new Int32Array(this.count + 1);
    for (const to of this.#peaceTo) waysIn[to] = (waysIn[to] ?? 0) + 1;
    // Worlds are explored in the order of their numbers, so the ways out of each lie together.
    this.#peaceFrom.forEach((from, way) => {
      firstOut[from + 1] = way + 1;
    });
    for (let at = 1; at <= this.count; at++)
      firstOut[at] = Math.max(firstOut[at] ?? 0, firstOut[at - 1] ?? 0);
    const free: number[] = [];
    for (let at = 0; at < this.count; at++) if (waysIn[at] === 0) free.push(at);
    for (const at of free) {
      for (let way = firstOut[at] ?? 0; way < (firstOut[at + 1] ?? 0); way++) {
        const to = this.#peaceTo[way] ?? 0;
        waysIn[to] = (waysIn[to] ?? 0) - 1;
        if (waysIn[to] === 0) free.push(to);
      }
    }
    const turning = waysIn.findIndex((ways) => ways > 0);
    return turning === -1 ? null : turning;
  }
}

function traceTo(
  index: number,
  ways: Ways,
  { rules, program, events }: Protocol,
  last?: Step,
): readonly string[] {
  const trace: string[] = [];
  let world = START;
  for (const choice of ways.choicesTo(index)) {
    const step = stepsFrom(world, rules, program, events)[choice];
    if (step === undefined) throw new Error(`Expected step ${choice} after ${trace.join(", ")}, got fewer`);
    trace.push(lineOf(step));
    world = step.after;
  }
  return last === undefined ? trace : [...trace, lineOf(last)];
}
