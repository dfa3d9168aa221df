import { FakeCommands } from "./discord-commands.ts";
import { areEmbeds, isFilled, previewsOf } from "./discord-embeds.ts";
import { FakeGateway } from "./discord-gateway.ts";
import { FakeGuilds } from "./discord-guilds.ts";
import { type FakeAnswer, type FakeServer, type Fault, fakeServer, readableFile } from "./server.ts";

/** A message as Discord holds it. */
export interface DiscordMessage {
  readonly id: string;
  readonly channelId: string;
  /** `original`: the deferred answer, edited; `followup`: another by the interaction; `bot`: by the bot itself. */
  readonly kind: "original" | "followup" | "bot";
  content: string;
  /** What people see of them below the content. */
  embeds: readonly object[];
  /** Addresses of which Discord shows a preview below it. */
  previews: readonly string[];
  /** What the last call that wrote it said besides. */
  body: Readonly<Record<string, unknown>>;
}

export interface FakeDiscord extends FakeServer {
  /** What DISCORD_API_URL would be. */
  readonly apiUrl: string;
  /** Oldest first. */
  readonly messages: DiscordMessage[];
  /** Calls to `/channels/…/typing`, by channel. */
  readonly typing: readonly string[];
  /** Tokens of interactions with an app that only a person has installed: the sixth follow-up is refused. */
  readonly personal: Set<string>;
  /** Channels in which there is no bot. */
  readonly outside: Set<string>;
  /** Channels, and tokens of interactions, where the bot may not attach files. */
  readonly noFiles: Set<string>;
  /** The same of Embed Links. */
  readonly noEmbeds: Set<string>;
  /** Files that people have sent, by the path of their address; one without its signature is not there. */
  readonly files: Map<string, DiscordFile>;
  /** Of the application 900. */
  readonly commands: FakeCommands;
  /** Servers that the bot is in, where it looks at them. */
  readonly guilds: FakeGuilds;
  /** What is merely written, and how the bot hears of it. */
  readonly gateway: FakeGateway;
  /** Threads that the bot has opened, by the message that each was opened from. */
  readonly opened: ReadonlyMap<string, string>;
  /** What goes wrong next with calls whose path holds this text. */
  refuse(path: string, answer: FakeAnswer, times?: number): void;
}

export interface DiscordFile {
  readonly bytes: Buffer;
  readonly mime: string;
  readonly expiresAtMs: number;
}

/** Its address: signed, and for a while. */
export function discordFileUrl(path: string, { expiresAtMs }: DiscordFile): string {
  const seconds = Math.floor(expiresAtMs / 1000).toString(16);
  return `https://cdn.discordapp.com${path}?ex=${seconds}&is=0&hm=${path.length.toString(16)}`;
}

export interface FakeDiscordOptions {
  readonly botToken: string;
  /** The channel of an interaction, by its token; a real one knows from its own records. */
  readonly channelOf?: (token: string) => string;
  readonly nowMs?: () => number;
  /** What it says of the application that the bot is of; it does not tell when absent. */
  readonly application?: {
    readonly id: string;
    readonly verify_key: string;
    readonly flags?: number;
    readonly interactions_endpoint_url?: string | null;
  };
  /** How often the Gateway wants a heartbeat. */
  readonly heartbeatMs?: number;
  readonly identifyMs?: number;
}

/** How Discord says no. */
export function discordError(status: number, code: number, message = "refused"): FakeAnswer {
  return { status, body: { message, code } };
}

/** How Discord says "wait": whole seconds in the header, exact ones in the body. */
export function discordRateLimit(
  seconds: number,
  options: { global?: boolean; headers?: boolean } = {},
): FakeAnswer {
  const global = options.global ?? false;
  return {
    status: 429,
    body: { message: "You are being rate limited.", retry_after: seconds, global },
    ...(options.headers !== false && {
      headers: {
        "retry-after": String(Math.ceil(seconds)),
        "x-ratelimit-limit": "5",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset-after": String(seconds),
        "x-ratelimit-bucket": "bucket",
        "x-ratelimit-scope": global ? "global" : "user",
        ...(global && { "x-ratelimit-global": "true" }),
      },
    }),
  };
}

const EPOCH_MS = 1_420_070_400_000n;
/** The interaction dies when nothing has answered it by then. */
const CALLBACK_MS = 3_000;
const CONTENT_CHARS_MAX = 2_000;
const SUPPRESS_EMBEDS = 4;
const TEXT = { "content-type": "text/plain" };
const PERSONAL_FOLLOW_UPS_MAX = 5;
const EDITS_MAX = 5;
const DAY_MS = 86_400_000;
const EDITS_MS = 5_000;

