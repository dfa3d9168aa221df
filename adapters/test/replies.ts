import { LRUCache } from "lru-cache";
import type { Bus } from "../../src/ports/bus.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { get, parseJsonObject } from "../../src/shared/json.ts";

const REPLIES_MAX = 1_000;
const CHARS_MAX = 16 * 1024 * 1024;
const KEPT_MS = 10 * 60_000;
const WAITERS_MAX = 1_000;

/** A part of a reply, on its way to whoever waits for it. */
const REPLY_TOPIC = "test-reply";
/** The id of an event whose reply somebody waits for. */
const WANTED_TOPIC = "test-wanted";
/** Word on the bus may be lost; whoever still waits says so again. */
const WANTED_EVERY_MS = 2_000;

export interface RepliesDeps {
  readonly clock: Clock;
  /** The run may be on another replica than the one who waits. */
  readonly bus: Bus;
}

/** Where replies and those who wait for them meet, whichever comes first. In memory only. */
export interface Replies {
  /** A part that comes again under its id replaces itself. */
  put(eventId: string, partId: string, text: string): void;
  /** The reply to an event is also that to another one, which was answered with it. */
  alias(eventId: string, answeredAs: string): void;
  /** What has been said so far, as soon as there is any; null when aborted, or when too many wait already. */
  wait(eventId: string, signal: AbortSignal): Promise<string | null>;
}

/** A reply goes to other replicas only when one of them has asked for it: replies to nobody cost nothing. */
export function createReplies({ clock, bus }: RepliesDeps): Replies {
  const age = { ttl: KEPT_MS, ttlResolution: 0, perf: { now: () => clock.nowMs() } };
  const said = new LRUCache<string, ReadonlyMap<string, string>>({
    ...age,
    max: REPLIES_MAX,
    maxSize: CHARS_MAX,
    sizeCalculation: (parts) => 1 + parts.values().reduce((chars, text) => chars + text.length, 0),
  });
  const wanted = new LRUCache<string, true>({ ...age, max: REPLIES_MAX });
  const waiters = new Map<string, Set<(text: string) => void>>();
  let waiting = 0;

  function register(eventId: string, resolve: (text: string) => void): () => void {
    const others = waiters.get(eventId) ?? new Set();
    waiters.set(eventId, others.add(resolve));
    waiting++;
    return () => {
      if (!others.delete(resolve)) return;
      waiting--;
      if (others.size === 0 && waiters.get(eventId) === others) waiters.delete(eventId);
    };
  }

  function keep(eventId: string, partId: string, text: string): void {
    const parts = new Map(said.get(eventId)).set(partId, text);
    said.set(eventId, parts);
    const whole = joined(parts);
    for (const resolve of [...(waiters.get(eventId) ?? [])]) resolve(whole);
  }

  function tell(eventId: string, partId: string, text: string): void {
    void bus.publish(REPLY_TOPIC, JSON.stringify({ eventId, partId, text }));
  }

  async function ask(eventId: string, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      void bus.publish(WANTED_TOPIC, eventId);
      await clock.sleep(WANTED_EVERY_MS, over).catch(() => {});
    }
  }

  bus.subscribe(REPLY_TOPIC, (message) => {
    const parsed = parseJsonObject(message);
    if (!parsed.ok) return;
    const [eventId, partId, text] = ["eventId", "partId", "text"].map((key) => get(parsed.value, key));
    if (typeof eventId !== "string" || typeof partId !== "string" || typeof text !== "string") return;
    // Several replicas may answer: what is known already is no news.
    if (said.get(eventId)?.get(partId) !== text) keep(eventId, partId, text);
  });
  bus.subscribe(WANTED_TOPIC, (eventId) => {
    wanted.set(eventId, true);
    for (const [partId, text] of said.get(eventId) ?? []) tell(eventId, partId, text);
  });

  return {
    put(eventId, partId, text) {
      keep(eventId, partId, text);
      if (wanted.has(eventId)) tell(eventId, partId, text);
    },
    alias(eventId, answeredAs) {
      for (const [partId, text] of said.get(answeredAs) ?? []) this.put(eventId, partId, text);
    },
    wait(eventId, signal) {
      if (signal.aborted) return Promise.resolve(null);
      const already = said.get(eventId);
      if (already !== undefined) return Promise.resolve(joined(already));
      if (waiting >= WAITERS_MAX) return Promise.resolve(null);
      return new Promise((resolve) => {
        const over = new AbortController();
        const settle = (text: string | null) => {
          leave();
          signal.removeEventListener("abort", giveUp);
          over.abort("over");
          resolve(text);
        };
        const giveUp = () => settle(null);
        const leave = register(eventId, settle);
        signal.addEventListener("abort", giveUp, { once: true });
        void ask(eventId, over.signal);
      });
    },
  };
}

function joined(parts: ReadonlyMap<string, string>): string {
  return [...parts.values()].join("\n\n");
}
