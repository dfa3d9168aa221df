import { ProcessClock, type VirtualTime } from "./time.ts";

export interface LifeOptions {
  readonly number: number;
  readonly time: VirtualTime;
  /** Whether the process dies at this step; the first is 0. */
  readonly diesAt: (step: number) => boolean;
  readonly onStep: (what: string) => void;
  readonly onDeath: () => void;
}

/**
 * One process from its start to its end. Every contact with the world outside (store, platform, model, tool, request)
 * is a step before and a step after; a death at a step is a death anywhere between it and its neighbour, because
 * nothing in between leaves a trace outside the process. Whoever waits for a dead process waits for ever.
 */
export class Life {
  readonly number: number;
  readonly clock: ProcessClock;
  readonly #options: LifeOptions;
  readonly #dying: (() => void)[] = [];
  #steps = 0;
  #isAlive = true;

  constructor(options: LifeOptions) {
    this.#options = options;
    this.number = options.number;
    this.clock = new ProcessClock(options.time);
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  step(what: string): void {
    if (!this.#isAlive) return;
    this.#options.onStep(what);
    if (this.#options.diesAt(this.#steps++)) this.kill();
  }

  /** A step in the middle of asynchronous work. `act` happens at once, and only if this was not the last step. */
  async pass(what: string, act: () => void = () => {}): Promise<void> {
    this.step(what);
    if (!this.#isAlive) await never();
    act();
  }

  async call<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.step(`${what}?`);
    if (!this.#isAlive) await never();
    try {
      return await work();
    } finally {
      this.step(`${what}!`);
      if (!this.#isAlive) await never();
    }
  }

  /** What the death of this process does to what it holds. Not for an orderly end. */
  whenDying(die: () => void): void {
    this.#dying.push(die);
  }

  kill(): void {
    if (!this.#isAlive) return;
    this.end();
    for (const die of this.#dying) die();
    this.#options.onDeath();
  }

  /** Nothing of this process acts any more. */
  end(): void {
    this.#isAlive = false;
    this.clock.end();
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}
