import type { Random } from "../../src/ports/clock.ts";

const GOLDEN = 0x6d2b79f5;

/** Chance from a seed: mulberry32, 32 bits of state, good enough to choose where to hurt. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + GOLDEN) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 15), state | 1);
    const stirred = mixed ^ (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61));
    return ((stirred ^ (stirred >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a simulation asks of chance. Each concern gets dice of its own, so that one more throw here moves nothing there. */
export class Dice {
  readonly random: Random;

  constructor(seed: number) {
    this.random = randomFrom(seed);
  }

  fork(): Dice {
    return new Dice(Math.floor(this.random() * 2 ** 32));
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** A whole number, both ends included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.random() * (max - min + 1));
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.between(0, choices.length - 1)];
    if (choice === undefined) throw new Error("Expected something to choose from, got nothing");
    return choice;
  }

  /** All of them, in any order. */
  shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, at: this.random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ item }) => item);
  }

  /** One of the names, as likely as its weight. */
  weighted<Name extends string>(weights: Readonly<Partial<Record<Name, number>>>): Name {
    const entries = Object.entries(weights) as [Name, number][];
    let left = this.random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    throw new Error("Expected a weight above zero, got none");
  }
}
