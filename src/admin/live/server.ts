import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { LEAVE_MS } from "../../domain/bounds.ts";
import type { Feed } from "../../feed/feed.ts";
import type { Life } from "../../feed/life.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { type Caller, type Callers, isWithin, ofAnother, type WrongToken } from "../callers.ts";
import { readQuery, type StreamQuery, streamQuery } from "../requests.ts";
import { type ApiResponse, OFF, problem, refusedToken, unavailable } from "../responses.ts";
import {
  LIVE_CONNECTIONS_MAX,
  LIVE_CONNECTIONS_OF_TENANTS_MAX,
  LIVE_CONNECTIONS_PER_TOKEN_MAX,
  MESSAGE_BYTES_MAX,
  PING_MS,
  REPORT_MS,
} from "./bounds.ts";
import { Channels } from "./channels.ts";
import { LiveConnection } from "./connection.ts";
import { isOurPage, type OriginRules, PROTOCOL, tokenIn } from "./knock.ts";
import { Room } from "./outgoing.ts";
import { frameOf } from "./words.ts";

export interface LiveDeps {
  readonly feed: Pick<Feed<Life>, "watch">;
  readonly callers: Pick<Callers, "of" | "follow">;
  /** Whether there is a token of the operator; without one nobody gets in. */
  readonly isOn: boolean;
  readonly wrongToken: WrongToken;
  readonly origins: OriginRules;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Aborted when the process goes down. */
  readonly stopping: AbortSignal;
}

/** Somebody who wants to go over to WebSocket. */
export interface Knock {
  readonly incoming: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly requestId: string;
  readonly peer: string | null;
}

