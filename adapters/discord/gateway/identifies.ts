import type { Clock } from "../../../src/ports/clock.ts";
import { get, getObject, getString } from "../../../src/shared/json.ts";
import type { DiscordRest } from "../api.ts";

/** Discord takes so many at once (`max_concurrency`) in five seconds, of each bot. */
const BUCKET_MS = 5_000;
/** What Discord has said about its limits holds so long. */
const FRESH_MS = 60_000;
const SHARDS_MAX = 1_024;

export interface Door {
  readonly url: string;
  /** As many as Discord recommends. */
  readonly shards: number;
}

/** Of one bot: where its Gateway is, and when it may begin a session. Sessions are few, and a bot that begins too many loses its token. */
export class Identifies {
  readonly #rest: DiscordRest;
  readonly #clock: Pick<Clock, "nowMs" | "sleep">;
  readonly #waits: (untilMs: number) => void;
  #known: (Door & { readonly atMs: number; readonly concurrency: number }) | null = null;
  #remaining = 0;
  /** When the next of each bucket may come. */
  readonly #buckets = new Map<number, number>();

  /** `waits` is told until when nothing may begin. */
  constructor(
    rest: DiscordRest,
    clock: Pick<Clock, "nowMs" | "sleep">,
    waits: (untilMs: number) => void = () => {},
  ) {
    this.#rest = rest;
    this.#clock = clock;
    this.#waits = waits;
  }

  /** Resolves when a session may begin. Rejects with DeliveryError, or when aborted. */
  async door(signal: AbortSignal): Promise<Door> {
    for (;;) {
      const nowMs = this.#clock.nowMs();
      if (this.#known !== null && this.#remaining > 0 && nowMs - this.#known.atMs < FRESH_MS)
        return this.#known;
      const resetMs = await this.#ask(signal);
      if (this.#remaining > 0) continue;
      this.#waits(this.#clock.nowMs() + resetMs);
      await this.#clock.sleep(resetMs, signal);
    }
  }

  /** What Discord has said does not hold any more. */
  outdated(): void {
    this.#known = null;
  }

  /** Its turn among the shards that begin. */
  async turn(shard: number, signal: AbortSignal): Promise<void> {
    const bucket = shard % (this.#known?.concurrency ?? 1);
    const nowMs = this.#clock.nowMs();
    const atMs = Math.max(nowMs, this.#buckets.get(bucket) ?? 0);
    this.#buckets.set(bucket, atMs + BUCKET_MS);
    this.#remaining--;
    if (atMs > nowMs) await this.#clock.sleep(atMs - nowMs, signal);
  }

  /** Gives how long it takes until there are new ones. */
  async #ask(signal: AbortSignal): Promise<number> {
    const answer = await this.#rest.ask(
      { method: "GET", route: "/gateway/bot", as: "bot", what: "look at the Gateway", repeatable: true },
      signal,
    );
    const limit = getObject(answer, "session_start_limit");
    const number = (holder: unknown, key: string, fallback: number) => {
      const value = get(holder, key);
      return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : fallback;
    };
    this.#remaining = number(limit, "remaining", 1);
    this.#known = {
      url: getString(answer, "url") ?? "",
      shards: Math.min(SHARDS_MAX, Math.max(1, number(answer, "shards", 1))),
      concurrency: Math.max(1, number(limit, "max_concurrency", 1)),
      atMs: this.#clock.nowMs(),
    };
    return Math.max(1_000, number(limit, "reset_after", 60_000));
  }
}
