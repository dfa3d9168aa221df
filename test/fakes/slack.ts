import { createHmac } from "node:crypto";
import { type FakeAnswer, type FakeServer, fakeServer, readable } from "./server.ts";
import { fileOf, type SharedFile, type SlackFile, SNIPPET_TYPES, serveFile } from "./slack-files.ts";
import { type GroupsOfSlack, slackGroups } from "./slack-groups.ts";
import { type SlackInstalls, slackInstalls } from "./slack-installs.ts";
import { type SlackApps, slackManifests } from "./slack-manifests.ts";
import { type FakeSlackSockets, fakeSlackSockets, type SocketTimes } from "./slack-sockets.ts";
import {
  type Args,
  type Method,
  need,
  SlackRateLimited,
  SlackRefusal,
  slackStreams,
  word,
} from "./slack-streams.ts";
import { type SlackSurfaces, slackSurfaces } from "./slack-surfaces.ts";

/** A message as people can read it. `via` is the call that said it. */
export interface SlackMessage {
  readonly channel: string;
  /** Of the workspace whose token said it, where that installed the app itself. */
  readonly team?: string;
  readonly ts: string;
  readonly threadTs: string | null;
  text: string;
  readonly via:
    | "chat.startStream"
    | "chat.postMessage"
    | "chat.postEphemeral"
    | "response_url"
    | "files.completeUploadExternal";
  /** Who alone sees it; null: everyone in the channel. */
  readonly visibleTo: string | null;
  metadata: unknown;
  /** A stream that is not stopped. */
  isStreaming?: boolean;
  /** What is shown in place of the text; empty: the text. */
  blocks: readonly SlackBlock[];
  /** Who said it; the bot when absent. */
  readonly user?: string;
  /** Further fields, as Slack gives them. */
  readonly more?: object;
}

interface SlackBlock {
  readonly type: string;
  readonly text?: { readonly type: string; readonly text: string };
  readonly elements?: readonly SlackButton[];
  /** Of a table. */
  readonly rows?: readonly (readonly { readonly type: string; readonly text?: string }[])[];
}

interface SlackButton {
  readonly action_id: string;
  readonly text: { readonly type: string; readonly text: string };
  readonly value: string;
}

export interface FakeSlack extends FakeServer {
  /** For `SLACK_API_URL`. */
  readonly apiUrl: string;
  /** Workspaces that have installed the app themselves. */
  readonly installs: SlackInstalls;
  /** Scopes of the bot's token, as each answer tells them; null: none does. */
  scopes: readonly string[] | null;
  readonly apps: SlackApps;
  /** Of a fake with an app token. */
  readonly sockets: FakeSlackSockets;
  /** Everything that was said, oldest first. */
  readonly messages: SlackMessage[];
  readonly statuses: { readonly channel: string; readonly threadTs: string; readonly status: string }[];
  readonly reactions: { readonly channel: string; readonly ts: string; readonly name: string }[];
  /** Uses of each `response_url`, by path; the sixth is refused. */
  readonly responseUrlUses: ReadonlyMap<string, number>;
  /** Channels and people that the bot may not write to. */
  readonly outside: Set<string>;
  /** Slack takes no tables. */
  refusesTables: boolean;
  /** Files of ours that people see. */
  readonly shared: SharedFile[];
  /** Scopes that the app was not given. */
  readonly missing: Set<string>;
  readonly surfaces: SlackSurfaces;
  /** What people (in a workspace that installed the app: `T1/U1`), channels and groups are called, by id. */
  readonly names: Map<string, string>;
  /** Who is in which user group. */
  readonly groups: GroupsOfSlack;
  /** Files that people have sent. */
  readonly files: SlackFile[];
  /** Somebody writes a message, which the bot can read back. */
  post(
    message: Pick<SlackMessage, "channel" | "ts" | "threadTs" | "text"> & { user: string; more?: object },
  ): void;
}

const RESPONSE_URL_USES_MAX = 5;
const TEXT_CHARS_MAX = 40_000;
const UPDATE_CHARS_MAX = 4_000;
const PAGE_MAX = 1_000;

