import type { Secret } from "../../src/config/secret.ts";
import { GENUINE, type RawRequest, type Verdict } from "../../src/ports/adapter.ts";
import { textMatches } from "../shared/hmac.ts";

export const SECRET_HEADER = "x-telegram-bot-api-secret-token";

export const REASONS = {
  missing: "missing X-Telegram-Bot-Api-Secret-Token",
  mismatch: "X-Telegram-Bot-Api-Secret-Token does not match the webhook secret",
} as const;

/**
 * Telegram signs nothing: it repeats the `secret_token` that was given to setWebhook (Bot API, setWebhook).
 * There is no timestamp either, so a replay is stopped by its update_id, not here.
 */
export function verifyRequest(request: RawRequest, secrets: readonly Secret[]): Verdict {
  const given = request.header(SECRET_HEADER);
  if (given === undefined || given === "") return { kind: "forged", reason: REASONS.missing };
  return textMatches(secrets, given) ? GENUINE : { kind: "forged", reason: REASONS.mismatch };
}
