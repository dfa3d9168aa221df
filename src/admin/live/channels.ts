import { tenantName } from "../../domain/tenant.ts";
import type { Life } from "../../feed/life.ts";
import type { StreamQuery } from "../requests.ts";
import { livesOf } from "../stream.ts";

interface Subscription<R> {
  readonly reader: R;
  readonly channel: string;
  /** Of the conversation that it names. */
  readonly chars: number;
  readonly isWanted: (life: Life) => boolean;
}

/**
 * Who wants what. Of thousands of readers few want any one change: they are found by what it is about, and not by asking
 * each.
 */
export class Channels<R extends object> {
  readonly #channels = new Map<string, Set<Subscription<R>>>();
  readonly #ofReader = new Map<R, Map<string, Subscription<R>>>();

  /** In place of what the reader has under this id. */
  subscribe(reader: R, id: string, filter: StreamQuery): void {
    this.unsubscribe(reader, id);
    const chars = filter.conversation?.length ?? 0;
    const subscription = { reader, channel: channelOf(filter), chars, isWanted: livesOf(filter) };
    const others = this.#channels.get(subscription.channel) ?? new Set();
    this.#channels.set(subscription.channel, others.add(subscription));
    const own = this.#ofReader.get(reader) ?? new Map();
    this.#ofReader.set(reader, own.set(id, subscription));
  }

  /** False: there is none of this id. */
  unsubscribe(reader: R, id: string): boolean {
    const own = this.#ofReader.get(reader);
    const subscription = own?.get(id);
    if (own === undefined || subscription === undefined) return false;
    own.delete(id);
    if (own.size === 0) this.#ofReader.delete(reader);
    const others = this.#channels.get(subscription.channel);
    others?.delete(subscription);
    if (others?.size === 0) this.#channels.delete(subscription.channel);
    return true;
  }

  leave(reader: R): void {
    for (const id of this.idsOf(reader)) this.unsubscribe(reader, id);
  }

  idsOf(reader: R): readonly string[] {
    return [...(this.#ofReader.get(reader)?.keys() ?? [])];
  }

  /** Of the conversations that the reader names, but for this subscription. */
  charsOf(reader: R, { without }: { readonly without: string }): number {
    let chars = 0;
    for (const [id, one] of this.#ofReader.get(reader) ?? []) if (id !== without) chars += one.chars;
    return chars;
  }

  /** Each reader once, however many of its subscriptions fit. */
  readersOf(life: Life): ReadonlySet<R> {
    const readers = new Set<R>();
    for (const channel of [...channelsOf(life), ALL]) {
      for (const { reader, isWanted } of this.#channels.get(channel) ?? [])
        if (!readers.has(reader) && isWanted(life)) readers.add(reader);
    }
    return readers;
  }
}

const ALL = "";

/** The narrowest; what else is asked for is looked at then. */
function channelOf({ conversation, tenant }: StreamQuery): string {
  if (conversation !== undefined) return `conversation ${conversation}`;
  return tenant === undefined ? ALL : `tenant ${tenant}`;
}

function channelsOf(life: Life): readonly string[] {
  return [`conversation ${life.conversation}`, `tenant ${tenantName(life) ?? ""}`];
}
