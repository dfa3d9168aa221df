import type { Clock, Random } from "../../../src/ports/clock.ts";
import { getObject, getString, type JsonObject } from "../../../src/shared/json.ts";
import type { Secret } from "../../../src/shared/secret.ts";
import { aborted } from "../../shared/signals.ts";
import type { Self } from "../message.ts";
import { isSnowflake } from "../snowflake.ts";
import { socketAddress } from "./address.ts";
import { Sequence } from "./arrivals.ts";
import { connect, type Dispatch, type End } from "./connection.ts";
import type { Identifies } from "./identifies.ts";
import { Note, type Notebook } from "./note.ts";
import { Pauses } from "./pauses.ts";
import { CLOSE, intentsOf, leftBy, wordOf } from "./protocol.ts";
import { readSession, type Session, writeSession } from "./session.ts";
import { troubleOf, waitOf } from "./trouble.ts";

export interface ShardOptions {
  readonly shard: number;
  readonly shards: number;
  readonly token: Secret;
  readonly apiUrl: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly identifies: Identifies;
  readonly notes: Notebook;
  readonly told: Told;
  readonly inbox: ShardInbox;
  readonly hearsReactions: boolean;
}

/** What others are told of a shard. */
export interface Told {
  state(status: "ok" | "connecting" | "failed", details: string): void;
  connected(isUp: boolean): void;
  reconnects(reason: string): void;
  /** There are too few shards for the servers that the bot is in. */
  tooFewShards(): void;
}

/** What is done with what a shard hears. */
export interface ShardInbox {
  /** `done` is called when nothing of it can be lost any more. */
  arrived(dispatch: Dispatch, self: Self, done: () => void): void;
  /** Too much waits for the store. */
  readonly isFull: boolean;
  drained(): Promise<void>;
}

/** One shard: connects, resumes, begins anew, for as long as it is held. */
export class Shard {
  readonly #options: ShardOptions;
  readonly #signal: AbortSignal;
  readonly #pauses: Pauses;
  #session: Session | null = null;
  #sequence = new Sequence(null);
  /** Discord may not let us. */
  #readsContent = true;
  readonly #note: Note;

  constructor(options: ShardOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#pauses = new Pauses(options.clock, options.random);
    this.#note = new Note(options.notes, `session.${options.shard}`, options.clock, () => this.#value());
  }

