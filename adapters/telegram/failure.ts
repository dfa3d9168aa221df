import { DeliveryError } from "../../src/domain/errors.ts";
import { kindOfStatus } from "../../src/shared/fault.ts";
import type { Refused } from "./api.ts";

/** What is answered to any method with a token that is none, or is none any more. */
const NO_TOKEN = new Set([401, 404]);

/** Whoever mixes adapters up hears of it. */
export function foreignPart(): DeliveryError {
  return new DeliveryError("rejected", "Expected a Telegram address and part, got those of another adapter");
}

/**
 * What the outbox should make of a refusal. Throttling carries the pause that Telegram asks for.
 *
 * | status | |
 * |-|-|
 * | 401 (revoked), 404 (never was one) | `refused`: the token; every message waits |
 * | 429 | `retry`, after the pause |
 * | 5xx | as for any server |
 * | any other (400 of a chat, 403 of a person who has blocked the bot) | `rejected` |
 */
export function failureOf(method: string, refused: Refused): DeliveryError {
  const { status, retryAfterMs } = refused;
  const message = `Telegram ${method}: ${status} ${refused.description}`;
  if (status === 429) return new DeliveryError("retry", message, { status, retryAfterMs });
  if (NO_TOKEN.has(status)) return new DeliveryError("refused", message, { status });
  return new DeliveryError(kindOfStatus(status), message, { status });
}
