import type { HookMessage } from "../domain/hook.ts";

/** Tells the operator's own services what happens, as far as the configuration asks for it. */
export interface Hooks {
  /**
   * Durable when it resolves: it is delivered at least once, however long that takes. Gives how to take it back, as far
   * as it is not delivered yet. Rejects with STORE_*. Where nobody has asked for it, this does nothing.
   */
  publish(message: HookMessage): Promise<() => Promise<void>>;
  /** The same for whoever cannot wait; while the store is away it is tried again for a while. Never throws. */
  emit(message: HookMessage): void;
}

/** One message on its way to one hook. */
export interface HookDelivery {
  /** Name of the hook, as the configuration has it. */
  readonly hook: string;
  /** `webhook-id`: the same however often it is sent. */
  readonly id: string;
  /** A newer version may have another than those that we know. */
  readonly type: string;
  readonly atMs: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly eventId?: string;
  /** Calls that failed. */
  readonly attempts: number;
  /** When it is sent, or sent again. */
  readonly dueMs: number;
  /** Given up; absent: it is on its way. */
  readonly died?: { readonly atMs: number; readonly cause: string };
}

/** What is on its way to hooks, and what did not get there, for all processes that share the store. Rejects with STORE_*. */
export interface Deliveries {
  /** Durable when it resolves. `instead`: in place of that; a crash midway leaves both of them, never none. */
  put(delivery: HookDelivery, instead?: HookDelivery): Promise<void>;
  /** Whether it was there. */
  remove(delivery: HookDelivery): Promise<boolean>;
  /** What is on its way to a hook, the first that is due first. */
  next(hook: string, limit: number): Promise<readonly HookDelivery[]>;
  /** What was given up, the latest first. */
  dead(hook: string, page: { readonly limit: number; readonly after?: string }): Promise<DeadPage>;
  /** All of all hooks, whether they are configured or not: of each hook together, and the first that is due first. */
  all(): AsyncIterable<HookDelivery>;
}

export interface DeadPage {
  readonly deliveries: readonly HookDelivery[];
  /** What `after` takes for those that follow; null: there are none. */
  readonly next: string | null;
}

/** How a hook is, as whoever delivers sees it. */
export interface HookState {
  readonly deliveredAtMs: number | null;
  readonly failure: { readonly atMs: number; readonly cause: string } | null;
}

export interface HookStates {
  put(hook: string, state: HookState): Promise<void>;
  get(hook: string): Promise<HookState>;
}

export interface HookReport extends HookState {
  readonly name: string;
  /** Scheme and host of its address: the rest may hold a key. */
  readonly to: string;
  readonly types: readonly string[];
  readonly includesText: boolean;
  /** HOOKS_COUNTED_MAX at most. */
  readonly waiting: number;
  readonly dead: number;
}

/** What became of a message that only tries a hook. `status` null: there was no answer that counts. */
export type HookTrial =
  | { readonly kind: "delivered"; readonly status: number }
  | { readonly kind: "failed" | "gone"; readonly status: number | null; readonly cause: string };

/** Hooks as operators see them. Null: no hook of this name is configured. Rejects with STORE_*. */
export interface HookDesk {
  list(): Promise<readonly HookReport[]>;
  dead(name: string, page: { readonly limit: number; readonly after?: string }): Promise<DeadPage | null>;
  /** Sends what was given up again, all of it or those of these ids. Gives how many. */
  replay(name: string, ids: ReadonlySet<string> | null): Promise<number | null>;
  /** Sends a message of the type `hook.test`, now and once. Rejects when aborted. */
  test(name: string, signal: AbortSignal): Promise<HookTrial | null>;
}
