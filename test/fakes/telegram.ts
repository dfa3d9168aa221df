import { type FakeAnswer, type FakeServer, fakeServer, readableFile } from "./server.ts";
import { parseTelegramHtml } from "./telegram-html.ts";

const TEXT_CHARS_MAX = 4_096;
const CALLBACK_TEXT_CHARS_MAX = 200;
const CAPTION_CHARS_MAX = 1_024;

type Fields = Readonly<Record<string, unknown>>;

/** A message as people see it: `text` is what is left when the markup is parsed. */
export interface FakeMessage {
  readonly messageId: number;
  readonly chatId: number;
  readonly threadId: number | null;
  /** In the direct messages of a channel: whose topic. */
  readonly directTopicId: number | null;
  readonly replyTo: number | null;
  readonly text: string;
  readonly asHtml: boolean;
  /** The buttons below it, in rows. */
  readonly keyboard: readonly (readonly FakeButton[])[];
  /** `text` is its caption. */
  readonly document?: { readonly name: string; readonly mime: string; readonly text: string };
}

export interface FakeButton {
  readonly text: string;
  readonly callback_data: string;
}

export interface FakeTelegram extends FakeServer {
  /** Oldest first; an edit changes the entry in place. */
  readonly messages: FakeMessage[];
  readonly drafts: { readonly chatId: number; readonly draftId: number; readonly text: string }[];
  readonly reactions: {
    readonly chatId: number;
    readonly messageId: number;
    readonly emoji: string | null;
  }[];
  readonly actions: { readonly chatId: number; readonly threadId: number | null; readonly action: string }[];
  /** Callback queries answered in time. */
  readonly answered: string[];
  /** What whoever pressed was shown for a moment, or until they put it away. */
  readonly told: { readonly id: string; readonly text: string; readonly isAlert: boolean }[];
  /** Callback queries that Telegram has given up on. */
  readonly tooOld: Set<string>;
  /** Chats that have blocked the bot. */
  readonly blocked: Set<number>;
  /** Chats in which the bot may send no files. */
  readonly withoutFiles: Set<number>;
  /** Chats that do not exist. */
  readonly missing: Set<number>;
  /** Chats that are the direct messages of a channel. */
  readonly directMessages: Set<number>;
  /** `chat:thread` of deleted topics. */
  readonly deletedTopics: Set<string>;
  /** Groups that became supergroups: old id to new. */
  readonly migrated: Map<number, number>;
  /** What getUpdates will give. */
  readonly updates: Fields[];
  /** What people have sent, by file_id: a path below which it is fetched, and what it holds. */
  readonly files: Map<string, { readonly path: string; readonly bytes: Buffer }>;
  /** What is suggested while people type. */
  readonly commands: { command: string; description: string }[];
  readonly webhook: {
    url: string;
    secretToken: string | null;
    allowedUpdates: readonly string[];
    lastError?: { date: number; message: string };
  };
}

interface Refusal {
  readonly code: number;
  readonly description: string;
  readonly parameters?: Fields;
}

class Refused extends Error {
  readonly refusal: Refusal;
  constructor(code: number, description: string, parameters?: Fields) {
    super(description);
    this.refusal = { code, description, ...(parameters && { parameters }) };
  }
}

/** The answer to a call that came too soon. */
export function tooManyRequests(seconds: number): FakeAnswer {
  const description = `Too Many Requests: retry after ${seconds}`;
  return refusal({ code: 429, description, parameters: { retry_after: seconds } });
}

/** The answer to a call to someone who has blocked the bot. */
export function forbidden(): FakeAnswer {
  return refusal({ code: 403, description: "Forbidden: bot was blocked by the user" });
}

