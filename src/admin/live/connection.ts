import type { WebSocket } from "ws";
import { Tap } from "../../shared/tap.ts";
import { type Caller, isWithin, ofAnother, TOKEN_ENDS } from "../callers.ts";
import type { StreamQuery } from "../requests.ts";
import { MESSAGE_BYTES_MAX, MESSAGES_RATE, SUBSCRIBED_CHARS_MAX, SUBSCRIPTIONS_MAX } from "./bounds.ts";
import type { Channels } from "./channels.ts";
import { Outgoing, type OutgoingDeps } from "./outgoing.ts";
import { DEFAULT, frameOf, type Heard, hear, type LiveFrame, type Said } from "./words.ts";

/** Why a connection is over, as metrics and the log have it. */
export type Cause = "client" | "stale" | "token" | "unknown" | "misuse" | "shutdown";

/** Codes of RFC 6455, and one of ours: whoever gets it need not come again with the same token. */
const CODES = {
  token: [4401, TOKEN_ENDS.ended],
  unknown: [1013, TOKEN_ENDS.unknown],
  shutdown: [1001, "this gateway is going down"],
} as const;

export interface ConnectionDeps extends Omit<OutgoingDeps, "wire" | "published" | "dropped"> {
  readonly socket: WebSocket;
  readonly caller: Caller;
  readonly channels: Channels<LiveConnection>;
  readonly nowMs: () => number;
  readonly published: () => void;
  readonly dropped: OutgoingDeps["dropped"];
}

/** One client of `/ws`: what it wants, and what waits for it. */
export class LiveConnection {
  readonly caller: Caller;
  readonly openedAtMs: number;
  readonly #socket: WebSocket;
  readonly #channels: Channels<LiveConnection>;
  readonly #outgoing: Outgoing;
  readonly #nowMs: () => number;
  readonly #tap = new Tap(MESSAGES_RATE);
  /** What was said before it began, which is answered then; null: it has. */
  #early: string[] | null = [];
  #earlyBytes = 0;
  #isThere = true;
  #cause: Cause | null = null;
  published = 0;
  dropped = 0;

