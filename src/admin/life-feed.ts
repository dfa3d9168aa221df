import { z } from "zod";
import type { Clock } from "../ports/clock.ts";
import type { Bus } from "../ports/store.ts";
import { LIVES_WAITING_MAX, WATCH_EVERY_MS, WATCHED_FOR_MS } from "./bounds.ts";
import { type Life, lifeSchema } from "./life.ts";

const WATCH_TOPIC = "life-watch";
const LIFE_TOPIC = "life";

/** `missed`: changes that were left out because the bus was slower than they came. */
export type Heard = (lives: readonly Life[], missed: number) => void;

/**
 * Tells what becomes of events to whoever watches, on whatever replica. Watchers announce themselves, so that a
 * gateway nobody watches publishes nothing.
 */
export class LifeFeed {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #unsubscribe: () => void;
  readonly #watchers = new Set<Heard>();
  #watchedUntilMs = 0;
  #waiting: Life[] = [];
  #missed = 0;
  #isSending = false;
  #stopWatching: (() => void) | null = null;

  constructor({ bus, clock }: { bus: Bus; clock: Clock }) {
    this.#bus = bus;
    this.#clock = clock;
    this.#unsubscribe = bus.subscribe(WATCH_TOPIC, () => this.#believe());
  }

  /** Ask before making what would be told. */
  get isWatched(): boolean {
    return this.#watchedUntilMs !== 0 && this.#watchedUntilMs > this.#clock.nowMs();
  }

  tell(life: Life): void {
    if (this.#waiting.length >= LIVES_WAITING_MAX) {
      this.#missed++;
      return;
    }
    this.#waiting.push(life);
    if (this.#isSending) return;
    this.#isSending = true;
    setImmediate(() => void this.#send());
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** Resolves once every replica has been told to tell. Gives how to leave. */
  async watch(heard: Heard): Promise<() => void> {
    this.#watchers.add(heard);
    this.#stopWatching ??= this.#startWatching();
    await this.#announce();
    return () => {
      this.#watchers.delete(heard);
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

  /** One message for all that happens while the one before is on its way. */
  async #send(): Promise<void> {
    while (this.#waiting.length > 0) {
      const message = JSON.stringify({ lives: this.#waiting, missed: this.#missed });
      this.#waiting = [];
      this.#missed = 0;
      await this.#bus.publish(LIFE_TOPIC, message);
    }
    this.#isSending = false;
  }

  #startWatching(): () => void {
    const leave = this.#bus.subscribe(LIFE_TOPIC, (message) => this.#hear(message));
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
    this.#believe();
    await this.#bus.publish(WATCH_TOPIC, "");
  }

  #believe(): void {
    this.#watchedUntilMs = this.#clock.nowMs() + WATCHED_FOR_MS;
  }

  #hear(message: string): void {
    const heard = messageOf(message);
    if (heard === null) return;
    for (const watcher of this.#watchers) watcher(heard.lives, heard.missed);
  }
}

const messageSchema = z.object({ lives: z.array(lifeSchema), missed: z.int().min(0) });

/** Null: from a version that says it in another way. */
function messageOf(message: string): z.output<typeof messageSchema> | null {
  try {
    return messageSchema.safeParse(JSON.parse(message)).data ?? null;
  } catch {
    return null;
  }
}
