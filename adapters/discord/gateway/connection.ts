import { WebSocket } from "ws";
import type { Clock, Random } from "../../../src/ports/clock.ts";
import { get, getObject, type JsonObject, parseJsonObject } from "../../../src/shared/json.ts";
import type { Secret } from "../../../src/shared/secret.ts";
import { LEAVE, OP } from "./protocol.ts";

/** From the first byte to Hello, and from there to READY or RESUMED. */
const HELLO_MS = 10_000;
const READY_MS = 30_000;
/** Of one message. READY of a bot in many servers is long; nothing is as long as this. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;
/** Whoever is left gets so long to say goodbye. */
const GOODBYE_MS = 1_000;
/** Discord names 41,250 ms; nobody is believed who wants a heartbeat all the time, or none. */
const HEARTBEAT_MS_MIN = 50;
const HEARTBEAT_MS_MAX = 120_000;

/** A session that is gone on with. */
export interface Resumption {
  readonly sessionId: string;
  readonly seq: number;
}

export interface Dispatch {
  readonly type: string;
  readonly seq: number;
  readonly data: JsonObject;
}

export interface ConnectionOptions {
  readonly url: string;
  readonly token: Secret;
  readonly clock: Clock;
  readonly random: Random;
  /** Null: IDENTIFY, which waits for its turn first. */
  readonly resume: Resumption | null;
  readonly identify: { readonly intents: number; readonly shard: readonly [number, number] };
  /** Resolves when this process may send IDENTIFY; rejects when the signal comes first. */
  readonly turn: (signal: AbortSignal) => Promise<void>;
  /** Up to where everything is durable: what a heartbeat acknowledges. */
  readonly seq: () => number | null;
  readonly dispatched: (dispatch: Dispatch) => void;
}

/** How a connection ended. */
export type End =
  /** We left, because we were asked to. */
  | { readonly kind: "left" }
  | { readonly kind: "closed"; readonly code: number }
  /** `reconnect`: Discord wants us to come again. `zombie`: it acknowledged no heartbeat. `silent`: no Hello, no READY. */
  | { readonly kind: "reconnect" | "zombie" | "silent" }
  | { readonly kind: "invalid"; readonly isResumable: boolean }
  /** It did not come about. */
  | { readonly kind: "unreachable"; readonly cause: string };

/** One connection, from the first byte to the last. Resolves when nothing more comes of it; nobody waits for a goodbye. */
export function connect(options: ConnectionOptions, signal: AbortSignal): Promise<End> {
  return new Connection(options, signal).end;
}

class Connection {
  readonly #options: ConnectionOptions;
  readonly #socket: WebSocket;
  readonly #over = Promise.withResolvers<End>();
  readonly #leaving = new AbortController();
  #callOff: () => void;
  #isOver = false;
  #isOpen = false;
  #isAcknowledged = true;
  #isReady = false;
  /** Why it could not be opened. */
  #cause = "";

