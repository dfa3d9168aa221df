import type { GatewayError } from "../../domain/errors.ts";
import type { Durability } from "../../ports/store.ts";
import { asStoreError, isRefusal } from "./errors.ts";
import type { RedisStoreOptions } from "./index.ts";
import { inspect, judge } from "./inspect.ts";
import { isUnavailable, unavailable } from "./link.ts";
import { RedisLink } from "./redis-link.ts";
import { createFront, type Front, type SharedStore } from "./store.ts";

/** Redis has this long to be there before the store is handed out without it. */
const START_MS = 2_000;
const AGAIN_MS = 250;
/** What a Redis was found to be changes when somebody has changed it. */
const LOOK_MS = 5_000;
const REPORT_AGAIN_MS = 60_000;

export interface LateStore {
  readonly store: SharedStore;
  /** In one line: how safe it is, or what it is waited for. */
  readonly report: () => string;
}

/**
 * For whoever can keep events meanwhile: resolves also while Redis is away. What is asked is rejected with
 * STORE_UNAVAILABLE until Redis is there and was found to be safe. Throws what does not pass by itself: a credential or
 * a certificate that is refused, and what is wrong with a Redis that is there at the start.
 */
export async function openRedisStoreLater(options: RedisStoreOptions): Promise<LateStore> {
  const opening = new Opening(options);
  const refusal = await opening.start();
  if (refusal === null) return opening;
  await opening.store[Symbol.asyncDispose]();
  throw refusal;
}

class Opening implements LateStore {
  readonly store: SharedStore;
  readonly #options: RedisStoreOptions;
  readonly #link: RedisLink;
  readonly #front: Front;
  readonly #closing = new AbortController();
  readonly #decided = Promise.withResolvers<void>();
  #verdict: { readonly durability: Durability; readonly report: string } | null = null;
  /** Why nothing may be asked yet. */
  #reason: GatewayError | null = unavailable("it has not answered yet");
  #isStarted = false;
  #awaySinceMs: number | null = null;
  #reported = "";
  #reportedAtMs = 0;

  constructor(options: RedisStoreOptions) {
    const { connection, prefix, random, log } = options;
    this.#options = options;
    this.#link = new RedisLink({ connection, key: `{${prefix}}:meta`, random, log });
    this.#front = createFront({
      ...{ ...options, link: this.#link, time: "server" },
      durability: () => this.#verdict?.durability ?? "none",
      whyNot: () => this.#reason,
      onClose: () => this.#closing.abort("closed"),
    });
    this.store = this.#front.store;
  }

  readonly report = (): string =>
    this.#verdict?.report ??
    `${this.#reason?.message ?? "Redis is away"}; what comes is spooled until it can`;

  /** Gives why it cannot be started at all. */
  async start(): Promise<GatewayError | null> {
    const { clock, openMs = START_MS } = this.#options;
    const over = new AbortController();
    void this.#run(openMs);
    await Promise.race([this.#decided.promise, clock.sleep(openMs, over.signal).catch(() => {})]);
    over.abort("over");
    if (this.#isFinal) return this.#reason;
    this.#isStarted = true;
    this.#report();
    return null;
  }

  async #run(openMs: number): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#closing;
    await this.#link.open(openMs).catch(() => {}); // It goes on trying.
    while (!signal.aborted) {
      this.#reason = await this.#attempt();
      if (this.#reason === null || this.#isFinal) this.#decided.resolve();
      this.#report();
      if (this.#reason === null) return;
      await clock.sleep(isUnavailable(this.#reason) ? AGAIN_MS : LOOK_MS, signal).catch(() => {});
    }
  }

  async #attempt(): Promise<GatewayError | null> {
    if (!this.#link.isConnected) return unavailable(this.#link.lastError);
    try {
      this.#verdict = judge(await inspect(this.#link.client), this.#options.acceptLoss);
      await this.#front.open();
      return null;
    } catch (error) {
      this.#verdict = null;
      return asStoreError(error, "open");
    }
  }

  get #isFinal(): boolean {
    const reason = this.#reason;
    return reason !== null && (this.#link.isRefused || !isUnavailable(reason) || isRefusal(reason));
  }

  /** At once when it is something else, else once a minute. */
  #report(): void {
    if (!this.#isStarted || this.#closing.signal.aborted) return;
    const { clock, log } = this.#options;
    const nowMs = clock.nowMs();
    if (this.#reason === null) {
      if (this.#awaySinceMs === null) return;
      const seconds = Math.round((nowMs - this.#awaySinceMs) / 1000);
      log(`Redis can be used after ${seconds} s. ${this.report()}`);
      return;
    }
    this.#awaySinceMs ??= nowMs;
    const { message } = this.#reason;
    if (
      message === this.#reported &&
      nowMs - this.#reportedAtMs < REPORT_AGAIN_MS &&
      nowMs >= this.#reportedAtMs
    )
      return;
    this.#reported = message;
    this.#reportedAtMs = nowMs;
    log(`${message}. Started without it; what comes is spooled until it can be used`);
  }
}
