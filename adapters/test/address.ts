import type { ReplyAddress } from "../../src/domain/event.ts";
import { get, getString, parseJsonObject } from "../../src/shared/json.ts";

export function mintAddress(eventId: string): ReplyAddress {
  return JSON.stringify({ kind: "test", eventId }) as ReplyAddress;
}

/** The event that waits for the reply; undefined for what this adapter did not mint. */
export function eventIdOf(address: ReplyAddress): string | undefined {
  const parsed = parseJsonObject(address);
  if (!parsed.ok || get(parsed.value, "kind") !== "test") return undefined;
  return getString(parsed.value, "eventId");
}