  constructor({ socket, caller, channels, nowMs, ...deps }: ConnectionDeps) {
    this.caller = caller;
    this.openedAtMs = nowMs();
    this.#socket = socket;
    this.#channels = channels;
    this.#nowMs = nowMs;
    this.#outgoing = new Outgoing({
      room: deps.room,
      wire: { send: (frame, done) => socket.send(frame, { binary: false }, () => done()) },
      published: () => {
        this.published++;
        deps.published();
      },
      dropped: (count, cause) => {
        this.dropped += count;
        deps.dropped(count, cause);
      },
    });
    socket.on("message", (data: Buffer, isBinary) => this.#hear(data, isBinary));
    socket.on("pong", () => {
      this.#isThere = true;
    });
    // Whatever it is, the connection closes of it.
    socket.on("error", () => {
      this.#cause ??= "misuse";
    });
    socket.on("close", () => this.#outgoing.end());
  }

  /** Why it is over, or will be. */
  get cause(): Cause {
    return this.#cause ?? "client";
  }

  /** What it wants until it says something else, and what it may see. */
  begin(filter: StreamQuery): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#channels.subscribe(this, DEFAULT, this.#bound(filter));
    this.say({ type: "watching", id: DEFAULT, tenant: this.caller.tenant });
    const early = this.#early ?? [];
    this.#early = null;
    for (const text of early) this.#answer(text);
  }

  offer(frame: Buffer): void {
    this.#outgoing.offer(frame);
  }

  /** Where there is no room for it, some is missing there anyway, and that is told. */
  tellMissed(count: number): void {
    const frame = {
      type: "dropped",
      cause: "bus",
      count: this.caller.tenant === null ? count : null,
    } as const;
    this.#outgoing.say(frameOf(frame));
  }

  say(frame: LiveFrame): void {
    if (!this.#outgoing.say(frameOf(frame))) this.#misused(1008, "the answers to what you say are not read");
  }

  /** Asks whether it is there. False: it has not answered since it was asked last, and is gone. */
  check(): boolean {
    if (!this.#isThere) {
      this.#cause ??= "stale";
      this.#socket.terminate();
      return false;
    }
    this.#isThere = false;
    this.#socket.ping();
    return true;
  }

  close(cause: keyof typeof CODES): void {
    const [code, reason] = CODES[cause];
    this.#end(cause, code, reason);
  }

  /** Without waiting for its answer. */
  cut(): void {
    this.#socket.terminate();
  }

  #end(cause: Cause, code: number, reason: string): void {
    if (this.#cause !== null) return;
    this.#cause = cause;
    this.#early = null;
    this.#channels.leave(this);
    // What has not gone out by now does not: nothing comes behind the word of the end.
    this.#outgoing.end();
    this.#socket.close(code, reason);
  }

  #misused(code: number, reason: string): void {
    this.#end("misuse", code, reason);
  }

  #hear(data: Buffer, isBinary: boolean): void {
    // What comes while it closes is answered no more.
    if (this.#cause !== null) return;
    this.#isThere = true;
    if (isBinary) this.#misused(1003, "expected text, got bytes");
    else if (!this.#tap.give(this.#nowMs())) this.#misused(1008, "too many messages");
    else if (this.#early === null) this.#answer(data.toString("utf8"));
    else this.#keepEarly(this.#early, data);
  }

  /** The beginning waits for the bus, which may take long: as much is kept as one message may have. */
  #keepEarly(early: string[], data: Buffer): void {
    this.#earlyBytes += data.length;
    if (this.#earlyBytes > MESSAGE_BYTES_MAX) this.#misused(1008, "too much before the beginning");
    else early.push(data.toString("utf8"));
  }

  #answer(text: string): void {
    if (this.#cause === null) this.say(this.#answerTo(hear(text)));
  }

  #answerTo(heard: Heard): LiveFrame {
    if (!heard.ok) {
      const { ok: _, ...what } = heard;
      return { type: "error", code: "malformed", ...what };
    }
    const { said } = heard;
    switch (said.type) {
      case "ping":
        return { type: "pong" };
      case "unsubscribe": {
        const { id } = said;
        if (this.#channels.unsubscribe(this, id)) return { type: "unsubscribed", id };
        return { type: "error", code: "unknown", message: "There is no subscription of this id", id };
      }
      case "subscribe":
        return this.#subscribe(said);
    }
  }

  #subscribe({ id, filter }: Said & { type: "subscribe" }): LiveFrame {
    const { tenant } = this.caller;
    if (tenant !== null && !isWithin(tenant, filter))
      return { type: "error", code: "forbidden", message: ofAnother(tenant), id };
    const ids = this.#channels.idsOf(this);
    if (ids.length >= SUBSCRIPTIONS_MAX && !ids.includes(id)) {
      const message = `Expected at most ${SUBSCRIPTIONS_MAX} subscriptions, got one more`;
      return { type: "error", code: "too_many", message, id };
    }
    const chars = (filter.conversation?.length ?? 0) + this.#channels.charsOf(this, { without: id });
    if (chars > SUBSCRIBED_CHARS_MAX) {
      const message = `Expected conversations of at most ${SUBSCRIBED_CHARS_MAX} characters together, got more`;
      return { type: "error", code: "too_many", message, id };
    }
    const bound = this.#bound(filter);
    this.#channels.subscribe(this, id, bound);
    return { type: "subscribed", id, ...bound };
  }

  /** Whoever has the token of a tenant sees that one, whatever is asked for. */
  #bound(filter: StreamQuery): StreamQuery {
    const { tenant } = this.caller;
    return tenant === null ? filter : { ...filter, tenant };
  }
}
