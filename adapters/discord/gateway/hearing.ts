import type { Ack, Inbound } from "../../../src/ports/adapter.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { isRejected } from "../../../src/shared/fault.ts";
import { getArray, getString, isObject, type JsonObject, parseJsonObject } from "../../../src/shared/json.ts";
import type { ReactionsOption } from "../../shared/reactions.ts";
import { UNSTOPPED } from "../../shared/signals.ts";
import type { DiscordRest } from "../api.ts";
import type { Changes } from "../changes.ts";
import { messagesOf } from "../channels.ts";
import { type ReadingOptions, readInteraction } from "../event.ts";
import { isWritten, type MessageOptions, type Place, readMessage, type Self, TAKEN } from "../message.ts";
import { readReaction } from "../reactions.ts";
import { isSnowflake } from "../snowflake.ts";
import { Arrivals, untilGiven } from "./arrivals.ts";
import type { Dispatch } from "./connection.ts";
import { Note, type Notebook } from "./note.ts";
import type { Places } from "./places.ts";
import type { ShardInbox } from "./shard.ts";
import { isLater, TakingPart, type Visited } from "./taking-part.ts";

/** What is read back of one channel: as much as Discord gives at once, so often. */
const PAGE = 100;
const PAGES_MAX = 3;
const TRIES_MAX = 5;
const AGAIN_MS = 500;

export interface HearingOptions {
  readonly shard: number;
  readonly rest: DiscordRest;
  readonly clock: Clock;
  readonly places: Places;
  /** Null: it is not stored, and has to be offered again. */
  readonly take: (inbound: Inbound) => Promise<Ack | null>;
  readonly notes: Notebook;
  readonly replies: "reply" | "thread";
  readonly changes: Changes;
  /** How interactions are read. */
  readonly reading: ReadingOptions;
  readonly reactions: ReactionsOption | undefined;
  /** Of another application nothing is taken; empty: the bot's own. */
  readonly applicationId: string;
  /** So many messages were read back. */
  readonly readBack: (messages: number) => void;
}

/** What one shard hears: read, offered until it is taken, and answered where somebody waits for a sign. */
export class Hearing implements ShardInbox {
  readonly #options: HearingOptions;
  readonly #signal: AbortSignal;
  readonly #arrivals = new Arrivals();
  readonly #takingPart = new TakingPart();
  readonly #note: Note;

  constructor(options: HearingOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    const { notes, shard, clock } = options;
    this.#note = new Note(notes, `channels.${shard}`, clock, () => this.#takingPart.write());
  }

  /** Rejects when the store is away. */
  async recall(): Promise<void> {
    this.#takingPart.read(await this.#note.recall());
  }

  get isFull(): boolean {
    return this.#arrivals.isFull;
  }

  drained(): Promise<void> {
    return this.#arrivals.drained();
  }

  flush(): Promise<void> {
    return this.#note.write();
  }

