import { SMALL_BODY_BYTES } from "../../src/domain/bounds.ts";
import {
  GENUINE,
  type RawRequest,
  type RequestHead,
  type TurnedAway,
  type Verdict,
} from "../../src/ports/adapter.ts";
import { textMatches } from "../../src/shared/hmac.ts";
import type { Secret } from "../../src/shared/secret.ts";

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
  return judge(request, secrets) ?? GENUINE;
}

/** The header is all that there is to judge by. Only before a large body is that worth doing twice. */
export function screenTelegram(head: RequestHead, secrets: readonly Secret[]): TurnedAway | null {
  const isSmall = Number(head.header("content-length")) <= SMALL_BODY_BYTES;
  return isSmall && (head.header(SECRET_HEADER) ?? "") !== "" ? null : judge(head, secrets);
}

function judge(head: RequestHead, secrets: readonly Secret[]): TurnedAway | null {
  const given = head.header(SECRET_HEADER);
  if (given === undefined || given === "") return { kind: "forged", reason: REASONS.missing };
  return textMatches(secrets, given) ? null : { kind: "forged", reason: REASONS.mismatch };
}
