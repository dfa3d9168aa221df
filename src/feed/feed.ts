import { z } from "zod";
import type { Bus } from "../ports/bus.ts";
import type { Clock } from "../ports/clock.ts";
import { LIVES_PER_MESSAGE_MAX, LIVES_WAITING_MAX, WATCH_EVERY_MS, WATCHED_FOR_MS } from "./bounds.ts";

/** `missed`: what was left out because the bus was slower than it came. */
export type Listener<T> = (items: readonly T[], missed: number) => void;

export interface FeedOptions<T> {
  readonly bus: Bus;
  readonly clock: Clock;
  /** On the bus. */
  readonly topic: string;
  readonly schema: z.ZodType<T>;
}

/**
 * What happens, for whoever watches, on whatever replica. Watchers announce themselves, so that a gateway nobody
 * watches publishes nothing.
 */
export class Feed<T> {
  readonly #bus: Bus;
  readonly #topic: string;
  readonly #messageSchema: z.ZodType<Message<T>>;
  readonly #clock: Clock;
  readonly #unsubscribe: () => void;
  readonly #watchers = new Set<Listener<T>>();
  #watchedUntilMs = 0;
  #waiting: T[] = [];
  #missed = 0;
  #isSending = false;
  #stopWatching: (() => void) | null = null;

  constructor({ bus, clock, topic, schema }: FeedOptions<T>) {
    this.#bus = bus;
    this.#clock = clock;
    this.#topic = topic;
    this.#messageSchema = z.object({ lives: z.array(schema), missed: z.int().min(0) });
    this.#unsubscribe = bus.subscribe(`${topic}-watch`, () => this.#extendWatch());
  }

  /** Ask before making what would be published. */
  get isWatched(): boolean {
    return this.#watchedUntilMs !== 0 && this.#watchedUntilMs > this.#clock.nowMs();
  }

  publish(item: T): void {
    if (this.#waiting.length >= LIVES_WAITING_MAX) {
      this.#missed++;
      return;
    }
    this.#waiting.push(item);
    if (this.#isSending) return;
    this.#isSending = true;
    setImmediate(() => void this.#send());
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** Resolves once every replica has been told to publish. Gives how to leave. */
  async watch(listener: Listener<T>): Promise<() => void> {
    this.#watchers.add(listener);
    this.#stopWatching ??= this.#startWatching();
    await this.#announce();
    return () => {
      this.#watchers.delete(listener);
      if (this.#watchers.size > 0) return;
      this.#stopWatching?.();
      this.#stopWatching = null;
    };
  }

  close(): void {
    this.#watchers.clear();
    this.#stopWatching?.();
    this.#stopWatching = null;
    this.#unsubscribe();
  }

  /** One message for what happens while the one before is on its way. Between two, readers get to read. */
  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lives = this.#waiting.splice(0, LIVES_PER_MESSAGE_MAX);
      // What was left out came behind all that waits.
      const missed = this.#waiting.length === 0 ? this.#missed : 0;
      this.#missed -= missed;
      const message: Message<T> = { lives, missed };
      await this.#bus.publish(this.#topic, JSON.stringify(message));
      if (this.#waiting.length > 0) await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isSending = false;
  }

  #startWatching(): () => void {
    const leave = this.#bus.subscribe(this.#topic, (message) => this.#receive(message));
    const over = new AbortController();
    void this.#announceUntil(over.signal);
    return () => {
      leave();
      over.abort("nobody watches");
    };
  }

  async #announceUntil(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await this.#clock.sleep(WATCH_EVERY_MS, over).catch(() => {});
      if (!over.aborted) await this.#announce();
    }
  }

  async #announce(): Promise<void> {
    // Ours need not go round by the bus.
    this.#extendWatch();
    await this.#bus.publish(`${this.#topic}-watch`, "");
  }

  #extendWatch(): void {
    this.#watchedUntilMs = this.#clock.nowMs() + WATCHED_FOR_MS;
  }

  #receive(message: string): void {
    const batch = this.#read(message);
    if (batch === null) return;
    for (const listener of this.#watchers) listener(batch.lives, batch.missed);
  }

  /** Null: from a version that says it in another way. */
  #read(message: string): Message<T> | null {
    try {
      return this.#messageSchema.safeParse(JSON.parse(message)).data ?? null;
    } catch {
      return null;
    }
  }
}

/** The items are called `lives`, as the replicas of earlier versions call it. */
interface Message<T> {
  readonly lives: readonly T[];
  readonly missed: number;
}
