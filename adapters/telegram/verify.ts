import type { Secret } from "../../src/config/secret.ts";
import type { RawRequest, Verdict } from "../../src/ports/adapter.ts";
import { textMatches } from "../shared/hmac.ts";

export const SECRET_HEADER = "x-telegram-bot-api-secret-token";

/**
 * Telegram signs nothing: it repeats the `secret_token` that was given to setWebhook (Bot API, setWebhook).
 * There is no timestamp either, so a replay is stopped by its update_id, not here.
 */
export function verifyRequest(request: RawRequest, secrets: readonly Secret[]): Verdict {
  const given = request.header(SECRET_HEADER);
  if (given === undefined || given === "") return "forged";
  return textMatches(secrets, given) ? "genuine" : "forged";
}