/** The Bot API for one bot. As strict as the real one about markup and lengths, and a little stricter about `&` and `>`. */
export async function fakeTelegram(options: { token: string; username: string }): Promise<FakeTelegram> {
  const bot = { id: Number(options.token.split(":")[0]), is_bot: true, first_name: "Parley" };
  const state = {
    messages: [] as FakeMessage[],
    drafts: [] as FakeTelegram["drafts"],
    reactions: [] as FakeTelegram["reactions"],
    actions: [] as FakeTelegram["actions"],
    answered: [] as string[],
    told: [] as FakeTelegram["told"],
    tooOld: new Set<string>(),
    blocked: new Set<number>(),
    missing: new Set<number>(),
    withoutFiles: new Set<number>(),
    directMessages: new Set<number>(),
    deletedTopics: new Set<string>(),
    migrated: new Map<number, number>(),
    updates: [] as Fields[],
    files: new Map() as FakeTelegram["files"],
    commands: [] as FakeTelegram["commands"],
    webhook: { url: "", secretToken: null, allowedUpdates: [] } as FakeTelegram["webhook"],
  };
  let lastMessageId = 100;

  const methods: Record<string, (fields: Fields) => unknown> = {
    getMe: () => ({ ...bot, username: options.username, can_join_groups: true }),

    sendPhoto(fields) {
      const photo = fields.photo as FakeMessage["document"];
      if (!/^base64:(?:iVBORw0KGgo|\/9j\/|UklGR)/.test(photo?.text ?? ""))
        throw new Refused(400, "Bad Request: IMAGE_PROCESS_FAILED");
      return methods.sendDocument?.({ ...fields, document: photo });
    },

    sendDocument(fields) {
      const { chatId, threadId, directTopicId } = reachablePlace(fields);
      if (state.withoutFiles.has(chatId))
        throw new Refused(400, "Bad Request: not enough rights to send documents to the chat");
      const document = fields.document as FakeMessage["document"];
      if (document === undefined || document.text === "")
        throw new Refused(400, "Bad Request: file must be non-empty");
      const caption = string(fields, "caption");
      if (caption.length > CAPTION_CHARS_MAX)
        throw new Refused(400, "Bad Request: message caption is too long");
      const place = { messageId: ++lastMessageId, chatId, threadId, directTopicId, replyTo: null };
      const message = { ...place, text: caption, asHtml: false, keyboard: [], document };
      state.messages.push(message);
      return asTelegram(message);
    },

    sendMessage(fields) {
      const { chatId, threadId, directTopicId } = reachablePlace(fields);
      const replyTo = number(fields.reply_parameters, "message_id") ?? null;
      const message = {
        ...{ messageId: ++lastMessageId, chatId, threadId, directTopicId, replyTo },
        text: readText(fields),
        asHtml: fields.parse_mode === "HTML",
        keyboard: readKeyboard(fields),
      };
      state.messages.push(message);
      return asTelegram(message);
    },

    editMessageText(fields) {
      const chatId = reachableChat(fields);
      const messageId = number(fields, "message_id");
      const index = state.messages.findIndex(
        (message) => message.chatId === chatId && message.messageId === messageId,
      );
      const before = state.messages[index];
      if (before === undefined) throw new Refused(400, "Bad Request: message to edit not found");
      const text = readText(fields);
      const keyboard = readKeyboard(fields);
      if (text === before.text && JSON.stringify(keyboard) === JSON.stringify(before.keyboard)) {
        throw new Refused(
          400,
          "Bad Request: message is not modified: specified new message content and reply markup are exactly the same",
        );
      }
      const after = { ...before, text, asHtml: fields.parse_mode === "HTML", keyboard };
      state.messages[index] = after;
      return asTelegram(after);
    },

    sendMessageDraft(fields) {
      const chatId = reachableChat(fields);
      const draftId = number(fields, "draft_id") ?? 0;
      if (chatId < 0) throw new Refused(400, "Bad Request: PEER_ID_INVALID");
      if (draftId === 0) throw new Refused(400, "Bad Request: RANDOM_ID_INVALID");
      state.drafts.push({ chatId, draftId, text: readText(fields, { mayBeEmpty: true }) });
      return true;
    },

    sendChatAction(fields) {
      const chatId = reachableChat(fields);
      if (state.directMessages.has(chatId))
        throw new Refused(400, "Bad Request: CHANNEL_MONOFORUM_UNSUPPORTED");
      const action = string(fields, "action");
      if (action !== "typing") throw new Refused(400, "Bad Request: wrong parameter action in request");
      state.actions.push({ chatId, threadId: number(fields, "message_thread_id") ?? null, action });
      return true;
    },

    answerCallbackQuery(fields) {
      const id = string(fields, "callback_query_id");
      if (id === "" || state.tooOld.has(id)) {
        throw new Refused(
          400,
          "Bad Request: query is too old and response timeout expired or query ID is invalid",
        );
      }
      if (string(fields, "text").length > CALLBACK_TEXT_CHARS_MAX) {
        throw new Refused(400, "Bad Request: MESSAGE_TOO_LONG");
      }
      state.answered.push(id);
      const text = string(fields, "text");
      if (text !== "") state.told.push({ id, text, isAlert: fields.show_alert === true });
      return true;
    },

    getFile(fields) {
      const id = string(fields, "file_id");
      const file = state.files.get(id);
      if (file === undefined)
        throw new Refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable");
      if (file.bytes.length > FILE_BYTES_MAX) throw new Refused(400, "Bad Request: file is too big");
      return { file_id: id, file_unique_id: id, file_size: file.bytes.length, file_path: file.path };
    },

    setMessageReaction(fields) {
      const reactions = Array.isArray(fields.reaction) ? fields.reaction : [];
      if (reactions.length > 1) throw new Refused(400, "Bad Request: REACTIONS_TOO_MANY");
      const emoji = (reactions[0] as { emoji?: string } | undefined)?.emoji ?? null;
      const messageId = number(fields, "message_id") ?? 0;
      state.reactions.push({ chatId: reachableChat(fields), messageId, emoji });
      return true;
    },

    setWebhook(fields) {
      const url = string(fields, "url");
      const secretToken = string(fields, "secret_token") || null;
      if (url !== "" && !url.startsWith("https://")) {
        throw new Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook");
      }
      if (secretToken !== null && !/^[\w-]{1,256}$/.test(secretToken)) {
        throw new Refused(400, "Bad Request: secret token contains unallowed characters");
      }
      const given = fields.allowed_updates;
      const allowedUpdates = Array.isArray(given) ? given.map(String) : state.webhook.allowedUpdates;
      Object.assign(state.webhook, { url, secretToken, allowedUpdates });
      return true;
    },

    getWebhookInfo: () => ({
      url: state.webhook.url,
      has_custom_certificate: false,
      pending_update_count: state.updates.length,
      allowed_updates: state.webhook.allowedUpdates,
      ...(state.webhook.lastError && {
        last_error_date: state.webhook.lastError.date,
        last_error_message: state.webhook.lastError.message,
      }),
    }),

    setMyCommands(fields) {
      const commands = Array.isArray(fields.commands) ? (fields.commands as FakeTelegram["commands"]) : [];
      if (commands.length > 100) throw new Refused(400, "Bad Request: too many commands specified");
      for (const { command, description } of commands)
        if (!/^[a-z0-9_]{1,32}$/.test(command) || description.length < 1 || description.length > 256)
          throw new Refused(400, "Bad Request: BOT_COMMAND_INVALID");
      state.commands.splice(0, state.commands.length, ...commands);
      return true;
    },

    getMyCommands: () => state.commands,

    deleteWebhook() {
      Object.assign(state.webhook, { url: "", secretToken: null });
      return true;
    },

    getUpdates(fields) {
      if (state.webhook.url !== "") {
        throw new Refused(
          409,
          "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
        );
      }
      const offset = number(fields, "offset") ?? 0;
      const acknowledged = state.updates.filter((update) => (number(update, "update_id") ?? 0) < offset);
      for (const update of acknowledged) state.updates.splice(state.updates.indexOf(update), 1);
      return state.updates.slice(0, number(fields, "limit") ?? 100);
    },
  };

  function reachablePlace(fields: Fields) {
    const chatId = reachableChat(fields);
    const threadId = number(fields, "message_thread_id") ?? null;
    if (state.deletedTopics.has(`${chatId}:${threadId}`)) {
      throw new Refused(400, "Bad Request: message thread not found");
    }
    const directTopicId = number(fields, "direct_messages_topic_id") ?? null;
    if (state.directMessages.has(chatId) !== (directTopicId !== null)) {
      throw new Refused(400, "Bad Request: DIRECT_MESSAGES_TOPIC_INVALID");
    }
    return { chatId, threadId, directTopicId };
  }

  /** Says no as Telegram does to a chat that cannot be written to. */
  function reachableChat(fields: Fields): number {
    const chatId = number(fields, "chat_id");
    if (chatId === undefined) throw new Refused(400, "Bad Request: chat_id is empty");
    const migratedTo = state.migrated.get(chatId);
    if (migratedTo !== undefined) {
      const parameters = { migrate_to_chat_id: migratedTo };
      throw new Refused(400, "Bad Request: group chat was upgraded to a supergroup chat", parameters);
    }
    if (state.missing.has(chatId)) throw new Refused(400, "Bad Request: chat not found");
    if (state.blocked.has(chatId)) throw new Refused(403, "Forbidden: bot was blocked by the user");
    return chatId;
  }

  function asTelegram({ messageId, chatId, text }: FakeMessage) {
    const chat = { id: chatId, type: chatId > 0 ? "private" : "supergroup" };
    return { message_id: messageId, date: 1_717_000_000, from: bot, chat, text };
  }

  const server = await fakeServer(async ({ path, body, raw, headers }) => {
    const [, fileToken, filePath] = /^\/file\/bot([^/]*)\/(.+)$/.exec(path) ?? [];
    if (filePath !== undefined) {
      const file = [...state.files.values()].find((one) => one.path === filePath);
      if (file === undefined || fileToken !== options.token) return { status: 404 };
      return { body: file.bytes, headers: { "content-type": "application/octet-stream" } };
    }
    const [, token, method = ""] = /^\/bot([^/]*)\/(\w+)$/.exec(path) ?? [];
    if (token === undefined) return refusal({ code: 404, description: "Not Found" });
    if (token !== options.token) return refusal({ code: 401, description: "Unauthorized" });
    const serve = Object.hasOwn(methods, method) ? methods[method] : undefined;
    if (serve === undefined) return refusal({ code: 404, description: "Not Found: method not found" });
    try {
      return {
        body: { ok: true, result: serve(await fieldsOf({ body, raw }, headers["content-type"] ?? "")) },
      };
    } catch (error) {
      if (error instanceof Refused) return refusal(error.refusal);
      throw error;
    }
  });
  return Object.assign(server, state);
}

