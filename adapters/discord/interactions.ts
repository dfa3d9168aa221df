import { LRUCache } from "lru-cache";
import type { Clock } from "../../src/ports/clock.ts";
import type { DiscordAddress, InteractionAddress } from "./address.ts";

const REMEMBERED_MAX = 1_000;

/** Which interactions still take replies, as far as this process has found out. */
export class Interactions {
  readonly #clock: Pick<Clock, "nowMs">;
  /** So that each further part need not find out again. */
  readonly #over = new LRUCache<string, true>({ max: REMEMBERED_MAX });
  readonly #withoutOriginal = new LRUCache<string, true>({ max: REMEMBERED_MAX });

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
  }

  isOpen(address: DiscordAddress): address is InteractionAddress {
    if (address.kind !== "interaction") return false;
    return this.#clock.nowMs() < address.expiresAtMs && !this.#over.has(address.id);
  }

  end({ id }: InteractionAddress): void {
    this.#over.set(id, true);
  }

  /** False: somebody has deleted the deferred answer. */
  hasOriginal({ id }: InteractionAddress): boolean {
    return !this.#withoutOriginal.has(id);
  }

  lostOriginal({ id }: InteractionAddress): void {
    this.#withoutOriginal.set(id, true);
  }
}
