import type { Attachment } from "../../src/domain/attachment.ts";
import { pressedDecision } from "../../src/domain/button.ts";
import type { ContextItem } from "../../src/domain/context.ts";
import { conversationKey, privateThread } from "../../src/domain/conversation.ts";
import type { Pressed, ReplyAddress, Trigger, TriggerEvent } from "../../src/domain/event.ts";
import type { Mention } from "../../src/domain/mention.ts";
import {
  get,
  getArray,
  getObject,
  getString,
  type JsonObject,
  parseJsonObject,
} from "../../src/shared/json.ts";
import { type Visibility, writeAddress } from "./address.ts";
import { isForm, isLink } from "./blocks.ts";
import { messageItems } from "./content.ts";
import { readReset } from "./home.ts";
import { hookIn } from "./hook.ts";
import type { SlackSelf } from "./identity.ts";
import {
  labelOf,
  optionalText,
  PayloadError,
  requiredObject,
  requiredText,
  requiredTs,
  teamOf,
  tenantOf,
} from "./payload.ts";
import { mentionsIn, readableText } from "./text.ts";
import { authorOf } from "./thread.ts";
import { actionText, filesIn, inputLines, labelTextOf, pressedOf, viewText } from "./values.ts";

/** Slack takes an answer to a `response_url` for this long. */
const RESPONSE_URL_MS = 30 * 60_000;

export interface InteractionOptions {
  readonly commandReplies: Visibility;
  readonly dmReplies: "thread" | "flat";
  readonly receivedAtMs: number;
  /** Who we are in the workspace of that tenant. */
  readonly selfIn: (tenant: string) => SlackSelf;
}

const NO_MENTIONS: ReadonlySet<string> = new Set();

/** A slash command, as the flat form that Slack sends. Throws PayloadError. */
export function readSlashCommand(form: JsonObject, options: InteractionOptions): TriggerEvent {
  const tenant = tenantOf(form);
  const channel = requiredText(form, "channel_id");
  const user = requiredText(form, "user_id");
  const named = mentionsIn(optionalText(form, "text"), NO_MENTIONS);
  return interaction(options, {
    id: `slack:${tenant}:trigger:${requiredText(form, "trigger_id")}`,
    tenant,
    place: channel,
    conversationThread: privateThread(user),
    isDirect: isDirectId(channel),
    sender: { id: user, name: optionalText(form, "user_name") || user, isBot: false },
    trigger: "command",
    command: requiredText(form, "command"),
    text: readableText(optionalText(form, "text"), NO_MENTIONS),
    ...(named.length > 0 && { mentions: named }),
    replyTo: replyVia(hookIn(form, form), { tenant, channel, user, options }),
  });
}

/** The `payload` of an interactivity request: a trigger, or the reason why it is none. Throws PayloadError. */
export function readInteraction(payload: JsonObject, options: InteractionOptions): TriggerEvent | string {
  const type = requiredText(payload, "type", "payload.");
  if (type === "block_actions")
    return readReset(payload, options.receivedAtMs) ?? readAction(payload, options);
  if (type === "view_submission") return readSubmission(payload, options);
  if (type === "message_action") return readMessageShortcut(payload, options);
  if (type === "shortcut") return readShortcut(payload, options);
  return labelOf(type);
}