/** Live events over WebSocket, of the same feed as the stream of the admin API, for those who are in. */
export class LiveServer {
  readonly #deps: LiveDeps;
  readonly #upgrader = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(PROTOCOL) ? PROTOCOL : false),
  });
  readonly #channels = new Channels<LiveConnection>();
  readonly #connections = new Set<LiveConnection>();
  readonly #perToken = new Map<string, number>();
  readonly #room = new Room();
  #watching: Promise<() => void> | null = null;
  #callOff: (() => void) | null = null;
  #reported = { atMs: 0, published: 0, dropped: 0 };
  #allGone: (() => void) | null = null;

  constructor(deps: LiveDeps) {
    this.#deps = deps;
    deps.stopping.addEventListener("abort", () => this.#goDown(), { once: true });
  }

  /** Null: it is taken. Otherwise, what it is refused with. Never rejects with anything but STORE_*. */
  async take(knock: Knock): Promise<ApiResponse | null> {
    const { incoming } = knock;
    if (!this.#deps.isOn) return OFF;
    if (!isOurPage(incoming.headers, this.#deps.origins))
      return problem(403, "Expected a page of this gateway as the Origin, got another");
    const wrong = wrongHandshake(incoming);
    if (wrong !== null) return wrong;
    const given = tokenIn(incoming.headers);
    const caller = given === undefined ? null : await this.#deps.callers.of(given);
    if (caller === null) return this.#refuse(knock);
    const asked = readQuery(streamQuery, new URL(incoming.url ?? "/", "http://gateway"));
    if (!asked.ok) return problem(400, asked.message);
    if (caller.tenant !== null && !isWithin(caller.tenant, asked.value))
      return problem(403, ofAnother(caller.tenant));
    const full = this.#full(caller);
    if (full !== null) return unavailable(full);
    this.#upgrader.handleUpgrade(incoming, knock.socket, knock.head, (socket) =>
      this.#open(socket, { knock, caller, filter: asked.value }),
    );
    return null;
  }

  /** Resolves once all have left, or were cut off because they did not. */
  async leave(): Promise<void> {
    if (this.#connections.size === 0) return;
    const allGone = new Promise<void>((resolve) => {
      this.#allGone = resolve;
    });
    const callOff = this.#deps.clock.timer(LEAVE_MS, () => {
      for (const connection of this.#connections) connection.cut();
    });
    await allGone;
    callOff();
  }

  #refuse({ incoming, requestId, peer }: Knock): ApiResponse {
    const { headers } = incoming;
    const isGiven =
      headers.authorization !== undefined || headers["sec-websocket-protocol"]?.includes("bearer") === true;
    const userAgent = headers["user-agent"] ?? null;
    return refusedToken(this.#deps.wrongToken({ requestId, peer, isGiven, userAgent }));
  }

  /** Null: there is room. */
  #full({ token }: Caller): string | null {
    if (this.#deps.stopping.aborted) return "This gateway is going down";
    const max = token === null ? LIVE_CONNECTIONS_MAX : LIVE_CONNECTIONS_OF_TENANTS_MAX;
    if (this.#connections.size >= max)
      return `Expected at most ${max} connections of this replica, got one more`;
    if (token !== null && (this.#perToken.get(token.id) ?? 0) >= LIVE_CONNECTIONS_PER_TOKEN_MAX)
      return `Expected at most ${LIVE_CONNECTIONS_PER_TOKEN_MAX} connections with one token, got one more`;
    return null;
  }

  #open(
    socket: WebSocket,
    { knock, caller, filter }: { knock: Knock; caller: Caller; filter: StreamQuery },
  ): void {
    const { metrics, clock, log, callers } = this.#deps;
    const connection = new LiveConnection({
      ...{ socket, caller, channels: this.#channels, room: this.#room },
      nowMs: () => clock.nowMs(),
      published: () => {
        this.#reported.published++;
        metrics.livePublished.inc();
      },
      dropped: (count, cause) => {
        this.#reported.dropped += count;
        metrics.liveDropped.inc({ cause }, count);
      },
    });
    const who = caller.tenant === null ? "operator" : "tenant";
    const of = { request_id: knock.requestId, peer: knock.peer, ...nameOf(caller) };
    this.#connections.add(connection);
    this.#count(caller, 1);
    metrics.liveOpened.inc({ caller: who });
    metrics.liveConnections.inc({ caller: who });
    log.info({ ...of, connections: this.#connections.size }, "live.connected");
    const forgetToken = callers.follow(caller, (why) => connection.close(why === "ended" ? "token" : why));
    socket.on("close", (code) => {
      forgetToken();
      this.#connections.delete(connection);
      this.#channels.leave(connection);
      this.#count(caller, -1);
      const { cause, published, dropped } = connection;
      metrics.liveConnections.dec({ caller: who });
      metrics.liveClosed.inc({ cause });
      const seconds = Math.round((clock.nowMs() - connection.openedAtMs) / 1000);
      const line = { ...of, cause, code, seconds, published, dropped };
      if (cause === "stale") log.warn(line, "live.stale");
      else log.info(line, "live.closed");
      this.#rest();
    });
    this.#callOff ??= this.#checkLater();
    void this.#watch().then(() => connection.begin(filter));
  }

  #count({ token }: Caller, by: 1 | -1): void {
    if (token === null) return;
    const count = (this.#perToken.get(token.id) ?? 0) + by;
    if (count === 0) this.#perToken.delete(token.id);
    else this.#perToken.set(token.id, count);
  }

  async #watch(): Promise<void> {
    this.#watching ??= this.#deps.feed.watch((lives, missed) => this.#publish(lives, missed));
    await this.#watching;
  }

  /** Nobody is left. */
  #rest(): void {
    if (this.#connections.size > 0) return;
    void this.#watching?.then((leave) => leave());
    this.#watching = null;
    this.#callOff?.();
    this.#callOff = null;
    this.#report();
    this.#allGone?.();
  }

  #publish(lives: readonly Life[], missed: number): void {
    for (const life of lives) {
      const readers = this.#channels.readersOf(life);
      if (readers.size === 0) continue;
      // Made once, however many read it.
      const frame = frameOf({ type: "event", ...life });
      for (const reader of readers) reader.offer(frame);
    }
    if (missed === 0) return;
    this.#deps.metrics.liveDropped.inc({ cause: "bus" }, missed);
    for (const one of this.#connections) one.tellMissed(missed);
  }

  #checkLater(): () => void {
    if (this.#reported.atMs === 0) this.#reported.atMs = this.#deps.clock.nowMs();
    return this.#deps.clock.timer(PING_MS, () => {
      for (const connection of this.#connections) connection.check();
      if (this.#deps.clock.nowMs() - this.#reported.atMs >= REPORT_MS) this.#report();
      if (this.#callOff !== null) this.#callOff = this.#checkLater();
    });
  }

  #report(): void {
    const { published, dropped } = this.#reported;
    this.#reported = { atMs: this.#deps.clock.nowMs(), published: 0, dropped: 0 };
    if (published + dropped > 0)
      this.#deps.log.info({ published, dropped, connections: this.#connections.size }, "live.published");
  }

  #goDown(): void {
    for (const connection of this.#connections) connection.close("shutdown");
  }
}

const KEY = /^[+/0-9A-Za-z]{22}==$/;

/** Null: it is one of RFC 6455. */
function wrongHandshake({ headers, method }: IncomingMessage): ApiResponse | null {
  if (method !== "GET" || headers.upgrade?.toLowerCase() !== "websocket" || !KEY.test(keyIn(headers)))
    return problem(400, "Expected the handshake of a WebSocket, got another request");
  if (headers["sec-websocket-version"] === "13") return null;
  return problem(426, "Expected version 13 of WebSocket, got another", { "sec-websocket-version": "13" });
}

function keyIn({ "sec-websocket-key": key }: IncomingMessage["headers"]): string {
  return typeof key === "string" ? key : "";
}

function nameOf({ token, tenant }: Caller): { caller: string; token?: string; tenant?: string } {
  return token === null
    ? { caller: "operator" }
    : { caller: "tenant", token: token.id, tenant: tenant ?? "" };
}