/** Slack's Web API and its `response_url` hooks, as far as a gateway uses them. */
export async function fakeSlack(
  options: {
    appToken?: string;
    sockets?: SocketTimes;
    token?: string;
    workspace?: string;
    nowMs?: () => number;
  } = {},
): Promise<FakeSlack> {
  const token = options.token ?? "xoxb-fake";
  const sockets = options.appToken === undefined ? null : await fakeSlackSockets(options.sockets);
  const messages: SlackMessage[] = [];
  const statuses: FakeSlack["statuses"] = [];
  const reactions: FakeSlack["reactions"] = [];
  const responseUrlUses = new Map<string, number>();
  const outside = new Set<string>();
  const files: SlackFile[] = [];
  const shared: SharedFile[] = [];
  const missing = new Set<string>();
  const names = new Map<string, string>();
  const groups: FakeSlack["groups"] = { members: new Map(), teams: new Map(), areUntold: false };
  /** By id; bytes are there once they were posted. */
  const uploads = new Map<
    string,
    {
      readonly name: string;
      readonly length: number;
      readonly snippetType: string | undefined;
      bytes?: Buffer;
    }
  >();
  const shown = slackSurfaces(need, (error) => new SlackRefusal(error));
  const installs = slackInstalls({ id: "111.222", secret: "client-secret-of-the-app" });
  const apps: SlackApps = { manifests: new Map(), token: "xoxe.xoxp-fake" };
  const manage = slackManifests(apps);
  /** Of the call that is being answered. */
  let team: string | null = null;
  let count = 0;
  // A reply is younger than its question: where those carry the real time it has the next second, its fraction being a count.
  const nowMs = options.nowMs ?? (() => 1_789_999_999_000);
  const nextTs = () => `${Math.floor(nowMs() / 1000) + 1}.${String(++count).padStart(6, "0")}`;

  function say(said: Omit<SlackMessage, "ts">): SlackMessage {
    if (said.text === "") throw new SlackRefusal("no_text");
    if (said.text.length > TEXT_CHARS_MAX) throw new SlackRefusal("msg_too_long");
    const message = { ...said, ts: nextTs(), ...(team !== null && { team }) };
    messages.push(message);
    return message;
  }

  function find(args: Args): SlackMessage {
    const found = messages.find(
      (message) => message.channel === args.channel && message.ts === args.ts && message.visibleTo === null,
    );
    if (found === undefined) throw new SlackRefusal("message_not_found");
    return found;
  }

  const methods: Readonly<Record<string, Method>> = {
    "auth.test": () => ({
      team_id: options.workspace ?? "T1",
      user_id: "UBOT",
      bot_id: "B1",
      user: "parley",
    }),
    "chat.postMessage": (args) => {
      if (outside.has(need(args, "channel", "channel_not_found"))) throw new SlackRefusal("not_in_channel");
      const message = say({
        channel: need(args, "channel", "channel_not_found"),
        threadTs: word(args, "thread_ts") ?? null,
        text: word(args, "text") ?? "",
        via: "chat.postMessage",
        visibleTo: null,
        metadata: args.metadata ?? null,
        blocks: blocksIn(args, fake.refusesTables),
      });
      return {
        channel: message.channel,
        ts: message.ts,
        message: { text: message.text, user: "UBOT", bot_id: "B1", ts: message.ts },
      };
    },
    "chat.postEphemeral": (args) => {
      const message = say({
        channel: need(args, "channel", "channel_not_found"),
        threadTs: word(args, "thread_ts") ?? null,
        text: word(args, "text") ?? "",
        via: "chat.postEphemeral",
        visibleTo: need(args, "user", "user_not_in_channel"),
        metadata: null,
        blocks: blocksIn(args, fake.refusesTables),
      });
      return { message_ts: message.ts };
    },
    ...slackStreams({ say, find, nowMs }),
    "chat.update": (args) => {
      const found = find(args);
      if (found.isStreaming) throw new SlackRefusal("streaming_state_conflict");
      const text = need(args, "text", "no_text");
      if (text.length > UPDATE_CHARS_MAX) throw new SlackRefusal("msg_too_long");
      found.text = text;
      found.metadata = args.metadata ?? found.metadata;
      // What is not named stays.
      if (args.blocks !== undefined) found.blocks = blocksIn(args, fake.refusesTables);
      return { channel: found.channel, ts: found.ts, text: found.text };
    },
    "assistant.threads.setStatus": (args) => {
      statuses.push({
        channel: need(args, "channel_id", "channel_not_found"),
        threadTs: need(args, "thread_ts", "invalid_thread_ts"),
        status: word(args, "status") ?? "",
      });
      return {};
    },
    "conversations.replies": (args) => {
      const thread = need(args, "ts", "thread_not_found");
      return page(
        inChannel(args).filter((message) => message.threadTs === thread || message.ts === thread),
        args,
      );
    },
    "conversations.history": (args) =>
      page(
        inChannel(args)
          .filter((message) => message.threadTs === null)
          .reverse(),
        args,
      ),
    "conversations.open": (args) => ({
      channel: { id: `D-${need(args, "users", "users_list_not_supplied")}` },
    }),
    ...shown.methods,
    "conversations.info": (args) => {
      const id = need(args, "channel", "channel_not_found");
      const name = names.get(id);
      if (name === undefined) throw new SlackRefusal("channel_not_found");
      return { channel: { id, name } };
    },
    ...slackGroups({ names, groups, missing, teamOf: () => team }),
    "users.info": (args) => {
      const id = need(args, "user", "user_not_found");
      const name = names.get(team === null ? id : `${team}/${id}`);
      if (name !== undefined)
        return { user: { id, name: id.toLowerCase(), profile: { display_name: name, real_name: "Real" } } };
      return { user: { id, name: id.toLowerCase(), real_name: `Person ${id}`, is_bot: false } };
    },
    "files.getUploadURLExternal": (args) => {
      if (missing.has("files:write")) throw new SlackRefusal("missing_scope");
      const length = Number(need(args, "length", "invalid_arguments"));
      const snippetType = word(args, "snippet_type");
      if (snippetType !== undefined && !SNIPPET_TYPES.has(snippetType))
        throw new SlackRefusal("unknown_snippet_type");
      const id = `FUP${++count}`;
      uploads.set(id, { name: need(args, "filename", "invalid_arguments"), length, snippetType });
      return { upload_url: `https://files.slack.com/upload/v1/${id}`, file_id: id };
    },
    "files.completeUploadExternal": (args) => {
      const channel = need(args, "channel_id", "invalid_channel");
      if (outside.has(channel)) throw new SlackRefusal("not_in_channel");
      const given = JSON.parse(need(args, "files", "invalid_arguments")) as { id: string; title?: string }[];
      for (const { id, title } of given) {
        const found = uploads.get(id);
        if (found?.bytes === undefined) throw new SlackRefusal("file_not_found");
        uploads.delete(id);
        const threadTs = word(args, "thread_ts") ?? null;
        const comment = word(args, "initial_comment") ?? "";
        const { name, snippetType } = found;
        shared.push({
          channel,
          threadTs,
          name,
          text: readable(found.bytes),
          comment,
          ...(snippetType !== undefined && { snippetType }),
        });
        const file = { id, name: found.name, title: title ?? found.name };
        messages.push({
          ...{ channel, ts: nextTs(), threadTs, text: comment, via: "files.completeUploadExternal" },
          ...{ visibleTo: null, metadata: null, blocks: [], more: { files: [file] } },
        });
      }
      return { files: given };
    },
    "files.info": (args) => {
      const file = files.find(({ id }) => id === need(args, "file", "file_not_found"));
      if (file === undefined) throw new SlackRefusal("file_not_found");
      return { file: fileOf(file) };
    },
    "reactions.add": (args) => {
      reactions.push({
        channel: need(args, "channel", "channel_not_found"),
        ts: need(args, "timestamp", "message_not_found"),
        name: need(args, "name", "invalid_name"),
      });
      return {};
    },
  };

  function inChannel(args: Args): SlackMessage[] {
    const channel = need(args, "channel", "channel_not_found");
    const oldest = Number(word(args, "oldest") ?? 0);
    const latest = Number(word(args, "latest") ?? Number.POSITIVE_INFINITY);
    return messages.filter(
      (message) =>
        message.channel === channel &&
        message.visibleTo === null &&
        Number(message.ts) > oldest &&
        (message.threadTs === null || Number(message.ts) < latest),
    );
  }

  function callMethod(name: string, authorization: string | undefined, args: Args): FakeAnswer {
    if (name === "apps.connections.open" && sockets !== null)
      return authorization === `Bearer ${options.appToken}`
        ? { body: { ok: true, url: sockets.ticket() } }
        : refused("invalid_auth");
    if (name === "oauth.v2.access") {
      const answer = installs.access(args as Record<string, string>);
      return typeof answer === "string" ? refused(answer) : { body: answer };
    }
    if (name.startsWith("apps.manifest.")) return manage(name, authorization, args);
    const installed = installs.tokens.get(authorization?.replace("Bearer ", "") ?? "");
    team = installed?.team ?? null;
    if (installed !== undefined && name === "auth.revoke") {
      installed.error = "token_revoked";
      return { body: { ok: true, revoked: true } };
    }
    if (installed !== undefined && installed.error !== null) return refused(installed.error);
    if (installed === undefined && authorization !== `Bearer ${token}`) return refused("invalid_auth");
    const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
    if (method === undefined) return refused("unknown_method");
    try {
      const told = installed?.scopes ?? fake.scopes;
      return {
        body: { ok: true, ...method(args) },
        ...(told !== null && { headers: { "x-oauth-scopes": told.join(",") } }),
      };
    } catch (error) {
      if (error instanceof SlackRateLimited) return slackRateLimited(error.seconds);
      if (error instanceof SlackRefusal) return refused(error.message);
      throw error;
    }
  }

  function respond(path: string, args: Args): FakeAnswer {
    const uses = (responseUrlUses.get(path) ?? 0) + 1;
    if (uses > RESPONSE_URL_USES_MAX) return { status: 404, body: "used_url" };
    responseUrlUses.set(path, uses);
    const isShared = args.response_type === "in_channel";
    try {
      say({
        channel: path,
        threadTs: word(args, "thread_ts") ?? null,
        text: word(args, "text") ?? "",
        via: "response_url",
        visibleTo: isShared ? null : "whoever asked",
        metadata: null,
        blocks: blocksIn(args, fake.refusesTables),
      });
    } catch {
      return { status: 400, body: { ok: false, error: "no_text" } };
    }
    return { body: "ok", headers: { "content-type": "text/plain" } };
  }

  const server = await fakeServer((call) => {
    const path = call.path.split("?", 1)[0] ?? "";
    const args = argsOf(call.body, call.headers["content-type"] ?? "");
    if (path.startsWith("/api/"))
      return callMethod(path.slice("/api/".length), call.headers.authorization, args);
    if (path.startsWith("/files-pri/") && call.method === "GET")
      return serveFile(path, call.headers.authorization, files, token);
    const upload = uploads.get(/^\/upload\/v1\/(\w+)$/.exec(path)?.[1] ?? "");
    if (upload !== undefined && call.method === "POST") {
      if (call.raw.length !== upload.length) return { status: 400, body: "wrong length" };
      upload.bytes = call.raw;
      return { body: `OK - ${upload.length}`, headers: { "content-type": "text/plain" } };
    }
    if (/^\/(commands|actions|app)\//.test(path) && call.method === "POST") return respond(path, args);
    return { status: 404, body: "no such page" };
  });
  const post: FakeSlack["post"] = (message) => {
    messages.push({ ...message, via: "chat.postMessage", visibleTo: null, metadata: null, blocks: [] });
  };
  const fake: FakeSlack = {
    ...server,
    scopes: null,
    refusesTables: false,
    apps,
    get sockets() {
      if (sockets === null) throw new Error("Expected an app token, got none");
      return sockets;
    },
    async close() {
      await sockets?.close();
      await server.close();
    },
    apiUrl: `${server.url}/api/`,
    installs,
    messages,
    statuses,
    reactions,
    responseUrlUses,
    outside,
    files,
    shared,
    missing,
    surfaces: shown.surfaces,
    names,
    groups,
    post,
  };
  return fake;
}

/** A webhook signed as Slack signs it, written apart from the gateway's own code. */
export function slackSigned(
  body: string,
  options: { secret: string; nowMs: number; contentType?: string },
): { headers: Record<string, string>; body: string } {
  const timestamp = String(Math.floor(options.nowMs / 1000));
  const digest = createHmac("sha256", options.secret).update(`v0:${timestamp}:${body}`).digest("hex");
  return {
    headers: {
      "content-type": options.contentType ?? "application/json",
      "x-slack-request-timestamp": timestamp,
      "x-slack-signature": `v0=${digest}`,
    },
    body,
  };
}

/** How Slack says "wait". */
export function slackRateLimited(seconds: number): FakeAnswer {
  return {
    status: 429,
    body: { ok: false, error: "ratelimited" },
    headers: { "retry-after": String(seconds) },
  };
}

/** How Slack says no: a 200 that holds an error. */
export function slackError(error: string): FakeAnswer {
  return { status: 200, body: { ok: false, error } };
}

const refused = slackError;

function page(found: readonly SlackMessage[], args: Args): object {
  const from = Number(word(args, "cursor") ?? 0);
  const limit = Math.min(Number(word(args, "limit") ?? 100), PAGE_MAX);
  const next = from + limit < found.length ? String(from + limit) : "";
  const withMetadata = String(args.include_all_metadata) === "true";
  return {
    messages: found.slice(from, from + limit).map((message) => ({
      type: "message",
      user: message.user ?? "UBOT",
      text: message.text,
      ts: message.ts,
      ...(message.threadTs !== null && { thread_ts: message.threadTs }),
      ...message.more,
      ...(withMetadata && message.metadata !== null && { metadata: message.metadata }),
    })),
    has_more: next !== "",
    response_metadata: { next_cursor: next },
  };
}

/** JSON, or a form whose structured fields are JSON texts, as the SDK sends them. */
function argsOf(body: string, contentType: string): Args {
  if (contentType.startsWith("application/json")) return JSON.parse(body || "{}") as Args;
  const form = Object.fromEntries(new URLSearchParams(body));
  return {
    ...form,
    ...(form.metadata !== undefined && { metadata: JSON.parse(form.metadata) as unknown }),
    ...(form.blocks !== undefined && { blocks: JSON.parse(form.blocks) as unknown }),
  };
}

const BLOCKS_MAX = 50;
const SECTION_CHARS_MAX = 3_000;

const ROWS_MAX = 100;
const CELLS_MAX = 20;
const CELLS_CHARS_MAX = 10_000;

/** Rows of one length, in which no cell is empty. */
function isTable(rows: NonNullable<SlackBlock["rows"]>): boolean {
  const columns = rows[0]?.length ?? 0;
  return (
    rows.length >= 1 &&
    rows.length <= ROWS_MAX &&
    columns >= 1 &&
    columns <= CELLS_MAX &&
    rows.every((row) => row.length === columns) &&
    rows.flat().every(({ type, text = "" }) => (type === "raw_text" ? text !== "" : type === "rich_text")) &&
    rows.flat().reduce((sum, { text = "" }) => sum + text.length, 0) <= CELLS_CHARS_MAX
  );
}

/** As Slack checks them, as far as a gateway uses them. */
function blocksIn({ blocks = [] }: Args, refusesTables = false): readonly SlackBlock[] {
  const given = blocks as readonly SlackBlock[];
  const buttons = given.flatMap(({ elements = [] }) => elements);
  const areFine =
    given.length <= BLOCKS_MAX &&
    given.filter(({ type }) => type === "table").length <= 1 &&
    given.every(({ type, text, elements = [], rows = [] }) =>
      type === "table"
        ? !refusesTables && isTable(rows)
        : type === "section"
          ? text?.type === "mrkdwn" && text.text.length >= 1 && text.text.length <= SECTION_CHARS_MAX
          : type === "actions" && elements.length >= 1 && elements.length <= 25,
    ) &&
    buttons.every(
      ({ action_id, text, value }) =>
        action_id.length <= 255 &&
        text.type === "plain_text" &&
        text.text.length <= 75 &&
        value.length <= 2_000,
    ) &&
    new Set(buttons.map(({ action_id }) => action_id)).size === buttons.length;
  if (!areFine) throw new SlackRefusal("invalid_blocks");
  return given;
}
