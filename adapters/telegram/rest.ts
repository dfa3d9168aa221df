import { LRUCache } from "lru-cache";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { ReplyAddress } from "../../src/domain/event.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { readAddress } from "./address.ts";

/** Chats that rest at the same time; what is forgotten is told again. */
const CHATS_MAX = 1_000;

/**
 * Chats in which Telegram has asked for a pause. It asks that of the chat and not of one message: what is to be said there
 * meanwhile is not tried, whoever says it.
 */
export class RestingChats {
  readonly #untilMs = new LRUCache<string, number>({ max: CHATS_MAX });
  readonly #clock: Pick<Clock, "nowMs">;

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
  }

  /** Throws DeliveryError while the chat rests, with what is left of that. */
  async calling<T>(to: ReplyAddress, call: () => Promise<T>): Promise<T> {
    const leftMs = this.#untilMs.size === 0 ? 0 : (this.#untilMs.get(chatOf(to)) ?? 0) - this.#clock.nowMs();
    if (leftMs > 0) throw tooMany(leftMs);
    try {
      return await call();
    } catch (error) {
      if (error instanceof DeliveryError && error.status === 429 && error.retryAfterMs !== null)
        this.#untilMs.set(chatOf(to), this.#clock.nowMs() + error.retryAfterMs);
      throw error;
    }
  }
}

function chatOf(to: ReplyAddress): string {
  return readAddress(to)?.chatId ?? "";
}

function tooMany(retryAfterMs: number): DeliveryError {
  return new DeliveryError("retry", "Telegram: asked for a pause in this chat", {
    status: 429,
    retryAfterMs,
  });
}
