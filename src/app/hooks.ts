import type { HookSpec } from "../config/hooks-schema.ts";
import { Breakers } from "../domain/breaker.ts";
import type { HookMessage } from "../domain/hook.ts";
import { Courier } from "../hooks/courier.ts";
import { createHookDesk } from "../hooks/desk.ts";
import { postHook } from "../hooks/post.ts";
import { createPublisher } from "../hooks/publisher.ts";
import type { HookTarget } from "../hooks/target.ts";
import { tidyHooks } from "../hooks/tidy.ts";
import type { Clock, NewId, Random } from "../ports/clock.ts";
import type { HookDesk, Hooks } from "../ports/hooks.ts";
import type { Store } from "../ports/store.ts";
import { messageOf } from "../shared/fault.ts";
import { createDeliveries, createHookStates } from "../store/deliveries.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { type Elected, standForElection } from "./elected.ts";

export interface OperatorHooksDeps {
  readonly store: Pick<Store, "vault" | "bus" | "holds" | "journal">;
  /** As the configuration has them now. */
  readonly specs: () => readonly HookSpec[];
  /** How long what was given up is kept. */
  readonly deadMs: () => number;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** The name that is held by whoever delivers. One that died is replaced after this. */
const NAME = "hooks";
const HOLD_MS = 10_000;
const TIDY_MS = 60_000;

/**
 * Whom the operator wants to be told. It is there before the store is, for who must be able to tell something; nothing
 * happens until then.
 */
export class OperatorHooks implements Hooks {
  #deps: OperatorHooksDeps | null = null;
  #publisher: Hooks | null = null;
  #elected: Elected | null = null;

  open(deps: OperatorHooksDeps): void {
    this.#deps = deps;
    const deliveries = createDeliveries(deps.store.vault);
    this.#publisher = createPublisher({
      ...deps,
      deliveries,
      bus: deps.store.bus,
      targets: () => targetsOf(deps.specs()),
    });
  }

  async publish(message: HookMessage): Promise<() => Promise<void>> {
    return (await this.#publisher?.publish(message)) ?? (async () => {});
  }

  emit(message: HookMessage): void {
    this.#publisher?.emit(message);
  }

  /** For operators. */
  desk(): HookDesk {
    const deps = this.#opened();
    const { vault, bus } = deps.store;
    const kept = { deliveries: createDeliveries(vault), states: createHookStates(vault) };
    return createHookDesk({ ...deps, ...kept, bus, targets: () => targetsOf(deps.specs()) });
  }

  /** From now on this process delivers, when it is elected. */
  start(): void {
    const { store, clock, random, log } = this.#opened();
    this.#elected ??= standForElection({
      ...{ name: NAME, ttlMs: HOLD_MS, holds: store.holds, bus: store.bus, clock, random, log },
      lead: (_, signal) => this.#lead(signal),
    });
  }

  /** Hands over to another replica, at once. */
  async stop(): Promise<void> {
    await this.#elected?.stop();
  }

  #opened(): OperatorHooksDeps {
    if (this.#deps === null) throw new Error("Expected hooks that were opened, got none");
    return this.#deps;
  }

  async #lead(signal: AbortSignal): Promise<void> {
    const deps = this.#opened();
    const { store, specs, clock, log, metrics } = deps;
    const deliveries = createDeliveries(store.vault);
    const targets = () => targetsOf(specs());
    const courier = new Courier({
      ...deps,
      ...{ deliveries, states: createHookStates(store.vault), bus: store.bus, targets },
      breakers: new Breakers(clock, {
        opened: (hook, { message }) => log.warn({ hook, cause: message }, "hook.resting"),
        closed: (hook, open_ms) => log.info({ hook, open_ms }, "hook.well"),
      }),
      post: postHook,
      textOf: (eventId) => textOf(eventId, store),
    });
    const tidyForever = async () => {
      while (!signal.aborted) {
        await tidyHooks({ deliveries, targets, deadMs: deps.deadMs, metrics }, clock.nowMs()).catch((error) =>
          log.warn({ cause: messageOf(error) }, "hook.not_tidied"),
        );
        await clock.sleep(TIDY_MS, signal).catch(() => {});
      }
    };
    await Promise.all([courier.run(signal), tidyForever()]);
  }
}

export function targetsOf(specs: readonly HookSpec[]): readonly HookTarget[] {
  return specs.map(({ name, url, secret, events, include_text, timeout_seconds, attempts }) => ({
    ...{ name, url, secrets: secret, types: new Set<string>(events), includesText: include_text },
    ...{ timeoutMs: timeout_seconds * 1000, attemptsMax: attempts },
  }));
}

/** As it is kept now: null when the event is gone. */
async function textOf(
  eventId: string,
  { journal }: Pick<Store, "journal">,
): Promise<Readonly<Record<string, string>> | null> {
  const record = await journal.find(eventId);
  if (record === null) return null;
  const answer = record.progress?.answer?.text;
  return { text: record.event.text, ...(answer !== undefined && { answer }) };
}