/** JSON, or a form with a file. */
async function fieldsOf({ body, raw }: { body: string; raw: Buffer }, type: string): Promise<Fields> {
  if (!type.startsWith("multipart/form-data")) return body === "" ? {} : (JSON.parse(body) as Fields);
  const form = await new Response(new Uint8Array(raw), { headers: { "content-type": type } }).formData();
  const fields = [...form].map(async ([name, value]) => [
    name,
    typeof value === "string"
      ? value
      : { name: value.name, mime: value.type, text: await readableFile(value) },
  ]);
  return Object.fromEntries(await Promise.all(fields)) as Fields;
}

function refusal({ code, description, parameters }: Refusal): FakeAnswer {
  return {
    status: code,
    body: { ok: false, error_code: code, description, ...(parameters && { parameters }) },
  };
}

/** The text of a message as people will see it. Telegram counts it in code points, after parsing. */
function readText(fields: Fields, { mayBeEmpty = false } = {}): string {
  const raw = string(fields, "text");
  const parsed = fields.parse_mode === "HTML" ? parseTelegramHtml(raw) : { ok: true as const, text: raw };
  if (!parsed.ok) throw new Refused(400, `Bad Request: can't parse entities: ${parsed.message}`);
  if (Array.from(parsed.text).length > TEXT_CHARS_MAX)
    throw new Refused(400, "Bad Request: message is too long");
  if (!mayBeEmpty && parsed.text.trim() === "") throw new Refused(400, "Bad Request: message text is empty");
  return parsed.text;
}

