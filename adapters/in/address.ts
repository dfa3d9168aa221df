import type { ReplyAddress } from "../../src/domain/event.ts";
import { get, getString, parseJsonObject } from "../../src/shared/json.ts";

/** Whose webhook it came by, and by which id: where its answer goes stands in the configuration alone. */
export interface InboundAddress {
  readonly webhook: string;
  readonly id: string;
  readonly eventId: string;
  readonly conversation: string;
}

export function mintAddress(address: InboundAddress): ReplyAddress {
  return JSON.stringify({ kind: "in", ...address }) as ReplyAddress;
}

/** Undefined for what this adapter did not mint. */
export function readAddress(address: ReplyAddress): InboundAddress | undefined {
  const parsed = parseJsonObject(address);
  if (!parsed.ok || get(parsed.value, "kind") !== "in") return undefined;
  const [webhook, id, eventId, conversation] = ["webhook", "id", "eventId", "conversation"].map((key) =>
    getString(parsed.value, key),
  );
  if (webhook === undefined || id === undefined) return undefined;
  return { webhook, id, eventId: eventId ?? "", conversation: conversation ?? "" };
}
