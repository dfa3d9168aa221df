import { pressedDecision } from "../../src/domain/button.ts";
import type { FoundChoice } from "../../src/domain/choice-source.ts";
import { conversationKey, privateThread } from "../../src/domain/conversation.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Ack, Inbound } from "../../src/ports/adapter.ts";
import { get, getObject, getString, isObject, type JsonObject, nameOf } from "../../src/shared/json.ts";
import type { Forms } from "../shared/forms.ts";
import { mintAddress, TOKEN_LIFE_MS } from "./address.ts";
import { EPHEMERAL } from "./body.ts";
import type { Choices } from "./choices.ts";
import { type Content, type Reading, readCommand, readComponent, readModal } from "./content.ts";
import { faultsAnswer, faultsOf, modalAnswer } from "./forms.ts";
import { FOLLOW_UPS_MAX } from "./limit.ts";
import { nameOfUser, rolesOf } from "./people.ts";
import { mayEmbed } from "./permissions.ts";
import { isSnowflake, snowflakeTimeMs } from "./snowflake.ts";

/** Interaction types. 0 is the ping of Discord's other webhook, the one for app events. */
const EVENT_PING = 0;
const PING = 1;
const COMMAND = 2;
const COMPONENT = 3;
const AUTOCOMPLETE = 4;
const MODAL_SUBMIT = 5;

const PONG = json({ type: 1 });
/** The same, for the person alone; so is all that follows. */
const DEFERRED_EPHEMERAL = json({ type: 5, data: { flags: EPHEMERAL } });
/** "The app is thinking": buys 15 minutes. Discord gives up on an interaction after three seconds. */
const DEFERRED = json({ type: 5 });
/** Said to the one who asked, and to nobody else (flag 64). */
const NOT_SUPPORTED = json({
  type: 4,
  data: { content: "This kind of command is not supported.", flags: 64 },
});
/** In place of a "thinking" that nothing would ever end. */
const REFUSED_AGAIN = json({
  type: 4,
  data: { content: "I am not answering this. The reason that I gave a moment ago still holds.", flags: 64 },
});
/** A press that is turned off: Discord stops the spinner, and shows nothing. */
const PRESS_OFF = json({ type: 6 });
const FORM_OFF = json({ type: 4, data: { content: "Forms are not answered here.", flags: EPHEMERAL } });
const OK: Ack = { status: 200 };
const NO_CONTENT: Ack = { status: 204 };

const TOKEN_CHARS_MAX = 1_024;

function json(body: object): Ack {
  return { status: 200, contentType: "application/json", body: JSON.stringify(body) };
}

/** How interactions are read and answered, as the configuration has it. */
export interface ReadingOptions {
  /** Who sees the answer to a command: everyone (default), or the person alone. */
  readonly commandReplies?: "in_channel" | "ephemeral";
  /** Whether tables of an answer are embeds, where the bot may show some; text when absent. */
  readonly embeds?: boolean;
  /** What autocompletions are answered with; absent: nothing. */
  readonly choices?: Pick<Choices, "answer" | "asked" | "note">;
  /** Forms that open in answer to commands and presses. */
  readonly forms?: Forms;
}

/** What whoever brought an interaction knows of its way here. */
export interface Delivered extends ReadingOptions {
  /** May be empty: then no other application is told apart. */
  readonly applicationId: string;
  readonly receivedAtMs: number;
  /** As Discord signed it; 0: it did not say. For Discord the moment at which the interaction was made, as its id tells. */
  readonly sentAtMs: number;
}

/** One interaction to one event. */
export function readInteraction(interaction: JsonObject, delivered: Delivered): Inbound {
  const { applicationId } = delivered;
  const type = get(interaction, "type");
  if (typeof type !== "number") return malformed(`Expected type to be a number, got ${nameOf(type)}`);
  const application = getString(interaction, "application_id");
  if (applicationId !== "" && application !== undefined && application !== applicationId) {
    return { kind: "ignored", reason: "other_application", ack: OK };
  }
  if (type === EVENT_PING) return { kind: "handshake", ack: NO_CONTENT };
  if (isObject(get(interaction, "event"))) return { kind: "ignored", reason: "app_event", ack: NO_CONTENT };
  if (type === PING) return { kind: "handshake", ack: PONG };
  if (type === AUTOCOMPLETE) {
    return readTyping(interaction, delivered);
  }
  if (type !== COMMAND && type !== COMPONENT && type !== MODAL_SUBMIT) {
    return { kind: "ignored", reason: "unknown_type", ack: OK };
  }
  return readTrigger(interaction, type, delivered);
}