  arrived({ type, data }: Dispatch, self: Self, done: () => void): void {
    const channel = getString(data, "channel_id") ?? "";
    const guildId = getString(data, "guild_id") ?? null;
    // Aborted before it was taken: it is not done.
    const add = (lane: string, work: () => Promise<boolean>) =>
      this.#arrivals.add(lane, async () => {
        if (await work()) done();
      });
    switch (type) {
      case "READY":
        this.#readBackAll(self, done);
        break;
      case "MESSAGE_CREATE":
        add(channel, () => this.#heard(data, guildId, self));
        break;
      case "MESSAGE_UPDATE":
        add(channel, () => this.#edited(data, guildId, self));
        break;
      case "MESSAGE_DELETE":
      case "MESSAGE_DELETE_BULK":
        add(channel, async () => (await this.#taken(this.#options.changes.deleted(data, self))) !== null);
        break;
      case "MESSAGE_REACTION_ADD":
      case "MESSAGE_REACTION_REMOVE":
        add(`reactions ${channel}`, () => this.#reacted(type, data, self));
        break;
      case "INTERACTION_CREATE":
        // Discord gives up on it after three seconds, so it waits for nothing that was said before it.
        add(`interaction ${getString(data, "id")}`, () => this.#pressed(data, self));
        break;
      default:
        this.#options.places.learn(type, data);
        done();
    }
  }

  /** False: aborted before it was taken. */
  async #heard(message: JsonObject, guildId: string | null, self: Self): Promise<boolean> {
    const { changes } = this.#options;
    const place = await this.#placeOf(message, guildId, self);
    const ack = await this.#taken(readMessage(message, this.#readingOf(self, place)));
    if (ack === null) return false;
    changes.heard(message);
    const channelId = getString(message, "channel_id");
    const lastId = getString(message, "id");
    if (isSnowflake(channelId) && isSnowflake(lastId)) {
      const seen = this.#takingPart.saw({ channelId, guildId, lastId }, ack.status === TAKEN.status);
      // Where the bot has just come in, nobody would look for what is missed; elsewhere a little more is read again.
      if (seen === "new") void this.#note.write();
      else if (seen === "later") this.#note.soon();
    }
    return true;
  }

  async #reacted(type: string, data: JsonObject, self: Self): Promise<boolean> {
    const { reactions: options, clock } = this.#options;
    const inbound = options && readReaction(type, data, { self, nowMs: clock.nowMs(), options });
    return !inbound || (await this.#taken(inbound)) !== null;
  }

  async #edited(message: JsonObject, guildId: string | null, self: Self): Promise<boolean> {
    const { changes } = this.#options;
    const place = await this.#placeOf(message, guildId, self);
    return (await this.#taken(changes.edited(message, this.#readingOf(self, place)))) !== null;
  }

  #readingOf(self: Self, place: Place): MessageOptions {
    const { replies, reading } = this.#options;
    return { self, place, replies, embeds: reading.embeds === true };
  }

  async #placeOf(message: JsonObject, guildId: string | null, self: Self): Promise<Place> {
    const { places } = this.#options;
    const known = places.known(message, guildId);
    if (known !== null) return known;
    if (guildId === null || !isWritten(message, self)) return { guildId, isThread: false, parentId: null };
    return await places.find(message, guildId, this.#signal);
  }

  async #pressed(interaction: JsonObject, self: Self): Promise<boolean> {
    const { applicationId, clock, reading } = this.#options;
    const inbound = readInteraction(interaction, {
      ...reading,
      applicationId: applicationId === "" ? self.applicationId : applicationId,
      receivedAtMs: clock.nowMs(),
      sentAtMs: 0,
    });
    const ack = await this.#taken(inbound);
    if (ack?.body !== undefined) void this.#callBack(interaction, ack.body);
    return ack !== null;
  }

  /** What a webhook would be answered with. When Discord does not take it, the answer goes to the channel. */
  async #callBack(interaction: JsonObject, body: string): Promise<void> {
    const parsed = parseJsonObject(body);
    const id = encodeURIComponent(getString(interaction, "id") ?? "");
    const token = encodeURIComponent(getString(interaction, "token") ?? "");
    if (!parsed.ok) return;
    await this.#options.rest
      .ask(
        {
          method: "POST",
          route: `/interactions/${id}/${token}/callback`,
          body: parsed.value,
          as: "interaction",
          what: "callback of an interaction",
          repeatable: false,
        },
        UNSTOPPED,
      )
      .catch(() => {});
  }

  #taken(inbound: Inbound): Promise<Ack | null> {
    const { take, clock } = this.#options;
    return untilGiven(() => take(inbound), { clock, signal: this.#signal });
  }

  /** A session begins. Whatever was said since the last one is heard before what is said from now on. */
  #readBackAll(self: Self, done: () => void): void {
    const channels = this.#takingPart.all;
    let left = channels.length;
    if (left === 0) done();
    for (const visited of channels)
      this.#arrivals.add(visited.channelId, async () => {
        if ((await this.#readBack(visited, self)) && --left === 0) done();
      });
  }

  async #readBack(visited: Visited, self: Self): Promise<boolean> {
    let { lastId } = visited;
    for (let page = 0; page < PAGES_MAX; page++) {
      const later = await this.#laterThan(lastId, visited.channelId);
      if (this.#signal.aborted) return false;
      for (const message of later) {
        if (!(await this.#heard(message, visited.guildId, self))) return false;
        lastId = getString(message, "id") ?? lastId;
      }
      this.#options.readBack(later.length);
      if (later.length < PAGE) break;
    }
    return true;
  }

  /** Oldest first. Nothing where the bot may not read, or Discord does not answer in time. */
  async #laterThan(lastId: string, channelId: string): Promise<readonly JsonObject[]> {
    const { rest, clock } = this.#options;
    for (let tries = 0; tries < TRIES_MAX && !this.#signal.aborted; tries++) {
      try {
        const list = await rest.ask(
          {
            method: "GET",
            route: `${messagesOf(channelId)}?after=${lastId}&limit=${PAGE}`,
            as: "bot",
            what: "reading back of a channel",
            repeatable: true,
          },
          this.#signal,
        );
        return getArray(list, "items")
          .filter(isObject)
          .filter((message) => isSnowflake(message.id))
          .sort((a, b) => (isLater(String(a.id), String(b.id)) ? 1 : -1));
      } catch (error) {
        if (isRejected(error)) return [];
        await clock.sleep(AGAIN_MS * 2 ** tries, this.#signal).catch(() => {});
      }
    }
    return [];
  }
}
