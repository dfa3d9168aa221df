import type { BusyMode } from "../domain/busy.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { EventKind } from "../domain/kind.ts";
import type { Refusal } from "../domain/refusal.ts";

/** A smooth, burst-aware limit (GCRA): `messages` at once, then one every `perMs / messages`. */
export interface RateLimit {
  readonly scope: "user" | "conversation" | "tenant" | "global";
  readonly key: string;
  readonly messages: number;
  readonly perMs: number;
}

/** An event on its way into the queue. */
export interface Offer {
  readonly event: TriggerEvent;
  /** Runs in one lane are strictly one after the other. Usually the conversation; control commands have their own. */
  readonly lane: string;
  /** What it is to its lane. A notice is made by the store, of what is refused. */
  readonly kind: Exclude<EventKind, "notice">;
  /** Who answers it; null: nobody was found, or the gateway itself does. It may be gone by the time that it is run. */
  readonly agent: string | null;
  /**
   * What it does while a run of its lane is in hand. With `drop` it is then refused (`busy`, its notice once a run); not if a
   * spool brings it, for then it came before. The others are up to who runs what comes before it (`Queue.join`).
   */
  readonly busy: BusyMode;
  /** Decided before the store was asked: the event is recorded as dropped, not run. */
  readonly refusal: Refusal | null;
  /** Checked in order after deduplication, all or nothing: a refused event uses up no allowance. */
  readonly limits: readonly RateLimit[];
  /** A message in a thread without a mention: store it only if this conversation is known. */
  readonly onlyIfKnown: boolean;
  /** Whether the person may hear of a refusal by a limit; not bots, which would answer. */
  readonly isTold: boolean;
  /** How long the idempotency keys are remembered. */
  readonly dedupMs: number;
  /**
   * Set by a spool that brings what it acknowledged while the store was away: when that was. The event takes its
   * place in its lane by this time, before what came later and has not begun. A store of one process is never
   * behind a spool and ignores it.
   */
  readonly spooledAtMs?: number;
}

export type Acceptance =
  | { readonly kind: "accepted" }
  | { readonly kind: "duplicate" }
  | { readonly kind: "unknown-conversation" }
  /** Recorded as dropped. `told`: a notice to the person is queued with it. */
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly told: boolean }
  /** Too much is waiting, in this lane or in all. Nothing was stored; the platform may send it again. */
  | { readonly kind: "full" };

/** Where the front half puts what has come. */
export interface Inbox {
  /**
   * Resolves once durable. A duplicate resolves no sooner than its original, which takes over its attachments where it
   * has none, may grow (TriggerEvent) and has got nowhere yet. Rejects with STORE_* when it cannot be stored.
   */
  accept(offer: Offer): Promise<Acceptance>;
}