/** The part of Discord's API that a gateway uses, version 10. */
export async function fakeDiscord(options: FakeDiscordOptions): Promise<FakeDiscord> {
  const nowMs = options.nowMs ?? Date.now;
  const channelOf = options.channelOf ?? (() => "20");
  const messages: DiscordMessage[] = [];
  const originals = new Map<string, DiscordMessage>();
  const byNonce = new Map<string, DiscordMessage>();
  const acknowledged = new Set<string>();
  const typing: string[] = [];
  const personal = new Set<string>();
  const outside = new Set<string>();
  const noFiles = new Set<string>();
  const noEmbeds = new Set<string>();
  const files = new Map<string, DiscordFile>();
  const followUps = new Map<string, number>();
  const edits = new Map<string, number[]>();
  const opened = new Map<string, string>();
  const commands = new FakeCommands();
  const guilds = new FakeGuilds();
  const { botToken, heartbeatMs, identifyMs } = options;
  const gateway = await FakeGateway.open({
    botToken,
    nowMs,
    ...(heartbeatMs !== undefined && { heartbeatMs }),
    ...(identifyMs !== undefined && { identifyMs }),
  });

  function write(
    kind: DiscordMessage["kind"],
    channelId: string,
    body: Record<string, unknown>,
  ): DiscordMessage {
    const message = { id: gateway.nextId(), channelId, kind, content: "", embeds: [], previews: [], body };
    messages.push(message);
    rewrite(message, body);
    return message;
  }

  function rewrite(message: DiscordMessage, body: Record<string, unknown>): void {
    message.content = String(body.content);
    const isSuppressed = (Number(body.flags ?? 0) & SUPPRESS_EMBEDS) !== 0;
    message.previews = isSuppressed ? [] : previewsOf(message.content);
    message.embeds = isSuppressed ? [] : ((body.embeds ?? []) as object[]);
    message.body = body;
  }

  function callback(id: string): FakeAnswer {
    if (acknowledged.has(id)) return discordError(400, 40_060);
    if (nowMs() - Number((BigInt(id) >> 22n) + EPOCH_MS) > CALLBACK_MS) return discordError(404, 10_062);
    acknowledged.add(id);
    return { status: 204 };
  }

  function original(method: string, token: string, body: Record<string, unknown>): FakeAnswer {
    const existing = originals.get(token);
    if (existing !== undefined && !messages.includes(existing)) return discordError(404, 10_008);
    if (method === "PATCH" && !takesEdit(token)) return discordRateLimit(1);
    if (method === "GET") return existing ? { body: shown(existing) } : discordError(404, 10_008);
    const message = existing ?? write("original", channelOf(token), body);
    originals.set(token, message);
    rewrite(message, body);
    return { body: shown(message) };
  }

  /** Five in five seconds of a message, as its bucket has it. */
  function takesEdit(message: string): boolean {
    const recent = (edits.get(message) ?? []).filter((atMs) => atMs > nowMs() - EDITS_MS);
    if (recent.length >= EDITS_MAX) return false;
    edits.set(message, [...recent, nowMs()]);
    return true;
  }

  function editByBot(channelId: string, id: string, body: Record<string, unknown>): FakeAnswer {
    if (outside.has(channelId)) return discordError(403, 50_001);
    const message = messages.find((one) => one.channelId === channelId && one.id === id);
    if (message === undefined) return discordError(404, 10_008);
    if (!takesEdit(channelId)) return discordRateLimit(1);
    rewrite(message, body);
    return { body: shown(message) };
  }

  function followUp(token: string, body: Record<string, unknown>): FakeAnswer {
    const count = (followUps.get(token) ?? 0) + 1;
    if (personal.has(token) && count > PERSONAL_FOLLOW_UPS_MAX) return discordError(400, 40_094);
    followUps.set(token, count);
    return { body: shown(write("followup", channelOf(token), body)) };
  }

  function editFollowUp(id: string, body: Record<string, unknown>): FakeAnswer {
    const message = messages.find((one) => one.kind === "followup" && one.id === id);
    if (message === undefined) return discordError(404, 10_008);
    if (!takesEdit(id)) return discordRateLimit(1);
    rewrite(message, body);
    return { body: shown(message) };
  }

  function channelMessage(channelId: string, body: Record<string, unknown>): FakeAnswer {
    if (outside.has(channelId)) return discordError(403, 50_001);
    const nonce = body.enforce_nonce === true ? String(body.nonce) : undefined;
    const before = nonce && byNonce.get(nonce);
    if (before) return { body: shown(before) };
    const message = write("bot", channelId, body);
    if (nonce) byNonce.set(nonce, message);
    const own = {
      id: message.id,
      channel_id: channelId,
      content: message.content,
      embeds: message.embeds,
      author: { id: "900", username: "bot", bot: true },
      message_reference: body.message_reference,
      type: body.message_reference === undefined ? 0 : 19,
    };
    gateway.keep(own);
    // Also the bot's own come back to it.
    gateway.emit("MESSAGE_CREATE", { ...own, guild_id: "10" }, "10");
    return { body: shown(message) };
  }

  function openThread(channelId: string, messageId: string, body: Record<string, unknown>): FakeAnswer {
    if (outside.has(channelId)) return discordError(403, 50_013);
    if (opened.has(messageId)) return discordError(400, 160_004);
    opened.set(messageId, String(body.name));
    gateway.threads.set(messageId, channelId);
    return { status: 201, body: { id: messageId, type: 11, parent_id: channelId, name: body.name } };
  }

  /** Addresses that hold for another day, of files that are still there. */
  function refreshed(urls: readonly string[]): FakeAnswer {
    const refreshed_urls = urls.map((original) => {
      const path = URL.parse(original)?.pathname ?? "";
      const file = files.get(path);
      if (file === undefined) return { original, refreshed: original };
      const longer = { ...file, expiresAtMs: nowMs() + DAY_MS };
      files.set(path, longer);
      return { original, refreshed: discordFileUrl(path, longer) };
    });
    return { body: { refreshed_urls } };
  }

  /** The content delivery network. Nobody logs in there, and a token of ours has no business there. */
  function attachment(path: string, url: string, authorization: string | undefined): FakeAnswer {
    const file = files.get(path);
    const asked = URL.parse(url, "https://cdn.discordapp.com")?.href;
    if (authorization !== undefined) return { status: 400, body: "a token" };
    if (file === undefined || asked !== discordFileUrl(path, file) || nowMs() >= file.expiresAtMs)
      return { status: 404, body: "This content is no longer available.", headers: TEXT };
    return { body: file.bytes, headers: { "content-type": file.mime } };
  }

  const server = await fakeServer(async (call) => {
    const [path = "", query = ""] = call.path.split("?", 2);
    if (path.startsWith("/attachments/") && call.method === "GET")
      return attachment(path, call.path, call.headers.authorization);
    if (!path.startsWith("/api/v10/")) return discordError(404, 0, "404: Not Found");
    if (!call.headers["user-agent"]?.startsWith("DiscordBot (")) return discordError(403, 40_333);
    const [root = "", first = "", second = "", third = "", fourth = ""] = path
      .slice(9)
      .split("/")
      .map(decodeURIComponent);
    const body = await bodyOf(call, call.headers["content-type"] ?? "");
    if (noFiles.has(second) || noFiles.has(first)) if ("files" in body) return discordError(403, 50_013);
    const writes = (call.method === "POST" || call.method === "PATCH") && "content" in body;
    if (writes && !areEmbeds(body.embeds)) return discordError(400, 50_035);
    if (writes && "embeds" in body && [first, second].some((place) => noEmbeds.has(place))) {
      // Of a message that has nothing else; any other is taken without them, and without a word.
      if (body.content === "")
        return call.method === "POST" ? discordError(403, 50_013) : discordError(400, 50_006);
      body.embeds = [];
    }
    const isEmpty = body.content === "" && body.files === undefined && !isFilled(body.embeds);
    if (writes && isEmpty) return discordError(400, 50_006);
    if (writes && Array.from(String(body.content)).length > CONTENT_CHARS_MAX)
      return discordError(400, 50_035);
    if (writes && !areRows(body.components)) return discordError(400, 50_035);

    // Interactions carry their own token in the path; the bot's has no business there.
    if (root === "interactions" && third === "callback") return callback(first);
    if (root === "webhooks") {
      if (call.headers.authorization !== undefined) return discordError(401, 0, "401: Unauthorized");
      if (third === "messages" && fourth === "@original") return original(call.method, second, body);
      if (call.method === "POST" && third === "") return followUp(second, body);
      if (call.method === "PATCH" && third === "messages") return editFollowUp(fourth, body);
    }
    if (root === "gateway" && first === "") return { body: { url: gateway.url } };
    if (call.headers.authorization !== `Bot ${options.botToken}`)
      return discordError(401, 0, "401: Unauthorized");
    // As a number, for other ids of channels are.
    if (root === "users" && first === "@me" && second === "channels")
      return { body: { id: `7000${String(body.recipient_id)}`, type: 1 } };
    if (root === "users" && first === "@me" && second === "guilds") return guilds.list();
    if (root === "users" && first === "@me") return { body: { id: "900", username: "bot", bot: true } };
    if (root === "applications" && first === "@me" && options.application !== undefined)
      return { body: options.application };
    if (root === "guilds" && call.method === "GET") return guilds.answer(first, second, third);
    if (root === "attachments" && first === "refresh-urls" && call.method === "POST")
      return refreshed(body.attachment_urls as readonly string[]);
    if (root === "applications" && first === "900" && second === "commands")
      return commands.answer(call.method, "", body);
    if (root === "applications" && first === "900" && second === "guilds" && fourth === "commands")
      return commands.answer(call.method, third, body);
    const rest = [root, first, second, third].filter((part) => part !== "");
    const told = gateway.answer(call.method, rest, new URLSearchParams(query));
    if (told !== undefined) return told;
    if (root === "channels" && second === "typing") {
      typing.push(first);
      return { status: 204 };
    }
    if (root === "channels" && second === "messages" && call.method === "PATCH")
      return editByBot(first, third, body);
    if (root === "channels" && second === "messages" && fourth === "threads")
      return openThread(first, third, body);
    if (root === "channels" && second === "messages" && call.method === "POST")
      return channelMessage(first, body);
    return discordError(404, 0, "404: Not Found");
  });

  return {
    ...server,
    apiUrl: `${server.url}/api`,
    messages,
    typing,
    personal,
    outside,
    noFiles,
    noEmbeds,
    files,
    commands,
    guilds,
    gateway,
    opened,
    async close() {
      await Promise.all([server.close(), gateway.end()]);
    },
    refuse(path, answer, times = 1) {
      const fault: Fault = {
        kind: "status",
        status: answer.status ?? 500,
        body: answer.body,
        ...(answer.headers && { headers: answer.headers }),
        match: (call) => decodeURIComponent(call.path).includes(path),
        times,
      };
      server.faults.push(fault);
    },
  };
}

