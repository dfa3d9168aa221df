import type { ContextItem } from "../domain/context.ts";
import type { TriggerEvent } from "../domain/event.ts";
import { type Mention, mentionKey, type Named } from "../domain/mention.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";
import type { Metrics } from "../telemetry/metrics.ts";

export interface NamingDeps {
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, "nameLookups">;
}

/** Of one run. */
const WANTED_MAX = 100;

/**
 * How those are called whom a run's messages name by id alone. They are learnt once, after the acknowledgement, and kept with
 * the run: whoever goes on with it shows the model the same. What nobody tells stays an id.
 */
export class Naming {
  readonly #adapter: Adapter;
  readonly #deps: NamingDeps;
  readonly #names: Map<string, Named>;
  /** Looked for in this run, found or not. */
  readonly #sought = new Set<string>();

  constructor(adapter: Adapter, recorded: readonly Named[], deps: NamingDeps) {
    this.#adapter = adapter;
    this.#deps = deps;
    this.#names = new Map(recorded.map((one) => [mentionKey(one), one]));
  }

  /** As the run keeps it; nothing where there was none. */
  get recorded(): { readonly names?: readonly Named[] } {
    return this.#names.size === 0 ? {} : { names: [...this.#names.values()] };
  }

  /** Never fails for the platform's sake. */
  async takeAll(
    events: readonly TriggerEvent[],
    earlier: readonly ContextItem[],
    signal: AbortSignal,
  ): Promise<void> {
    const reader = this.#adapter.names;
    const [event] = events;
    if (reader === undefined || event === undefined) return;
    const items = [...earlier, ...events.flatMap(({ context = [] }) => context)];
    const wanted = [...events.flatMap(namelessIn), ...items.flatMap(namelessIn)].filter((one) => {
      const key = mentionKey(one);
      return !this.#names.has(key) && !this.#sought.has(key);
    });
    if (wanted.length === 0) return;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    void this.#deps.clock.sleep(reader.waitMs, either).then(
      () => over.abort("late"),
      () => {},
    );
    const chosen = [...new Map(wanted.map((one) => [mentionKey(one), one])).values()].slice(0, WANTED_MAX);
    const { names, found } = await reader.read(event.tenant, chosen, either);
    over.abort("read");
    for (const one of chosen) {
      const key = mentionKey(one);
      const name = names.get(key);
      this.#sought.add(key);
      if (name !== undefined) this.#names.set(key, { ...one, name });
    }
    for (const [source, count] of Object.entries(found))
      if (count > 0) this.#deps.metrics.nameLookups.inc({ platform: this.#adapter.platform, source }, count);
  }

  /** The same event, with names where it has ids. */
  ofEvent<T extends TriggerEvent>(event: T): T {
    if (this.#names.size === 0) return event;
    const sender = this.#names.get(mentionKey({ kind: "person", id: event.sender.id }));
    const isNameless = event.sender.name === event.sender.id;
    return {
      ...event,
      text: this.#named(event.text, event.mentions),
      ...(sender !== undefined && isNameless && { sender: { ...event.sender, name: sender.name } }),
      ...(event.context !== undefined && { context: this.ofItems(event.context) }),
    };
  }

  ofItems(items: readonly ContextItem[]): readonly ContextItem[] {
    if (this.#names.size === 0) return items;
    return items.map((item) => {
      const { author } = item;
      const name = author?.id == null || author.name !== author.id ? null : author.id;
      const known = name === null ? undefined : this.#names.get(mentionKey({ kind: "person", id: name }));
      return {
        ...item,
        text: this.#named(item.text, item.mentions),
        ...(author !== null && known !== undefined && { author: { ...author, name: known.name } }),
      };
    });
  }

  #named(text: string, mentions: readonly Mention[] = []): string {
    let named = text;
    for (const { kind, id, name, written = id } of mentions) {
      const known = name === null ? this.#names.get(mentionKey({ kind, id })) : undefined;
      if (known === undefined) continue;
      const sign = kind === "channel" ? "#" : "@";
      named = replaced(named, sign + written, sign + known.name);
    }
    return named;
  }
}

/** Where it stands for itself, and is not the beginning of a longer id. */
function replaced(text: string, from: string, to: string): string {
  const [first = "", ...rest] = text.split(from);
  return rest.reduce((before, after) => before + (/^[A-Za-z0-9]/.test(after) ? from : to) + after, first);
}

/** Whom an event or an item names by id alone, and who said it; in private nobody is shown who that is. */
function namelessIn(said: TriggerEvent | ContextItem): readonly Mention[] {
  const nameless = (said.mentions ?? []).filter(({ name }) => name === null);
  const who = "sender" in said ? said.sender : said.author;
  const isShown = !("isDirect" in said && said.isDirect);
  if (!isShown || who === null || who.id === null || who.name !== who.id || ("isBot" in who && who.isBot))
    return nameless;
  return [{ kind: "person", id: who.id, name: null }, ...nameless];
}