  constructor(options: ConnectionOptions, signal: AbortSignal) {
    this.#options = options;
    this.#socket = new WebSocket(options.url, {
      handshakeTimeout: HELLO_MS,
      maxPayload: MESSAGE_BYTES_MAX,
      followRedirects: false,
      perMessageDeflate: false,
    });
    this.#callOff = options.clock.timer(HELLO_MS, () => this.#leave({ kind: "silent" }));
    const stop = () => this.#leave({ kind: "left" });
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    void this.#over.promise.then(() => signal.removeEventListener("abort", stop));

    this.#socket.on("open", () => {
      this.#isOpen = true;
    });
    this.#socket.on("message", (bytes: Buffer) => this.#read(bytes.toString("utf8")));
    this.#socket.on("error", (error) => {
      this.#cause = causeOf(error);
    });
    this.#socket.on("close", (code) =>
      this.#ended(
        this.#isOpen ? { kind: "closed", code } : { kind: "unreachable", cause: this.#cause || "no answer" },
      ),
    );
  }

  get end(): Promise<End> {
    return this.#over.promise;
  }

  #read(text: string): void {
    if (this.#isOver) return;
    const parsed = parseJsonObject(text);
    if (!parsed.ok) return;
    const payload = parsed.value;
    switch (get(payload, "op")) {
      case OP.hello:
        this.#greeted(Number(get(getObject(payload, "d"), "heartbeat_interval")));
        break;
      case OP.dispatch:
        this.#dispatched(payload);
        break;
      case OP.heartbeatAck:
        this.#isAcknowledged = true;
        break;
      case OP.heartbeat:
        this.#send(OP.heartbeat, this.#options.seq());
        break;
      case OP.reconnect:
        this.#leave({ kind: "reconnect" });
        break;
      case OP.invalidSession:
        this.#leave({ kind: "invalid", isResumable: get(payload, "d") === true });
        break;
    }
  }

  #greeted(intervalMs: number): void {
    const { clock, random, resume } = this.#options;
    if (!(intervalMs >= HEARTBEAT_MS_MIN && intervalMs <= HEARTBEAT_MS_MAX)) {
      this.#leave({ kind: "silent" });
      return;
    }
    void this.#beat(intervalMs, random());
    this.#callOff();
    this.#callOff = clock.timer(READY_MS, () => this.#isReady || this.#leave({ kind: "silent" }));
    if (resume === null) void this.#identify();
    else {
      const { sessionId, seq } = resume;
      this.#send(OP.resume, { token: this.#options.token.reveal(), session_id: sessionId, seq });
    }
  }

  /** The first at a moment of its own, so that all who lost their connection at once do not beat together. */
  async #beat(intervalMs: number, share: number): Promise<void> {
    const { clock, seq } = this.#options;
    const { signal } = this.#leaving;
    for (let waitMs = intervalMs * share; !this.#isOver; waitMs = intervalMs) {
      await clock.sleep(waitMs, signal).catch(() => {});
      if (this.#isOver) return;
      if (!this.#isAcknowledged) return this.#leave({ kind: "zombie" });
      this.#isAcknowledged = false;
      this.#send(OP.heartbeat, seq());
    }
  }

  async #identify(): Promise<void> {
    const { token, identify, turn, clock } = this.#options;
    const { signal } = this.#leaving;
    try {
      await turn(signal);
    } catch {
      return this.#leave({ kind: "left" });
    }
    if (this.#isOver) return;
    this.#callOff();
    this.#callOff = clock.timer(READY_MS, () => this.#isReady || this.#leave({ kind: "silent" }));
    this.#send(OP.identify, {
      token: token.reveal(),
      intents: identify.intents,
      shard: identify.shard,
      properties: { os: process.platform, browser: "parley", device: "parley" },
    });
  }

  #dispatched(payload: JsonObject): void {
    const type = get(payload, "t");
    const seq = get(payload, "s");
    if (typeof type !== "string" || typeof seq !== "number") return;
    if (type === "READY" || type === "RESUMED") {
      this.#isReady = true;
      this.#callOff();
    }
    this.#options.dispatched({ type, seq, data: getObject(payload, "d") ?? {} });
  }

  #send(op: number, d: unknown): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ op, d }), () => {});
  }

  /** With a code that leaves the session open. One that is not there any more is not waited for. */
  #leave(end: End): void {
    if (this.#isOver) return;
    this.#ended(end);
    if (this.#isOpen) this.#socket.close(LEAVE);
    else this.#socket.terminate();
    this.#options.clock.timer(GOODBYE_MS, () => this.#socket.terminate());
  }

  #ended(end: End): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#callOff();
    this.#leaving.abort();
    this.#over.resolve(end);
  }
}

/** Texts of errors may hold anything; statuses and codes do not. */
function causeOf(error: Error & { code?: unknown }): string {
  const status = /^Unexpected server response: (\d{3})$/.exec(error.message)?.[1];
  if (status !== undefined) return `HTTP ${status}`;
  return typeof error.code === "string" ? error.code : "connection failed";
}