/** Answered from memory, or with what a tool gives, where one is named. */
function readTyping(interaction: JsonObject, delivered: Delivered): Inbound {
  const { choices } = delivered;
  const ackWith = (found: readonly FoundChoice[]) =>
    json({ type: 8, data: { choices: choices?.answer(interaction, found) ?? [] } });
  const ack = ackWith([]);
  const asked = choices?.asked(interaction) ?? null;
  const head = readHead(interaction);
  const data = getObject(interaction, "data");
  if (asked === null || !head.ok || data === undefined) return { kind: "handshake", ack };
  const reading = readData(COMMAND, data, interaction);
  if (reading.kind !== "content") return { kind: "handshake", ack };
  const isEphemeral = isForOne(interaction, COMMAND, delivered);
  const event = toEvent(head.value, reading.content, { ...delivered, isEphemeral });
  return { kind: "handshake", ack, question: { ...asked, event, ackWith } };
}

function malformed(message: string): Inbound {
  return { kind: "malformed", message };
}

function readTrigger(interaction: JsonObject, type: number, delivered: Delivered): Inbound {
  const head = readHead(interaction);
  if (!head.ok) return malformed(head.message);
  const data = get(interaction, "data");
  if (!isObject(data)) return malformed(`Expected data to be an object, got ${nameOf(data)}`);

  const reading = readData(type, data, interaction);
  if (reading.kind === "unknown")
    return { kind: "ignored", reason: "unknown_command_type", ack: NOT_SUPPORTED };
  if (reading.kind === "malformed") {
    return malformed(`Expected ${reading.where} to be a non-empty string, got ${nameOf(reading.got)}`);
  }
  const isEphemeral = isForOne(interaction, type, delivered);
  const event = toEvent(head.value, reading.content, { ...delivered, isEphemeral });
  const form = delivered.forms === undefined ? null : formFor(type, event, data, delivered.forms);
  if (form !== null) return form;
  if (type === COMMAND) delivered.choices?.note(event, interaction);
  // Whoever decides something is told so, and nobody else: the message with the button says what was decided.
  const isQuiet = isEphemeral || (type === COMPONENT && pressedDecision(event.command) !== null);
  const off = type === COMPONENT ? PRESS_OFF : type === MODAL_SUBMIT ? FORM_OFF : undefined;
  return {
    kind: "events",
    events: [event],
    ignored: [],
    ack: isQuiet ? DEFERRED_EPHEMERAL : DEFERRED,
    untoldAck: REFUSED_AGAIN,
    ...(off && { ignoredAck: off }),
  };
}

/** A form to open, or one to fill in again; null: it is an event as any other. */
function formFor(type: number, event: TriggerEvent, data: JsonObject, forms: Forms): Inbound | null {
  const faults = type === MODAL_SUBMIT ? faultsOf(data, forms) : [];
  if (faults.length > 0) return { kind: "ignored", reason: "form_errors", ack: json(faultsAnswer(faults)) };
  // Discord takes no form in answer to a form.
  const form = type === MODAL_SUBMIT ? null : forms.openedBy(event);
  return form && { kind: "ignored", reason: "form_opened", ack: json(modalAnswer(form)) };
}

/** A command by configuration; what is pressed, where only one person sees the message that holds it. */
function isForOne(interaction: JsonObject, type: number, { commandReplies }: ReadingOptions): boolean {
  if (type === COMMAND) return commandReplies === "ephemeral";
  const flags = get(getObject(interaction, "message"), "flags");
  return typeof flags === "number" && (flags & EPHEMERAL) !== 0;
}

function readData(type: number, data: JsonObject, interaction: JsonObject): Reading {
  const applicationId = getString(interaction, "application_id") ?? "";
  const message = getObject(interaction, "message");
  if (type === COMMAND) return readCommand(data, applicationId);
  if (type === COMPONENT) return readComponent(data, message, applicationId);
  return readModal(data, message, applicationId);
}

interface Head {
  readonly id: string;
  readonly applicationId: string;
  readonly token: string;
  readonly channelId: string;
  readonly parentId: string | null;
  readonly isThread: boolean;
  readonly guildId: string | null;
  readonly isPersonal: boolean;
  readonly mayEmbed: boolean;
  readonly user: TriggerEvent["sender"];
}

