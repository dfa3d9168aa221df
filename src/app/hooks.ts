import type { HookSpec } from "../config/hooks-schema.ts";
import type { NotifySpec } from "../config/notify-schema.ts";
import { Breakers } from "../domain/breaker.ts";
import type { HookMessage } from "../domain/hook.ts";
import { Courier, type CourierDeps } from "../hooks/courier.ts";
import { createHookDesk } from "../hooks/desk.ts";
import { postHook } from "../hooks/post.ts";
import { createPublisher } from "../hooks/publisher.ts";
import type { HookTarget, PlaceTarget, WebhookTarget } from "../hooks/target.ts";
import { tidyHooks } from "../hooks/tidy.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Clock, NewId, Random } from "../ports/clock.ts";
import type { Held } from "../ports/holds.ts";
import type { HookDesk, Hooks } from "../ports/hooks.ts";
import type { Store } from "../ports/store.ts";
import { messageOf } from "../shared/fault.ts";
import { createDeliveries, createHookStates } from "../store/deliveries.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Duty } from "./duties.ts";
import { sayNotice } from "./say-notice.ts";

export interface OperatorHooksDeps {
  readonly store: Pick<Store, "vault" | "bus" | "journal">;
  /** As the configuration has them now. */
  readonly specs: () => readonly HookSpec[];
  readonly notices: () => readonly NotifySpec[];
  /** Once they are there. */
  readonly adapters: () => ReadonlyMap<string, Adapter>;
  /** How long what was given up is kept. */
  readonly deadMs: () => number;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly log: Logger;
  readonly metrics: Metrics;
}

const TIDY_MS = 60_000;

/**
 * Whom the operator wants to be told. It is there before the store is, for who must be able to tell something; nothing
 * happens until then.
 */
export class OperatorHooks implements Hooks, Duty {
  #deps: OperatorHooksDeps | null = null;
  #publisher: Hooks | null = null;

  open(deps: OperatorHooksDeps): void {
    this.#deps = deps;
    const deliveries = createDeliveries(deps.store.vault);
    this.#publisher = createPublisher({
      ...deps,
      deliveries,
      bus: deps.store.bus,
      targets: () => allTargetsOf(deps),
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
    return createHookDesk({ ...deps, ...kept, bus, targets: () => allTargetsOf(deps), post: postFor(deps) });
  }

  /** Delivers. */
  async lead(_: Held, signal: AbortSignal): Promise<void> {
    const deps = this.#opened();
    const { store, clock, log, metrics } = deps;
    const deliveries = createDeliveries(store.vault);
    const targets = () => allTargetsOf(deps);
    const courier = new Courier({
      ...deps,
      ...{ deliveries, states: createHookStates(store.vault), bus: store.bus, targets },
      breakers: new Breakers(clock, {
        opened: (hook, { message }) => log.warn({ hook, cause: message }, "hook.resting"),
        closed: (hook, open_ms) => log.info({ hook, open_ms }, "hook.well"),
      }),
      post: postFor(deps),
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

  #opened(): OperatorHooksDeps {
    if (this.#deps === null) throw new Error("Expected hooks that were opened, got none");
    return this.#deps;
  }
}

type Wanted = Pick<OperatorHooksDeps, "specs" | "notices">;

function allTargetsOf({ specs, notices }: Wanted): readonly HookTarget[] {
  return [...targetsOf(specs()), ...placesOf(notices())];
}

/** To a service of the operator, or as a line in a chat. */
function postFor({ adapters }: Pick<OperatorHooksDeps, "adapters">): CourierDeps["post"] {
  return (target, body, options) =>
    "url" in target ? postHook(target, body, options) : sayNotice(target, body, options, adapters());
}

const NOTICE_MS = 30_000;

function placesOf(notices: readonly NotifySpec[]): readonly PlaceTarget[] {
  return notices.map(({ name, platform, tenant, channel, thread, events, attempts }) => ({
    ...{ name, types: new Set<string>(events), includesText: false },
    place: { platform, tenant: tenant ?? null, channel, thread: thread ?? null },
    ...{ timeoutMs: NOTICE_MS, attemptsMax: attempts },
  }));
}

export function targetsOf(specs: readonly HookSpec[]): readonly WebhookTarget[] {
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