/** Of what bots may fetch. */
const FILE_BYTES_MAX = 20 * 1024 * 1024;
const CALLBACK_DATA_BYTES_MAX = 64;

/** As Telegram checks it; none where the call has none. */
function readKeyboard(fields: Fields): readonly (readonly FakeButton[])[] {
  const given = (fields.reply_markup as { inline_keyboard?: unknown } | undefined)?.inline_keyboard;
  if (given === undefined) return [];
  if (!Array.isArray(given)) throw new Refused(400, "Bad Request: can't parse inline keyboard");
  const rows = given as FakeButton[][];
  for (const { text, callback_data } of rows.flat()) {
    if (typeof text !== "string" || text === "") throw new Refused(400, "Bad Request: button text is empty");
    const bytes = Buffer.byteLength(callback_data);
    if (bytes < 1 || bytes > CALLBACK_DATA_BYTES_MAX)
      throw new Refused(400, "Bad Request: BUTTON_DATA_INVALID");
  }
  return rows;
}

function string(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === "string" ? value : "";
}

/** Telegram takes numbers as JSON numbers and as strings. */
function number(fields: unknown, name: string): number | undefined {
  const value = (fields as Fields | undefined)?.[name];
  const parsed = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof parsed === "number" && Number.isSafeInteger(parsed) ? parsed : undefined;
}