/** What every type of interaction has; or all that is wrong with it. */
function readHead(interaction: JsonObject): { ok: true; value: Head } | { ok: false; message: string } {
  const problems: string[] = [];
  const snowflake = (value: unknown, where: string): string => {
    if (isSnowflake(value)) return value;
    // A number would already have lost its last digits, so it is not taken for the id it was.
    const got = typeof value === "string" ? "another string" : nameOf(value);
    problems.push(`Expected ${where} to be a string of digits, got ${got}`);
    return "";
  };
  const id = snowflake(get(interaction, "id"), "id");
  const applicationId = snowflake(get(interaction, "application_id"), "application_id");
  const channelId = snowflake(get(interaction, "channel_id"), "channel_id");
  const guild = get(interaction, "guild_id") ?? null;
  const guildId = guild === null ? null : snowflake(guild, "guild_id");
  const roles = rolesOf(getObject(interaction, "member"));
  const member = getObject(getObject(interaction, "member"), "user");
  const user = member ?? getObject(interaction, "user");
  const userId = snowflake(get(user, "id"), member === undefined ? "user.id" : "member.user.id");
  const token = getString(interaction, "token") ?? "";
  // The token becomes one segment of a path, so the two names that mean a folder are none.
  if (
    !/^(?!\.{1,2}$)/.test(token) ||
    token === "" ||
    token.length > TOKEN_CHARS_MAX ||
    !token.isWellFormed()
  ) {
    problems.push(`Expected token to be text of 1 to ${TOKEN_CHARS_MAX} characters, got something else`);
  }
  if (problems.length > 0) return { ok: false, message: problems.join("; ") };

  const channel = getObject(interaction, "channel");
  const parent = get(channel, "parent_id");
  const name = nameOfUser(user)?.toWellFormed() ?? userId;
  return {
    ok: true,
    value: {
      id,
      applicationId,
      token,
      channelId,
      parentId: isSnowflake(parent) ? parent : null,
      isThread: isThreadType(get(channel, "type")),
      guildId,
      isPersonal: isPersonal(getObject(interaction, "authorizing_integration_owners")),
      mayEmbed: mayEmbed(get(interaction, "app_permissions")),
      user: { id: userId, name, isBot: get(user, "bot") === true, ...(roles.length > 0 && { roles }) },
    },
  };
}

/** Who installed the app for this interaction: 0 a server (or its bot, in direct messages), 1 a person; here only that. */
function isPersonal(owners: JsonObject | undefined): boolean {
  const [server, person] = ["0", "1"].map((key) => get(owners, key) ?? null);
  return server === null && person !== null;
}

/** Announcement, public and private thread. */
export function isThreadType(type: unknown): boolean {
  return type === 10 || type === 11 || type === 12;
}

function toEvent(
  head: Head,
  content: Content,
  { receivedAtMs, sentAtMs, isEphemeral, embeds }: Delivered & { readonly isEphemeral: boolean },
): TriggerEvent {
  const { id, applicationId, token, channelId, guildId, user } = head;
  const tenant = guildId ?? "dm";
  const isDirect = guildId === null;
  return {
    id: `discord:${applicationId}:${id}`,
    aliases: [],
    platform: "discord",
    tenant,
    // Rules about a channel hold in its threads too.
    place: head.isThread ? (head.parentId ?? channelId) : channelId,
    thread: head.isThread ? channelId : null,
    // A thread has an id of its own. A direct message may be a group, and is private to each of its people.
    conversation: conversationKey({
      platform: "discord",
      tenant,
      place: channelId,
      // What is answered to one person alone is also remembered for that person alone.
      thread: isDirect ? user.id : isEphemeral ? privateThread(user.id) : null,
    }),
    isDirect,
    sender: user,
    ...content,
    replyTo: mintAddress({
      kind: "interaction",
      applicationId,
      id,
      token,
      channelId,
      guildId,
      // Counted from here on, so that a clock that differs from Discord's does not shorten it.
      expiresAtMs: receivedAtMs + TOKEN_LIFE_MS,
      ...(head.isPersonal && { followUpsMax: FOLLOW_UPS_MAX }),
      ...(embeds === true && head.mayEmbed && !head.isPersonal && { embeds }),
      ...((isEphemeral || pressedDecision(content.command) !== null) && { onlyFor: user.id }),
    }),
    // The later of the two counts, because senders other than Discord number from 1. A capture has both as old.
    occurredAtMs: Math.max(snowflakeTimeMs(id), sentAtMs),
  };
}
