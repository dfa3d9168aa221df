import { createHash } from "node:crypto";
import { LEAVE_MS } from "../../src/domain/bounds.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { Mailbox, Socket } from "../../src/ports/adapter.ts";
import type { Clock, Random } from "../../src/ports/clock.ts";
import { getString } from "../../src/shared/json.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { aborted } from "../shared/signals.ts";
import { type CallSlack, createWeb } from "./api.ts";
import { type Connection, connect, HELLO_MS, wrongUrl } from "./connection.ts";
import { ackOf, type Frame, readFrame } from "./envelope.ts";
import { ACK_WITHIN_MS } from "./limit.ts";
import { Pace } from "./pace.ts";
import type { ParseOptions } from "./parse.ts";

export interface SocketOptions {
  readonly appToken: Secret;
  /** Null: Slack's own. */
  readonly apiUrl: string | null;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** Slack sends each payload over any one of an app's connections, ten at most; one may end while the other goes on. */
const CONNECTIONS = 2;
/** Envelopes that are being stored; while there are as many, nothing more is read, and Slack holds it back. */
const IN_HAND_MAX = 500;

export const REASONS = [
  ...["warning", "refresh_requested", "link_disabled", "ping_timeout", "no_hello", "closed"],
  ...["ECONNRESET", "ECONNREFUSED"],
] as const;

/**
 * Socket Mode. Not by `@slack/socket-mode`: that leaves a connection before it opens the next one, five seconds later, and
 * tells of nothing early enough to do it the other way round.
 */
export function createSlackSocket(options: SocketOptions, parsing: ParseOptions): Socket {
  const { appToken, apiUrl, timeoutMs, clock } = options;
  const call = createWeb({ botToken: appToken, timeoutMs, clock, ...(apiUrl !== null && { apiUrl }) });
  return {
    name: "socket",
    account: accountOf(appToken),
    reasons: REASONS,
    ackWithinMs: ACK_WITHIN_MS,
    listen: (mailbox, signal) => new Listener({ ...options, call, parsing, mailbox, signal }).run(),
  };
}

/** An app-level token names its app. */
function accountOf(token: Secret): string {
  const text = token.reveal();
  return (
    /^xapp-\d+-([A-Z0-9]{1,32})-/.exec(text)?.[1] ??
    createHash("sha256").update(text).digest("hex").slice(0, 16)
  );
}

interface ListenerOptions extends SocketOptions {
  readonly call: CallSlack;
  readonly parsing: ParseOptions;
  readonly mailbox: Mailbox;
  readonly signal: AbortSignal;
}

type Envelope = Extract<Frame, { kind: "envelope" }>;

/** A connection that Slack has said `hello` on. */
interface Line {
  readonly connection: Connection;
  readonly openedAtMs: number;
  /** Resolves with Slack's reason when it wants to be left, or with the word for its end. */
  readonly over: Promise<string>;
}

/** All connections of one term. */
class Listener {
  readonly #options: ListenerOptions;
  readonly #pace: Pace;
  readonly #up = new Set<number>();
  readonly #lines = new Set<Connection>();
  readonly #inHand = new Set<Promise<void>>();
  readonly #waiting: [Envelope, Connection][] = [];
  /** One opens at a time, and after a failure nobody before the pause is over. */
  #opening: Promise<unknown> = Promise.resolve();
  /** What was wrong last, while nothing is up. */
  #fault: string | null = null;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#pace = new Pace(options.random);
  }

