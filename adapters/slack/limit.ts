import { ANYWHERE, type Limit } from "../shared/split.ts";
import type { SlackAddress } from "./address.ts";

/** Slack takes this many answers to one `response_url`. */
export const RESPONSE_URL_USES_MAX = 5;

/** Says in the last message what is missing. */
export function closingLine(chars: number): string {
  const rest = `the rest, ${chars} character${chars === 1 ? "" : "s"},`;
  return `… (${rest} does not fit: Slack takes no more than ${RESPONSE_URL_USES_MAX} messages here from an app that may not post by itself)`;
}

export function closed(text: string, charsLeftOut: number): string {
  return `${text}\n\n${closingLine(charsLeftOut)}`;
}

/**
 * Of a reply to this address; null: none. Whether the bot can go on by itself once a `response_url` is used up shows only
 * when it tries, so each message has room for the line with which a reply ends there.
 */
export function limitOf(address: SlackAddress | null): Limit | null {
  return address?.kind === "response_url" ? LIMIT : null;
}

/** No reply is longer; only its digits count here. */
const CHARS_MAX = 999_999_999;

const LIMIT: Limit = { ...ANYWHERE, keptChars: closed("", CHARS_MAX).length };

/** Of a webhook and an envelope: https://docs.slack.dev/apis/events-api/#responding */
export const ACK_WITHIN_MS = 3_000;
