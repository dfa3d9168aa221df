import type { Inbound } from "../../src/ports/adapter.ts";
import { get, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import type { ChangePolicy } from "../shared/change-options.ts";
import { optionalText, requiredObject, requiredText, requiredTs, tenantOf } from "./payload.ts";

export const UNCHANGED: ChangePolicy = { edits: "ignore", deletes: "forget" };

/** What an event about an earlier message means for it. */
export type Change =
  | { readonly kind: "none"; readonly reason: string }
  | { readonly kind: "deleted"; readonly withdrawn: readonly string[] }
  /** `event`: as if it had just been said. */
  | { readonly kind: "edited"; readonly event: JsonObject; readonly withdrawn: readonly string[] };

/** Null: it is about no earlier message. Throws PayloadError. */
export function readChange(event: JsonObject, envelope: JsonObject, policy: ChangePolicy): Change | null {
  const subtype = optionalText(event, "subtype", "event.");
  const previous = getObject(event, "previous_message");
  const idsOf = (ts: string) => {
    const place = `slack:${tenantOf(envelope)}:${requiredText(event, "channel", "event.")}:${ts}`;
    const edited = editOf(previous);
    return edited === undefined ? [place] : [place, editId(place, edited)];
  };
  const deleted = (ts: string | undefined): Change =>
    ts === undefined || policy.deletes === "keep"
      ? { kind: "none", reason: "message_deleted" }
      : { kind: "deleted", withdrawn: idsOf(ts) };

  if (subtype === "message_deleted") return deleted(getString(event, "deleted_ts"));
  if (subtype !== "message_changed") return null;
  const message = getObject(event, "message");
  if (message === undefined) return { kind: "none", reason: "edit" };
  // The first of a thread leaves a stone in its place while others are below it.
  if (getString(message, "subtype") === "tombstone") return deleted(getString(message, "ts"));
  // Also sent for previews of links, which are no edit, and for what we edit ourselves.
  const isEdit = editOf(message) !== undefined && getString(message, "text") !== getString(previous, "text");
  if (policy.edits === "ignore" || !isEdit) return { kind: "none", reason: "edit" };
  return {
    kind: "edited",
    withdrawn: idsOf(requiredTs(message, "ts", "event.message.")),
    event: {
      ...requiredObject(event, "message", "event."),
      channel: get(event, "channel"),
      channel_type: get(event, "channel_type"),
      event_ts: get(event, "event_ts"),
    },
  };
}

/** When it was edited last, as Slack has it; undefined: never. */
export function editOf(message: JsonObject | undefined): string | undefined {
  const ts = getString(getObject(message, "edited"), "ts");
  return ts !== undefined && /^[\d.]{1,40}$/.test(ts) ? ts : undefined;
}

/** Of the event that an edit makes of a message: another than that of the message, and the same for each delivery of it. */
export function editId(id: string, editedTs: string): string {
  return `${id}:edit:${editedTs}`;
}

const OK = { status: 200 };

export function inboundOf(change: Exclude<Change, { kind: "edited" }>): Inbound {
  if (change.kind === "none") return { kind: "ignored", reason: change.reason, ack: OK };
  return { kind: "ignored", reason: "message_deleted", withdrawn: change.withdrawn, ack: OK };
}
