import type { ReplyAddress } from "../../src/domain/event.ts";
import { get, getString, type JsonObject, parseJsonObject } from "../../src/shared/json.ts";

/** Free text may be sent for 24 h after each message of the person; later only approved templates. */
export const WINDOW_MS = 24 * 3_600_000;

/** Whom to answer: by phone number, or by business-scoped id when the person hides the number. */
export type Recipient = { readonly to: string } | { readonly recipient: string };

export type WhatsAppAddress = {
  readonly phoneNumberId: string;
  /** The message answered: quoted by the reply, marked as read by the typing indicator. */
  readonly messageId: string;
  readonly windowExpiresAtMs: number;
} & Recipient;

export function mintAddress(address: WhatsAppAddress): ReplyAddress {
  return JSON.stringify({ kind: "message", ...address }) as ReplyAddress;
}

/** Undefined for what this adapter did not mint. */
export function readAddress(minted: ReplyAddress): WhatsAppAddress | undefined {
  const parsed = parseJsonObject(minted);
  if (!parsed.ok || getString(parsed.value, "kind") !== "message") return undefined;
  const phoneNumberId = getString(parsed.value, "phoneNumberId");
  const messageId = getString(parsed.value, "messageId");
  const windowExpiresAtMs = get(parsed.value, "windowExpiresAtMs");
  const recipient = readRecipient(parsed.value);
  if (phoneNumberId === undefined || messageId === undefined || recipient === undefined) return undefined;
  if (typeof windowExpiresAtMs !== "number") return undefined;
  return { phoneNumberId, messageId, windowExpiresAtMs, ...recipient };
}

function readRecipient(value: JsonObject): Recipient | undefined {
  const to = getString(value, "to");
  if (to !== undefined) return { to };
  const recipient = getString(value, "recipient");
  return recipient === undefined ? undefined : { recipient };
}
