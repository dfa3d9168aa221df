import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { FakeAnswer } from "./server.ts";

/** A message as Discord shows it. */
export interface ChatMessage {
  readonly id: string;
  readonly channel_id: string;
  readonly content: string;
  readonly author: { readonly id: string; readonly bot?: boolean };
  readonly [key: string]: unknown;
}

/** What somebody writes. */
export interface Said {
  readonly content: string;
  readonly channel?: string;
  /** Null: in private. */
  readonly guild?: string | null;
  readonly user?: string;
  /** Whether Discord counts it as a mention of the bot: by default when its content has one. */
  readonly mentions?: boolean;
  readonly over?: Readonly<Record<string, unknown>>;
}

interface Connection {
  readonly socket: WebSocket;
  session: Session | null;
  lastHeartbeatAt: number;
  readonly openedAt: number;
}

interface Session {
  readonly id: string;
  readonly shard: number;
  readonly shards: number;
  readonly intents: number;
  seq: number;
  readonly log: { readonly op: 0; readonly s: number; readonly t: string; readonly d: unknown }[];
  connection: Connection | null;
}

/** One IDENTIFY or RESUME, and how it went. */
export interface Login {
  readonly kind: "identify" | "resume";
  readonly at: number;
  readonly intents?: number;
  readonly shard?: readonly [number, number];
  readonly seq?: number;
  outcome: "ready" | "resumed" | "invalid" | number;
}

export interface FakeGatewayOptions {
  readonly botToken: string;
  readonly nowMs: () => number;
  readonly heartbeatMs?: number;
  /** No sooner than this after the last one may another session begin. */
  readonly identifyMs?: number;
}

const MESSAGE_CONTENT = 1 << 15;
const GUILD_MESSAGES = 1 << 9;
const DIRECT_MESSAGES = 1 << 12;
const GUILD_REACTIONS = 1 << 10;
const DIRECT_REACTIONS = 1 << 13;
const BOT = "900";
const IDENTIFY_MS = 4_900;
const EPOCH_MS = 1_420_070_400_000n;

/** Discord's Gateway: hello, identify, heartbeats and resume are enforced; what is said is kept, and replayed or listed. */
export class FakeGateway {
  readonly logins: Login[] = [];
  /** With which each client left, oldest first. */
  readonly closeCodes: number[] = [];
  /** The most connections with a session that there were at once for one shard. */
  holdersMax = 0;
  /** What the bot broke: no heartbeat in time, an IDENTIFY too soon. */
  readonly violations: string[] = [];
  readonly threads = new Map<string, string>();

  /** What the portal allows. */
  allowsContent = true;
  shards = 1;
  remaining = 1_000;
  resetAfterMs = 0;
  /** No session can be resumed any more. */
  forgetsSessions = false;
  /** Heartbeats are not acknowledged, nothing is sent, and no goodbye is answered. */
  isDead = false;
  /** Upgrades are refused with this status. */
  refusesUpgradeWith: number | null = null;
  /** When each was. */
  readonly refusals: number[] = [];
  /** Logins are answered with nothing. */
  isMute = false;
  /** Every login is answered with this close code. */
  refusesWith: number | null = null;
  /** So many events from now on the connection is cut, in the middle of what is said. */
  cutsAfter: number | null = null;

  readonly #options: FakeGatewayOptions;
  readonly #server: WebSocketServer;
  readonly #connections = new Set<Connection>();
  readonly #sessions = new Map<string, Session>();
  readonly #history = new Map<string, ChatMessage[]>();
  readonly #watchers = new Set<() => void>();
  #lastIdentifyAt = Number.NEGATIVE_INFINITY;
  #lastId = 0n;

  static async open(options: FakeGatewayOptions): Promise<FakeGateway> {
    let gateway: FakeGateway | null = null;
    const server = new WebSocketServer({
      host: "127.0.0.1",
      port: 0,
      verifyClient: (_: unknown, decide: (takes: boolean, status?: number) => void) => {
        const status = gateway?.refusesUpgradeWith ?? null;
        if (gateway !== null && status !== null) gateway.#refused();
        decide(status === null, status ?? undefined);
      },
    });
    await new Promise((resolve) => server.once("listening", resolve));
    gateway = new FakeGateway(options, server);
    return gateway;
  }

