import { LRUCache } from "lru-cache";

/** Those who wait for something at the same time; whoever is forgotten begins anew. */
const KEYS_MAX = 10_000;

/**
 * Moments for those who share a limit of a platform: evenly spaced, each given to one, in the order in which they ask.
 * After a rest as many as `burst` may come at once.
 */
export class Slots {
  readonly #everyMs: number;
  readonly #leadMs: number;
  /** When the next would be if none had ever come early. */
  #dueMs = Number.NEGATIVE_INFINITY;
  #restUntilMs = Number.NEGATIVE_INFINITY;

  constructor(everyMs: number, burst = 1) {
    this.#everyMs = everyMs;
    this.#leadMs = (burst - 1) * everyMs;
  }

  /** In how long the next one is, from now on; it is taken. */
  take(nowMs: number): number {
    const dueMs = Math.max(this.#dueMs, nowMs);
    const atMs = Math.max(dueMs - this.#leadMs, this.#restUntilMs, nowMs);
    this.#dueMs = Math.max(dueMs, atMs - this.#leadMs) + this.#everyMs;
    return atMs - nowMs;
  }

  /** The platform has asked for a pause: there is none before. */
  rest(untilMs: number): void {
    this.#restUntilMs = Math.max(this.#restUntilMs, untilMs);
    this.#dueMs = Math.max(this.#dueMs, untilMs);
  }

  /** How long that pause still is. */
  restMs(nowMs: number): number {
    return Math.max(0, this.#restUntilMs - nowMs);
  }
}

/** The same for each chat, message or channel by itself. */
export class KeyedSlots {
  readonly #slots = new LRUCache<string, Slots>({ max: KEYS_MAX });

  take(key: string, everyMs: number, nowMs: number): number {
    const slots = this.#slots.get(key) ?? new Slots(everyMs);
    this.#slots.set(key, slots);
    return slots.take(nowMs);
  }

  /** Of those who have taken any; for others there is nothing to wait for. */
  rest(key: string, untilMs: number): void {
    this.#slots.get(key)?.rest(untilMs);
  }

  restMs(key: string, nowMs: number): number {
    return this.#slots.get(key)?.restMs(nowMs) ?? 0;
  }
}
