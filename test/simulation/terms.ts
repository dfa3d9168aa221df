import type { Held } from "../../src/ports/holds.ts";
import type { Life } from "./life.ts";

/** What one process takes itself to hold, and until when: counted from when it asked. */
interface Belief {
  readonly life: Life;
  readonly held: Held;
  readonly untilMs: number;
}

/** Who takes itself to be elected. Two that do at one time, and live, are what must never be. */
export class Terms {
  readonly #violate: (what: string) => void;
  readonly #beliefs = new Map<string, Belief[]>();
  readonly #tokens = new Set<string>();
  /** Tokens that were let go of: an answer to a renewal before that may come after it, and is believed by nobody. */
  readonly #over = new Set<string>();

  constructor(violate: (what: string) => void) {
    this.#violate = violate;
  }

  elected(held: Held, life: Life, untilMs: number): void {
    const id = `${held.name} ${held.token}`;
    if (this.#tokens.has(id)) this.#violate(`the token ${id} was given twice`);
    this.#tokens.add(id);
    this.#keep({ held, life, untilMs });
  }

  renewed(held: Held, life: Life, untilMs: number): void {
    if (!this.#over.has(`${held.name} ${held.token}`)) this.#keep({ held, life, untilMs });
  }

  /** Asked to let go, or told that it has lost. */
  ended(held: Held, life: Life): void {
    this.#over.add(`${held.name} ${held.token}`);
    this.#beliefs.set(held.name, this.#others(held, life));
  }

  #keep(belief: Belief): void {
    const { held, life } = belief;
    const others = this.#others(held, life);
    const nowMs = life.clock.nowMs();
    for (const other of others) {
      if (other.life.isAlive && other.untilMs > nowMs && belief.untilMs > nowMs)
        this.#violate(`${held.name} is held by ${life.number} and by ${other.life.number}`);
    }
    this.#beliefs.set(held.name, [...others.filter((one) => one.life.isAlive), belief]);
  }

  #others({ name }: Held, life: Life): Belief[] {
    return (this.#beliefs.get(name) ?? []).filter((one) => one.life !== life);
  }
}
