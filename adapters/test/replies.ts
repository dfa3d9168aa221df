import { LRUCache } from "lru-cache";
import type { Clock } from "../../src/ports/clock.ts";

const REPLIES_MAX = 1_000;
const CHARS_MAX = 16 * 1024 * 1024;
const KEPT_MS = 10 * 60_000;
const WAITERS_MAX = 1_000;

/** Where replies and those who wait for them meet, whichever comes first. In memory only. */
interface Replies {
  /** A part that comes again under its id replaces itself. */
  put(eventId: string, partId: string, text: string): void;
  /** What has been said so far, as soon as there is any; null when aborted, or when too many wait already. */
  wait(eventId: string, signal: AbortSignal): Promise<string | null>;
}

export function createReplies(clock: Pick<Clock, "nowMs">): Replies {
  const said = new LRUCache<string, ReadonlyMap<string, string>>({
    max: REPLIES_MAX,
    maxSize: CHARS_MAX,
    sizeCalculation: (parts) => 1 + parts.values().reduce((chars, text) => chars + text.length, 0),
    ttl: KEPT_MS,
    ttlResolution: 0,
    perf: { now: () => clock.nowMs() },
  });
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

  return {
    put(eventId, partId, text) {
      const parts = new Map(said.get(eventId)).set(partId, text);
      said.set(eventId, parts);
      const whole = joined(parts);
      for (const resolve of [...(waiters.get(eventId) ?? [])]) resolve(whole);
    },
    wait(eventId, signal) {
      if (signal.aborted) return Promise.resolve(null);
      const already = said.get(eventId);
      if (already !== undefined) return Promise.resolve(joined(already));
      if (waiting >= WAITERS_MAX) return Promise.resolve(null);
      return new Promise((resolve) => {
        const settle = (text: string | null) => {
          leave();
          signal.removeEventListener("abort", giveUp);
          resolve(text);
        };
        const giveUp = () => settle(null);
        const leave = register(eventId, settle);
        signal.addEventListener("abort", giveUp, { once: true });
      });
    },
  };
}

function joined(parts: ReadonlyMap<string, string>): string {
  return [...parts.values()].join("\n\n");
}