function readAction(payload: JsonObject, options: InteractionOptions): TriggerEvent | string {
  const tenant = tenantOf(payload);
  const sender = senderOf(payload);
  const action = getArray(payload, "actions")[0];
  if (action === undefined) throw new PayloadError("Expected payload.actions to hold an action, got none");
  const container = getObject(payload, "container");
  const message = getObject(payload, "message");
  if (isLink(action) || isLink(getObject(action, "selected_option"))) return "link_button";
  const pressed = pressedOf(action);
  // What is filled in is sent with the form, by its button; Slack tells of each change on the way there.
  if (pressed.kind === "choice" && (getObject(payload, "view") !== undefined || isForm(blocksOf(message))))
    return "form_input";
  const channel = channelOf(payload) ?? getString(container, "channel_id")?.toWellFormed();
  const common = {
    id: `slack:${tenant}:trigger:${requiredText(payload, "trigger_id", "payload.")}`,
    tenant,
    sender,
    trigger: "button",
    command: requiredText(action, "action_id", "payload.actions[0]."),
    text: [actionText(action), ...(pressed.kind === "button" ? inputLines(payload) : [])]
      .filter((text) => text !== "")
      .join("\n"),
    pressed,
    ...contextOf("pressed", message, payload, options),
  } as const;
  // A button in a modal or on the app's home tab belongs to no channel.
  if (channel === undefined) return interaction(options, { ...common, ...directPlace(sender.id, payload) });

  const thread = threadOf(message, "payload.message.") ?? threadOf(container, "payload.container.");
  const root = thread ?? requiredTs(container, "message_ts", "payload.container.");
  const isDirect = isDirectId(channel);
  // Only one person sees an ephemeral message, so only that person sees what follows from it.
  const isEphemeral = get(container, "is_ephemeral") === true;
  // Who decides something is told so, and nobody else is: the question itself says what was decided.
  const isQuiet = isEphemeral || pressedDecision(common.command) !== null;
  const replyThread = isEphemeral || (isDirect && options.dmReplies === "flat") ? thread : root;
  return interaction(options, {
    ...common,
    place: channel,
    thread,
    conversationThread: isDirect ? null : isEphemeral ? privateThread(sender.id) : root,
    isDirect,
    replyTo: replyVia(hookIn(payload, payload), {
      tenant,
      channel,
      user: sender.id,
      threadTs: replyThread,
      options: { ...options, commandReplies: isQuiet ? "ephemeral" : "in_channel" },
    }),
  });
}

function readSubmission(payload: JsonObject, options: InteractionOptions): TriggerEvent {
  const tenant = tenantOf(payload);
  const sender = senderOf(payload);
  const view = requiredObject(payload, "view", "payload.");
  const id = requiredText(view, "id", "payload.view.");
  const hash = optionalText(view, "hash", "payload.view.");
  const common = {
    id: `slack:${tenant}:view:${id}:${hash}`,
    tenant,
    sender,
    trigger: "button",
    command: optionalText(view, "callback_id", "payload.view.") || null,
    text: viewText(view),
    attachments: filesIn(view),
    pressed: { kind: "form", label: labelTextOf(get(view, "title")) },
  } as const;
  const offered = getArray(payload, "response_urls")[0];
  const channel = getString(offered, "channel_id")?.toWellFormed() ?? openedFrom(view);
  const direct = directPlace(sender.id, payload);
  if (channel === undefined) return interaction(options, { ...common, ...direct });
  const url = hookIn(offered, payload);
  return interaction(options, {
    ...common,
    place: channel,
    conversationThread: privateThread(sender.id),
    isDirect: isDirectId(channel),
    replyTo:
      url === undefined ? direct.replyTo : replyVia(url, { tenant, channel, user: sender.id, options }),
  });
}

function readMessageShortcut(payload: JsonObject, options: InteractionOptions): TriggerEvent {
  const tenant = tenantOf(payload);
  const sender = senderOf(payload);
  const message = requiredObject(payload, "message", "payload.");
  const channel = requiredText(requiredObject(payload, "channel", "payload."), "id", "payload.channel.");
  const thread = threadOf(message, "payload.message.");
  const target = contextOf("target", message, payload, options);
  const shared =
    options.commandReplies === "in_channel" ? requiredTs(message, "ts", "payload.message.") : null;
  return interaction(options, {
    id: `slack:${tenant}:trigger:${requiredText(payload, "trigger_id", "payload.")}`,
    tenant,
    place: channel,
    thread,
    conversationThread: privateThread(sender.id),
    isDirect: isDirectId(channel),
    sender,
    trigger: "command",
    command: requiredText(payload, "callback_id", "payload."),
    // What routes look at; the agent is shown it as what it is, the words of somebody else.
    text: target.context?.[0]?.text ?? "",
    ...target,
    replyTo: replyVia(hookIn(payload, payload), {
      tenant,
      channel,
      user: sender.id,
      threadTs: thread ?? shared,
      options,
    }),
  });
}

function readShortcut(payload: JsonObject, options: InteractionOptions): TriggerEvent {
  const tenant = tenantOf(payload);
  const sender = senderOf(payload);
  return interaction(options, {
    id: `slack:${tenant}:trigger:${requiredText(payload, "trigger_id", "payload.")}`,
    tenant,
    sender,
    trigger: "command",
    command: requiredText(payload, "callback_id", "payload."),
    text: "",
    ...directPlace(sender.id, payload),
  });
}