  async run(): Promise<void> {
    this.#tell();
    await Promise.all(Array.from({ length: CONNECTIONS }, (_, shard) => this.#keep(shard)));
    await Promise.all([...this.#lines].map((connection) => this.#leave(connection)));
  }

  /** Of what is being stored, what becomes durable soon is acknowledged. */
  async #leave(connection: Connection): Promise<void> {
    const over = new AbortController();
    const late = this.#options.clock.sleep(LEAVE_MS / 2, over.signal).catch(() => {});
    await Promise.race([Promise.all(this.#inHand), late]);
    over.abort("settled");
    await connection.leave();
  }

  /** One connection after the other; where Slack gives notice, the next is open before the last one is left. */
  async #keep(shard: number): Promise<void> {
    const { signal, mailbox, clock } = this.#options;
    let last: Line | null = null;
    while (!signal.aborted) {
      const line = await this.#opened();
      if (line === null) return;
      if (last !== null) void this.#leave(last.connection);
      last = line;
      this.#set(shard, true);
      const reason = await Promise.race([line.over, aborted(signal).then(() => "left")]);
      if (signal.aborted) return;
      const isRefused = reason === "link_disabled";
      mailbox.reconnects(reason);
      this.#pace.ended(clock.nowMs() - line.openedAtMs, isRefused);
      if (isRefused) {
        this.#fault = reason;
        void this.#leave(line.connection);
      }
      void line.connection.closed.then(() => {
        // Nothing has taken its place yet.
        if (last === line && !signal.aborted) this.#set(shard, false);
      });
    }
  }

  /** Tries until one is open; null when aborted first. */
  async #opened(): Promise<Line | null> {
    const mine = this.#opening.then(async () => {
      const { signal, clock } = this.#options;
      while (!signal.aborted) {
        await clock.sleep(this.#pace.pauseMs, signal).catch(() => {});
        if (signal.aborted) break;
        try {
          const line = await this.#open();
          this.#pace.opened();
          return line;
        } catch (error) {
          this.#fault = error instanceof DeliveryError ? error.message : String(error);
          this.#pace.failed(error instanceof DeliveryError ? (error.retryAfterMs ?? 0) : 0);
          this.#tell();
        }
      }
      return null;
    });
    this.#opening = mine;
    return await mine;
  }

  async #open(): Promise<Line> {
    const { call, apiUrl, clock, signal } = this.#options;
    const url = getString(await call("apps.connections.open", {}, signal), "url") ?? "";
    const wrong = wrongUrl(url, apiUrl);
    if (wrong !== null) throw new DeliveryError("rejected", `apps.connections.open: ${wrong}`);

    const hello = Promise.withResolvers<void>();
    const leaving = Promise.withResolvers<string>();
    const connection = connect(url, { clock, heard: (bytes) => this.#heard(bytes, hear) });
    const hear: Hear = { connection, hello: hello.resolve, disconnect: leaving.resolve };
    this.#lines.add(connection);
    const closed = connection.closed.then((word) => {
      this.#lines.delete(connection);
      return word;
    });
    const over = Promise.race([leaving.promise, closed]);
    const late = new AbortController();
    const end = await Promise.race([
      hello.promise.then(() => null),
      over,
      clock.sleep(HELLO_MS, AbortSignal.any([signal, late.signal])).then(
        () => "no_hello",
        () => "left",
      ),
    ]);
    late.abort("told");
    if (end === null) return { connection, openedAtMs: clock.nowMs(), over };
    void connection.leave();
    throw new DeliveryError("retry", end);
  }

  #heard(bytes: Buffer, hear: Hear): void {
    const { parsing, clock, signal } = this.#options;
    // Somebody else is asked next.
    if (signal.aborted) return;
    const frame = readFrame(bytes, parsing, clock.nowMs());
    if (frame.kind === "hello") hear.hello();
    else if (frame.kind === "disconnect") hear.disconnect(frame.reason);
    else if (frame.kind === "envelope") this.#take(frame, hear.connection);
  }

  /** What is read already when there is no more room waits here: at most one piece of each connection. */
  #take(envelope: Envelope, connection: Connection): void {
    if (this.#inHand.size >= IN_HAND_MAX) {
      this.#waiting.push([envelope, connection]);
      for (const line of this.#lines) line.pause();
      return;
    }
    const { id, inbound, takesPayload } = envelope;
    const taking = this.#options.mailbox.take(inbound).then((ack) => {
      // Not stored: Slack sends it again.
      if (ack !== null) connection.send(ackOf(id, takesPayload, ack));
      this.#inHand.delete(taking);
      this.#takeNext();
    });
    this.#inHand.add(taking);
  }

  #takeNext(): void {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    if (!this.#options.signal.aborted) this.#take(...next);
    if (this.#waiting.length === 0) for (const line of this.#lines) line.resume();
  }

  #set(shard: number, isUp: boolean): void {
    if (isUp) {
      this.#up.add(shard);
      this.#fault = null;
    } else this.#up.delete(shard);
    this.#options.mailbox.connected(shard, isUp);
    this.#tell();
  }

  #tell(): void {
    const { size } = this.#up;
    const fault = this.#fault;
    if (size > 0)
      this.#options.mailbox.report({ status: "ok", details: `${size} of ${CONNECTIONS} connections` });
    else if (fault === null) this.#options.mailbox.report({ status: "connecting", details: "opening" });
    else this.#options.mailbox.report({ status: "failed", details: fault });
  }
}

interface Hear {
  readonly connection: Connection;
  readonly hello: () => void;
  readonly disconnect: (reason: string) => void;
}
