import { ProcessClock, type VirtualTime } from "./time.ts";

/** What a step does to its process: nothing, the end (SIGKILL), or a while in which it does nothing (SIGSTOP). */
export type Fate = "goes on" | "dies" | { readonly frozenMs: number };

export interface LifeOptions {
  readonly number: number;
  readonly time: VirtualTime;
  /** The first step is 0. */
  readonly fateAt: (step: number) => Fate;
  readonly onStep: (what: string) => void;
  readonly onFreeze: (forMs: number) => void;
  readonly onDeath: () => void;
}

/**
 * One process from its start to its end. Every contact with the world outside (store, platform, model, tool, request)
 * is a step before and a step after; a death at a step is a death anywhere between it and its neighbour, because
 * nothing in between leaves a trace outside the process. Whoever waits for a dead process waits for ever.
 *
 * A frozen process finishes the turn of its event loop, and then nothing reaches it until it goes on. So a freeze comes
 * between turns, where a process spends its time: nobody can guard the instant between a look and the act.
 */
export class Life {
  readonly number: number;
  readonly clock: ProcessClock;
  /** When it went on after it was frozen last. */
  thawedAtMs = Number.NEGATIVE_INFINITY;
  readonly #options: LifeOptions;
  readonly #dying: (() => void)[] = [];
  #held: (() => void)[] = [];
  #steps = 0;
  #isAlive = true;
  #isFrozen = false;

  constructor(options: LifeOptions) {
    this.#options = options;
    this.number = options.number;
    this.clock = new ProcessClock(options.time, (act) => this.reach(act));
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  step(what: string): void {
    if (!this.#isAlive) return;
    this.#options.onStep(what);
    const fate = this.#options.fateAt(this.#steps++);
    if (fate === "dies") this.kill();
    else if (fate !== "goes on") this.#freeze(fate.frozenMs);
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

  /** Something comes to the process from outside: at once, or as soon as it goes on. */
  reach(act: () => void): void {
    if (!this.#isAlive) return;
    if (this.#isFrozen) this.#held.push(act);
    else act();
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

  #freeze(forMs: number): void {
    if (this.#isFrozen) return;
    this.#isFrozen = true;
    this.#options.onFreeze(forMs);
    this.#options.time.after(forMs, () => this.#thaw());
  }

  /** What came meanwhile is there all at once, in the order in which it came. */
  #thaw(): void {
    const { time } = this.#options;
    this.#isFrozen = false;
    this.thawedAtMs = time.nowMs();
    const held = this.#held;
    this.#held = [];
    for (const act of held) time.after(0, () => this.reach(act));
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}