function interaction(
  options: InteractionOptions,
  told: {
    id: string;
    tenant: string;
    place: string;
    thread?: string | null;
    conversationThread: string | null;
    isDirect: boolean;
    sender: TriggerEvent["sender"];
    trigger: Trigger;
    command: string | null;
    text: string;
    attachments?: readonly Attachment[];
    mentions?: readonly Mention[];
    pressed?: Pressed;
    context?: readonly ContextItem[];
    replyTo: ReplyAddress;
  },
): TriggerEvent {
  const { conversationThread, ...rest } = told;
  return {
    ...rest,
    aliases: [],
    platform: "slack",
    thread: told.thread ?? null,
    conversation: conversationKey({
      platform: "slack",
      tenant: told.tenant,
      place: told.place,
      thread: conversationThread,
    }),
    attachments: told.attachments ?? [],
    occurredAtMs: options.receivedAtMs,
  };
}

/** Asked from nowhere in particular: the answer goes to the person's direct messages. */
function directPlace(user: string, payload: JsonObject) {
  const teamId = teamOf(payload);
  return {
    place: user,
    conversationThread: null,
    isDirect: true,
    replyTo: writeAddress({
      kind: "message",
      tenant: tenantOf(payload),
      channel: user,
      threadTs: null,
      ...(teamId !== undefined && { teamId }),
      userId: user,
    }),
  };
}

function replyVia(
  url: string | undefined,
  to: {
    tenant: string;
    channel: string;
    user: string;
    threadTs?: string | null;
    options: InteractionOptions;
  },
): ReplyAddress {
  const { tenant, threadTs = null } = to;
  const visibility = to.options.commandReplies;
  if (url !== undefined)
    return writeAddress({
      kind: "response_url",
      tenant,
      url,
      expiresAtMs: to.options.receivedAtMs + RESPONSE_URL_MS,
      channel: to.channel,
      user: to.user,
      ...(threadTs !== null && { threadTs }),
      visibility,
    });
  // Without the URL an answer for one person goes to that person's direct messages.
  return visibility === "ephemeral"
    ? writeAddress({ kind: "message", tenant, channel: to.user, threadTs: null, userId: to.user })
    : writeAddress({ kind: "message", tenant, channel: to.channel, threadTs, userId: to.user });
}

function senderOf(payload: JsonObject): TriggerEvent["sender"] {
  const user = requiredObject(payload, "user", "payload.");
  const id = requiredText(user, "id", "payload.user.");
  const name = getString(user, "name") ?? getString(user, "username") ?? id;
  return { id, name: name.toWellFormed(), isBot: false };
}

function channelOf(payload: JsonObject): string | undefined {
  return getString(getObject(payload, "channel"), "id")?.toWellFormed();
}

/** An ephemeral message comes without its text and its thread; what holds it tells the thread. */
function threadOf(message: JsonObject | undefined, at: string): string | null {
  if (message === undefined || get(message, "thread_ts") == null) return null;
  return requiredTs(message, "thread_ts", at);
}

/** The message that an interaction is about; none for those outside of a message. */
function contextOf(
  kind: "target" | "pressed",
  message: JsonObject | undefined,
  payload: JsonObject,
  { selfIn }: InteractionOptions,
): { context?: readonly ContextItem[] } {
  if (message === undefined) return {};
  const author = authorOf(message, selfIn(tenantOf(payload)));
  const app = getString(payload, "api_app_id");
  const isSelf = author.isSelf === true || (app !== undefined && getString(message, "app_id") === app);
  const items = messageItems(kind, message, isSelf ? { ...author, isSelf } : author);
  return { context: items };
}

function blocksOf(message: JsonObject | undefined): readonly unknown[] {
  return message === undefined ? [] : getArray(message, "blocks");
}

/** Where the modal was opened, if the app noted it as `{"channel":"C1"}` in the view's private metadata. */
function openedFrom(view: JsonObject): string | undefined {
  const metadata = parseJsonObject(optionalText(view, "private_metadata", "payload.view."));
  return metadata.ok ? getString(metadata.value, "channel")?.toWellFormed() : undefined;
}

function isDirectId(channel: string): boolean {
  return channel.startsWith("D");
}
