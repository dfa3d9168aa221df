import { conversationKey } from "../../src/domain/conversation.ts";
import type { Trigger, TriggerEvent } from "../../src/domain/event.ts";
import { get, getArray, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import type { ChangePolicy } from "../shared/change-options.ts";
import { writeAddress } from "./address.ts";
import { editId, editOf } from "./changes.ts";
import { contentOf } from "./content.ts";
import { filesOf } from "./files.ts";
import type { SlackSelf } from "./identity.ts";
import { isOwnPost } from "./metadata.ts";
import {
  labelOf,
  optionalText,
  PayloadError,
  requiredObject,
  requiredText,
  requiredTs,
  teamOf,
  tenantOf,
  tsToMs,
} from "./payload.ts";
import { firstMentioned, mentions, mentionsIn, readableText } from "./text.ts";

/** Kinds of message that somebody just said; all others are edits, notices and bookkeeping. Webhooks say `bot_message`. */
const SAID = new Set(["", "file_share", "thread_broadcast", "me_message", "bot_message"]);
/** Slack's own voice. */
const SYSTEM_USERS = new Set(["USLACK", "USLACKBOT"]);

export interface MessageOptions {
  readonly dmReplies: "thread" | "flat";
  /** Who we are in the workspace of that tenant. */
  readonly selfIn: (tenant: string) => SlackSelf;
  readonly changes: ChangePolicy;
}

/** The inner event of an `event_callback`: a trigger, or the reason why it is none. Throws PayloadError. */
export function readEvent(envelope: JsonObject, options: MessageOptions): TriggerEvent | string {
  const event = requiredObject(envelope, "event");
  const type = requiredText(event, "type", "event.");
  if (type !== "message" && type !== "app_mention") return labelOf(type);
  const botIds = botIdsOf(envelope);
  const self = options.selfIn(tenantOf(envelope));
  if (self.userId !== null) botIds.add(self.userId);
  if (self.posted(getString(event, "ts") ?? "")) return "own_message";
  return uninteresting(event, envelope, botIds) ?? readMessage(event, envelope, botIds, options);
}

function uninteresting(
  event: JsonObject,
  envelope: JsonObject,
  botIds: ReadonlySet<string>,
): string | undefined {
  const subtype = optionalText(event, "subtype", "event.");
  const user = optionalText(event, "user", "event.");
  if (isOwn(event, envelope) || isOwnPost(event) || botIds.has(user)) return "own_message";
  if (SYSTEM_USERS.has(user)) return "system";
  return SAID.has(subtype) ? undefined : labelOf(subtype);
}

function readMessage(
  event: JsonObject,
  envelope: JsonObject,
  botIds: Set<string>,
  options: MessageOptions,
): TriggerEvent {
  const tenant = tenantOf(envelope);
  const teamId = teamOf(envelope);
  const channel = requiredText(event, "channel", "event.");
  const ts = requiredTs(event, "ts", "event.");
  const threadTs = get(event, "thread_ts") == null ? null : requiredTs(event, "thread_ts", "event.");
  const { raw: rawText, context } = contentOf(event, optionalText(event, "text", "event."));
  optionalText(envelope, "event_id");
  const isDirect = isDirectMessage(event, channel);
  const sender = senderOf(event);
  const attachments = filesOf(event);

  if (event.type === "app_mention" && botIds.size === 0) botIds.add(firstMentioned(rawText) ?? "");
  const isMention = event.type === "app_mention" || mentions(rawText, botIds);
  const id = `slack:${tenant}:${channel}:${ts}`;
  const edited = options.changes.edits === "rerun" ? editOf(event) : undefined;
  const named = mentionsIn(rawText, botIds);
  const replyThread = isDirect && options.dmReplies === "flat" ? threadTs : (threadTs ?? ts);
  return {
    // Slack delivers a mention twice, as `message` and as `app_mention`: other event ids, same channel and ts. A
    // redelivery has the same ts, too, so the event id would only be a second index entry for each message.
    id: edited === undefined ? id : editId(id, edited),
    aliases: [],
    platform: "slack",
    tenant,
    place: channel,
    thread: threadTs,
    conversation: conversationKey({
      platform: "slack",
      tenant,
      place: channel,
      thread: isDirect ? null : (threadTs ?? ts),
    }),
    isDirect,
    sender,
    trigger: triggerOf({ isDirect, isMention, isInThread: threadTs !== null && threadTs !== ts }),
    command: null,
    text: readableText(rawText, botIds),
    attachments,
    ...(attachments.length === 0 && hasTwin(event, isDirect) && { mayGrow: true as const }),
    ...(named.length > 0 && { mentions: named }),
    ...(context.length > 0 && { context }),
    replyTo: writeAddress({
      kind: "message",
      tenant,
      channel,
      threadTs: replyThread,
      ...(teamId !== undefined && { teamId }),
      userId: sender.id,
      ts,
    }),
    // A mention that was added to an old message by editing it happens now.
    occurredAtMs: tsToMs(get(event, "event_ts") == null ? ts : requiredTs(event, "event_ts", "event.")),
  };
}

/** Of the two deliveries of a mention, `app_mention` may lack the files. One added by editing comes alone. */
function hasTwin(event: JsonObject, isDirect: boolean): boolean {
  return event.type === "app_mention" && !isDirect && get(event, "edited") == null;
}

function triggerOf(told: { isDirect: boolean; isMention: boolean; isInThread: boolean }): Trigger {
  if (told.isDirect) return "direct";
  if (told.isMention) return "mention";
  return told.isInThread ? "thread" : "ambient";
}

/** `app_mention` has no channel type; direct messages have ids of their own kind. */
function isDirectMessage(event: JsonObject, channel: string): boolean {
  const type = optionalText(event, "channel_type", "event.");
  return type === "" ? channel.startsWith("D") : type === "im" || type === "app_home";
}

/** Who we are in this workspace. An installation may also be a person's, who may well talk to us. */
function botIdsOf(envelope: JsonObject): Set<string> {
  const bots = getArray(envelope, "authorizations").filter((entry) => get(entry, "is_bot") !== false);
  return new Set(bots.flatMap((entry) => getString(entry, "user_id") ?? []));
}

/** Our own posts come back as plain messages, told only by the app that made them. */
function isOwn(event: JsonObject, envelope: JsonObject): boolean {
  const ours = getString(envelope, "api_app_id");
  if (ours === undefined) return false;
  return getString(event, "app_id") === ours || getString(get(event, "bot_profile"), "app_id") === ours;
}

function senderOf(event: JsonObject): TriggerEvent["sender"] {
  const bot = optionalText(event, "bot_id", "event.");
  const user = optionalText(event, "user", "event.");
  if (user === "" && bot === "") throw new PayloadError("Expected event.user or event.bot_id, got neither");
  const id = user || bot;
  const profile = getString(getObject(event, "bot_profile"), "name");
  const name = (profile ?? (optionalText(event, "username", "event.") || id)).toWellFormed();
  // Events carry no name of a person; the id is what there is. A webhook may be shown under a name of its own.
  return { id, name, isBot: bot !== "" || event.subtype === "bot_message" };
}
