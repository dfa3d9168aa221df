import { createHash } from "node:crypto";
import type { HookMessage } from "../domain/hook.ts";
import type { Bus } from "../ports/bus.ts";
import type { Clock } from "../ports/clock.ts";
import type { Deliveries, HookDelivery, Hooks } from "../ports/hooks.ts";
import { messageOf } from "../shared/fault.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { HookTarget } from "./target.ts";

/** On the bus: there is something to deliver. */
export const HOOKS_TOPIC = "hooks";
/** What could not be stored is tried again so often, so soon. */
const EMIT_TRIES = 12;
const EMIT_AGAIN_MS = 5_000;
/** What waits for that in memory. */
const EMITTING_MAX = 1_000;

export interface PublisherDeps {
  readonly deliveries: Pick<Deliveries, "put" | "remove">;
  readonly bus: Pick<Bus, "publish">;
  /** As they are now. */
  readonly targets: () => readonly HookTarget[];
  readonly clock: Clock;
  readonly log: Pick<Logger, "error">;
  readonly metrics: Pick<Metrics, "hookMessages">;
}

/** Stores a delivery for each hook that has asked for the type; whoever delivers hears of it. */
export function createPublisher(deps: PublisherDeps): Hooks {
  const { deliveries, bus, targets, clock, log, metrics } = deps;
  let emitting = 0;

  async function publish(message: HookMessage): Promise<() => Promise<void>> {
    const wanted = targets().filter(({ types }) => types.has(message.type));
    if (wanted.length === 0) return async () => {};
    const made = wanted.map(({ name }) => deliveryFor(name, message, clock.nowMs()));
    await Promise.all(made.map((one) => deliveries.put(one)));
    metrics.hookMessages.inc({ type: message.type });
    // Whoever delivers looks by itself, too, when the word is lost.
    bus.publish(HOOKS_TOPIC, "").catch(() => {});
    return async () => {
      await Promise.all(made.map((one) => deliveries.remove(one)));
    };
  }

  async function insist(message: HookMessage): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await publish(message);
        return;
      } catch (error) {
        const isLost = tries === EMIT_TRIES || emitting > EMITTING_MAX;
        if (isLost) return log.error({ type: message.type, cause: messageOf(error) }, "hook.lost");
        await clock.sleep(EMIT_AGAIN_MS);
      }
    }
  }

  return {
    publish,
    emit(message) {
      emitting++;
      void insist(message).finally(() => emitting--);
    },
  };
}

function deliveryFor(
  hook: string,
  { key, type, atMs, data, eventId }: HookMessage,
  dueMs: number,
): HookDelivery {
  const id = messageIdOf(type, key);
  return { hook, id, type, atMs, data, ...(eventId !== undefined && { eventId }), attempts: 0, dueMs };
}

/** Letters and digits alone: a full stop would end it for who verifies. */
function messageIdOf(type: string, key: string): string {
  return `msg_${createHash("sha256")
    .update(JSON.stringify([type, key]))
    .digest("hex")
    .slice(0, 32)}`;
}