  /** Resolves when aborted. Rejects when the notes cannot be read. */
  async run(): Promise<void> {
    const session = readSession(await this.#note.recall());
    const { shards, hearsReactions } = this.#options;
    if (session?.shards === shards && (session.hearsReactions === true) === hearsReactions) {
      this.#session = session;
      this.#sequence = new Sequence(session.seq);
    }
    while (!this.#signal.aborted) {
      await this.#pauses.wait(this.#signal);
      if (!this.#signal.aborted) await this.#once();
    }
  }

  /** What is durable by now is noted for the next holder. */
  flush(): Promise<void> {
    return this.#note.write();
  }

  /** One connection. */
  async #once(): Promise<void> {
    const { told } = this.#options;
    told.state("connecting", this.#session === null ? "begins a session" : "resumes its session");
    const url = await this.#address();
    if (url === null) return;
    const leaving = new AbortController();
    const end = await connect(
      { ...this.#connection(leaving), url },
      AbortSignal.any([this.#signal, leaving.signal]),
    );
    told.connected(false);
    if (this.#signal.aborted) return;
    await this.#ended(end);
  }

  /** Null: there is none now, and somebody was told why. */
  async #address(): Promise<string | null> {
    const { identifies, apiUrl, told } = this.#options;
    try {
      // Where a session is resumed may be gone for good, while Discord itself answers.
      if (this.#session === null || this.#pauses.failures > RESUMES_MAX) {
        await identifies.door(this.#signal);
        if (this.#session !== null) this.#forget();
      }
      const said = this.#session?.url ?? (await identifies.door(this.#signal)).url;
      const url = socketAddress(said, apiUrl);
      if (url !== null) return url;
      told.state("failed", "was sent to a host that is not Discord's; look at DISCORD_API_URL");
      this.#forget();
    } catch (error) {
      if (this.#signal.aborted) return null;
      const { status, details } = troubleOf(error);
      told.state(status, details);
      this.#pauses.failed(waitOf(error));
      return null;
    }
    this.#pauses.failed();
    return null;
  }

  #connection(leaving: AbortController) {
    const { shard, shards, identifies, token, clock, random, inbox, hearsReactions } = this.#options;
    const session = this.#session;
    // What comes again is offered again.
    this.#sequence = new Sequence(session === null ? null : this.#sequence.durable);
    const seq = this.#sequence.durable;
    return {
      token,
      clock,
      random,
      resume: session === null || seq === null ? null : { sessionId: session.id, seq },
      identify: { intents: intentsOf(this.#readsContent, hearsReactions), shard: [shard, shards] as const },
      turn: (signal: AbortSignal) => identifies.turn(shard, signal),
      seq: () => this.#sequence.durable,
      dispatched: (dispatch: Dispatch) => {
        this.#dispatched(dispatch);
        if (inbox.isFull) leaving.abort();
      },
    };
  }

  #dispatched(dispatch: Dispatch): void {
    const { inbox } = this.#options;
    if (dispatch.type === "READY") this.#begun(dispatch.data);
    if (dispatch.type === "READY" || dispatch.type === "RESUMED") this.#isUp();
    const sequence = this.#sequence;
    const advance = sequence.begin(dispatch.seq);
    const done = () => {
      advance();
      if (sequence !== this.#sequence) return;
      // Without a note of the session whoever holds next begins another, and hears nothing of what came in between.
      if (dispatch.type === "READY") void this.#note.write();
      else this.#note.soon();
    };
    if (this.#session === null) done();
    else inbox.arrived(dispatch, this.#session.self, done);
  }

  #begun(data: JsonObject): void {
    const { shards, hearsReactions } = this.#options;
    const id = getString(data, "session_id");
    const url = getString(data, "resume_gateway_url");
    const userId = getString(getObject(data, "user"), "id");
    // A bot's user has the id of its application, but for the oldest.
    const applicationId = getString(getObject(data, "application"), "id") ?? userId;
    if (id === undefined || url === undefined || !isSnowflake(userId) || !isSnowflake(applicationId)) return;
    const hears = hearsReactions ? { hearsReactions } : {};
    this.#session = { id, url, seq: 0, shards, self: { applicationId, userId }, ...hears };
  }

  #isUp(): void {
    const { told } = this.#options;
    this.#pauses.stands();
    told.connected(true);
    told.state(
      "ok",
      this.#readsContent
        ? "connected"
        : "connected without Message Content, so only mentions and direct messages are heard; switch on Message Content " +
            "Intent on the page Bot of the Developer Portal and restart",
    );
  }

  async #ended(end: End): Promise<void> {
    const { told, inbox } = this.#options;
    told.reconnects(reasonOf(end));
    switch (end.kind) {
      case "left":
        // Too much waits: what Discord keeps meanwhile is not lost.
        told.state("connecting", "waits until the store takes what has come");
        await Promise.race([inbox.drained(), aborted(this.#signal)]);
        return;
      case "closed":
        return this.#closed(end.code);
      case "invalid":
        if (!end.isResumable) this.#forget();
        return this.#pauses.failed();
      case "reconnect":
      case "zombie":
        return this.#pauses.lost();
      case "silent":
        told.state("connecting", "no answer from the Gateway");
        return this.#pauses.failed();
      case "unreachable":
        told.state("connecting", `could not connect (${end.cause})`);
        return this.#pauses.failed();
    }
  }

  #closed(code: number): void {
    const { told } = this.#options;
    const left = leftBy(code);
    if (left === "resumable") {
      told.state("connecting", wordOf(code));
      this.#pauses.lost();
      return;
    }
    this.#forget();
    if (code === CLOSE.shardingRequired) told.tooFewShards();
    if (code === CLOSE.disallowedIntents && this.#readsContent) {
      this.#readsContent = false;
      return;
    }
    if (left === "refused") told.state("failed", wordOf(code));
    this.#pauses.failed();
  }

  #forget(): void {
    this.#session = null;
    this.#sequence = new Sequence(null);
    this.#note.soon();
  }

  #value(): string {
    const seq = this.#sequence.durable;
    return this.#session === null || seq === null ? "" : writeSession({ ...this.#session, seq });
  }
}

/** Tries to reach the host that keeps the session, before another session is begun elsewhere. */
const RESUMES_MAX = 5;

export const REASONS = [
  "reconnect",
  "zombie",
  "silent",
  "unreachable",
  "invalid_session",
  "closed",
  "store_full",
];

function reasonOf(end: End): string {
  if (end.kind === "invalid") return "invalid_session";
  return end.kind === "left" ? "store_full" : end.kind;
}