/** JSON, or a form with it and with files, each of which the JSON names. */
async function bodyOf(
  { body, raw }: { body: string; raw: Buffer },
  type: string,
): Promise<Record<string, unknown>> {
  if (!type.startsWith("multipart/form-data")) return body === "" ? {} : JSON.parse(body);
  const form = await new Response(new Uint8Array(raw), { headers: { "content-type": type } }).formData();
  const { attachments, ...payload } = JSON.parse(form.get("payload_json") as string) as {
    attachments: { id: number; filename: string }[];
  };
  const files = await Promise.all(
    attachments.map(async ({ id, filename }) => {
      const file = form.get(`files[${id}]`) as File;
      if (file.name !== filename) throw new Error(`Expected ${filename}, got ${file.name}`);
      return { name: filename, text: await readableFile(file) };
    }),
  );
  return { ...payload, files };
}

/** What people can open with a message. */
export function attachedTo({
  body,
}: DiscordMessage): readonly { readonly name: string; readonly text: string }[] {
  return (body.files as { name: string; text: string }[] | undefined) ?? [];
}

const ROWS_MAX = 5;
const LABEL_CHARS_MAX = 80;
const CUSTOM_ID_CHARS_MAX = 100;

/** Rows of buttons, as far as Discord checks them. */
function areRows(components: unknown): boolean {
  const rows = (components ?? []) as { type?: unknown; components?: readonly Record<string, unknown>[] }[];
  const buttons = rows.flatMap((row) => row.components ?? []);
  return (
    rows.length <= ROWS_MAX &&
    rows.every(({ type, components: row = [] }) => type === 1 && row.length >= 1 && row.length <= ROWS_MAX) &&
    new Set(buttons.map((button) => button.custom_id)).size === buttons.length &&
    buttons.every(
      ({ type, style, label, custom_id }) =>
        type === 2 &&
        [1, 2, 3, 4].includes(Number(style)) &&
        isOfLength(label, LABEL_CHARS_MAX) &&
        isOfLength(custom_id, CUSTOM_ID_CHARS_MAX),
    )
  );
}

function isOfLength(text: unknown, max: number): boolean {
  return typeof text === "string" && text !== "" && text.length <= max;
}

function shown(message: DiscordMessage): object {
  const { id, channelId, content, embeds } = message;
  return { id, channel_id: channelId, content, embeds };
}
