import { getObject, getString } from "../../src/shared/json.ts";

/** Marks our replies in Slack's message metadata, so that one in doubt can be looked up and none is answered. */
const REPLY = "parley_reply";

export function replyMetadata(partId: string): object {
  return { event_type: REPLY, event_payload: { part: partId } };
}

export function isOwnPost(message: unknown): boolean {
  return getString(getObject(message, "metadata"), "event_type") === REPLY;
}

/** The part that a message of ours carries; undefined for anybody else's. */
export function partOf(message: unknown): string | undefined {
  if (!isOwnPost(message)) return undefined;
  return getString(getObject(getObject(message, "metadata"), "event_payload"), "part");
}