  private constructor(options: FakeGatewayOptions, server: WebSocketServer) {
    this.#options = options;
    this.#server = server;
    server.on("connection", (socket) => this.#connected(socket));
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections that have a session. */
  get holders(): number {
    return [...this.#connections].filter(({ session }) => session !== null).length;
  }

  nextId(): string {
    const now = (BigInt(Math.floor(this.#options.nowMs())) - EPOCH_MS) << 22n;
    this.#lastId = now > this.#lastId ? now : this.#lastId + 1n;
    return String(this.#lastId);
  }

  /** Of the REST API; undefined: that is somebody else's. */
  answer(method: string, path: readonly string[], query: URLSearchParams): FakeAnswer | undefined {
    const [root, channel = "", what] = path;
    if (root === "gateway" && channel === "bot") {
      const session_start_limit = {
        total: 1_000,
        remaining: this.remaining,
        reset_after: this.resetAfterMs,
        max_concurrency: 1,
      };
      return { body: { url: this.url, shards: this.shards, session_start_limit } };
    }
    if (root !== "channels" || method !== "GET") return undefined;
    if (what === undefined) {
      const parent = this.threads.get(channel);
      return { body: parent ? { id: channel, type: 11, parent_id: parent } : { id: channel, type: 0 } };
    }
    if (what !== "messages") return undefined;
    const after = BigInt(query.get("after") ?? "0");
    const later = (this.#history.get(channel) ?? []).filter(({ id }) => BigInt(id) > after);
    // The newest first, of those that come right after it.
    return { body: later.slice(0, Number(query.get("limit") ?? 50)).reverse() };
  }

  say(said: Said): ChatMessage {
    const { content, channel = "20", guild = "10", user = "30", over } = said;
    const mentions = said.mentions ?? content.includes(`<@${BOT}>`);
    const message = {
      id: this.nextId(),
      channel_id: channel,
      ...(guild !== null && { guild_id: guild, member: { nick: null, roles: [] } }),
      author: { id: user, username: `user${user}`, global_name: null },
      content,
      timestamp: new Date(this.#options.nowMs()).toISOString(),
      edited_timestamp: null,
      type: 0,
      mentions: mentions ? [{ id: BOT, username: "bot" }] : [],
      attachments: [],
      embeds: [],
      channel_type: guild === null ? 1 : this.threads.has(channel) ? 11 : 0,
      ...over,
    };
    this.keep(message);
    this.emit("MESSAGE_CREATE", message, guild);
    return message;
  }

  /** It can be read back. */
  keep(message: ChatMessage): void {
    const list = this.#history.get(message.channel_id) ?? [];
    list.push(message);
    this.#history.set(message.channel_id, list);
  }

  /** To every session of the server's shard. Without Message Content what does not name the bot says nothing. */
  emit(type: string, data: unknown, guild: string | null): void {
    for (const session of this.#sessions.values()) {
      if (session.shard !== (guild === null ? 0 : Number((BigInt(guild) >> 22n) % BigInt(session.shards))))
        continue;
      const needed = neededFor(type, guild !== null);
      if (type.startsWith("MESSAGE_") && (session.intents & needed) === 0) continue;
      this.#dispatch(session, type, hasContent(session, type, data, guild) ? data : withoutContent(data));
    }
  }

  /** Ends each connection that has a session. */
  close(code: number): void {
    for (const { socket, session } of this.#connections) if (session !== null) socket.close(code);
  }

  /** Without a goodbye. */
  cut(): void {
    for (const { socket } of this.#connections) socket.terminate();
  }

  /** Opcode 7. */
  wantsReconnect(): void {
    this.#sendAll({ op: 7, d: null });
  }

  /** Opcode 9: whether the session may be resumed all the same. */
  invalidate(isResumable: boolean): void {
    if (!isResumable) this.#sessions.clear();
    this.#sendAll({ op: 9, d: isResumable });
  }

  /** Resolves when `look` is true; looks whenever something happens here. */
  until(look: () => boolean, what: string, timeoutMs = 30_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.#watchers.delete(watch);
      };
      const watch = () => {
        if (!look()) return;
        end();
        resolve();
      };
      const timer = setTimeout(() => {
        end();
        reject(
          new Error(
            `Expected ${what}; logins ${JSON.stringify(this.logins)}, closed with ${this.closeCodes.join()}`,
          ),
        );
      }, timeoutMs);
      this.#watchers.add(watch);
      watch();
    });
  }

  async end(): Promise<void> {
    for (const { socket } of this.#connections) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #refused(): void {
    this.refusals.push(performance.now());
    this.#changed();
  }

  #connected(socket: WebSocket): void {
    const now = Date.now();
    const connection: Connection = { socket, session: null, lastHeartbeatAt: now, openedAt: now };
    this.#connections.add(connection);
    const heartbeatMs = this.#options.heartbeatMs ?? 41_250;
    if (!this.isDead) socket.send(JSON.stringify({ op: 10, d: { heartbeat_interval: heartbeatMs } }));
    const watch = setInterval(() => {
      if (Date.now() - connection.lastHeartbeatAt < heartbeatMs * 2) return;
      this.violations.push("no heartbeat");
      socket.close(4_009);
    }, heartbeatMs);
    socket.on("message", (bytes: Buffer) => this.#read(connection, JSON.parse(bytes.toString("utf8"))));
    socket.on("error", () => {});
    socket.on("close", (code) => {
      clearInterval(watch);
      this.#connections.delete(connection);
      this.closeCodes.push(code);
      const { session } = connection;
      if (session?.connection === connection) session.connection = null;
      if (session !== null && (code === 1_000 || code === 1_001)) this.#sessions.delete(session.id);
      this.#changed();
    });
  }

  #read(connection: Connection, { op, d }: { op: number; d: never }): void {
    if (op === 1) {
      connection.lastHeartbeatAt = Date.now();
      if (!this.isDead) this.#send(connection, { op: 11 });
    } else if (this.isMute)
      this.logins.push({ kind: op === 2 ? "identify" : "resume", at: Date.now(), outcome: 0 });
    else if (op === 2) this.#identify(connection, d);
    else if (op === 6) this.#resume(connection, d);
    else connection.socket.close(4_001);
    this.#changed();
  }

  #identify(
    connection: Connection,
    d: { token: string; intents: number; shard?: readonly [number, number] },
  ): void {
    const [shard, shards] = d.shard ?? [0, 1];
    const login: Login = {
      kind: "identify",
      at: Date.now(),
      intents: d.intents,
      shard: [shard, shards],
      outcome: 0,
    };
    this.logins.push(login);
    const refused =
      this.refusesWith ??
      (d.token !== this.#options.botToken
        ? 4_004
        : shards < this.shards
          ? 4_011
          : (d.intents & MESSAGE_CONTENT) !== 0 && !this.allowsContent
            ? 4_014
            : null);
    if (Date.now() - this.#lastIdentifyAt < (this.#options.identifyMs ?? IDENTIFY_MS)) {
      this.violations.push("identify too soon");
      login.outcome = "invalid";
      this.#send(connection, { op: 9, d: false });
      return;
    }
    this.#lastIdentifyAt = Date.now();
    this.remaining--;
    if (refused !== null) {
      login.outcome = refused;
      connection.socket.close(refused);
      return;
    }
    const id = `session-${this.#sessions.size}-${this.logins.length}`;
    const session: Session = { id, shard, shards, intents: d.intents, seq: 0, log: [], connection };
    this.#sessions.set(id, session);
    connection.session = session;
    login.outcome = "ready";
    this.#count(session);
    this.#dispatch(session, "READY", {
      v: 10,
      session_id: id,
      resume_gateway_url: this.url,
      user: { id: BOT, username: "bot", bot: true },
      application: { id: BOT, flags: 0 },
      guilds: [{ id: "10", unavailable: true }],
      shard: [shard, shards],
    });
    const threads = [...this.threads].map(([thread, parent_id]) => ({ id: thread, type: 11, parent_id }));
    this.#dispatch(session, "GUILD_CREATE", { id: "10", name: "Example", threads, channels: [] });
  }

  #resume(connection: Connection, d: { token: string; session_id: string; seq: number }): void {
    const login: Login = { kind: "resume", at: Date.now(), seq: d.seq, outcome: 0 };
    this.logins.push(login);
    const session = this.forgetsSessions ? undefined : this.#sessions.get(d.session_id);
    if (d.token !== this.#options.botToken || this.refusesWith !== null) {
      login.outcome = this.refusesWith ?? 4_004;
      connection.socket.close(login.outcome);
    } else if (session === undefined) {
      login.outcome = "invalid";
      this.#send(connection, { op: 9, d: false });
    } else if (d.seq > session.seq) {
      login.outcome = 4_007;
      connection.socket.close(4_007);
    } else {
      login.outcome = "resumed";
      session.connection?.socket.close(4_000);
      session.connection = connection;
      connection.session = session;
      this.#count(session);
      for (const event of session.log.filter(({ s }) => s > d.seq)) this.#send(connection, event);
      this.#dispatch(session, "RESUMED", {});
    }
  }

  #count({ shard }: Session): void {
    const same = [...this.#connections].filter(({ session }) => session?.shard === shard);
    this.holdersMax = Math.max(this.holdersMax, same.length);
  }

  #dispatch(session: Session, type: string, data: unknown): void {
    session.seq += 1;
    const event = { op: 0 as const, s: session.seq, t: type, d: data };
    session.log.push(event);
    if (this.cutsAfter !== null && this.cutsAfter-- <= 0) {
      this.cutsAfter = null;
      session.connection?.socket.terminate();
      return;
    }
    if (session.connection !== null) this.#send(session.connection, event);
  }

  #sendAll(payload: object): void {
    for (const connection of this.#connections) this.#send(connection, payload);
  }

  #send({ socket }: Connection, payload: object): void {
    if (!this.isDead) socket.send(JSON.stringify(payload), () => {});
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

function hasContent(session: Session, type: string, data: unknown, guild: string | null): boolean {
  if (!type.startsWith("MESSAGE_") || guild === null || (session.intents & MESSAGE_CONTENT) !== 0)
    return true;
  const { mentions, author } = data as { mentions?: { id: string }[]; author?: { id: string } };
  return author?.id === BOT || mentions?.some(({ id }) => id === BOT) === true;
}

function withoutContent(data: unknown): unknown {
  return { ...(data as object), content: "", embeds: [], attachments: [], components: [] };
}

/** The intent without which a session is not told. */
function neededFor(type: string, isInGuild: boolean): number {
  if (type.startsWith("MESSAGE_REACTION_")) return isInGuild ? GUILD_REACTIONS : DIRECT_REACTIONS;
  return isInGuild ? GUILD_MESSAGES : DIRECT_MESSAGES;
}
