import type { Bus } from "../ports/bus.ts";

/** Word within this process. Listeners are called after the caller has gone on, each on its own. */
export function createBus(): Bus {
  const listeners = new Map<string, Set<{ readonly heard: (message: string) => void }>>();
  return {
    async publish(topic, message) {
      for (const listener of listeners.get(topic) ?? []) {
        queueMicrotask(() => {
          if (listeners.get(topic)?.has(listener)) listener.heard(message);
        });
      }
    },
    subscribe(topic, heard) {
      const listener = { heard };
      const others = listeners.get(topic) ?? new Set();
      listeners.set(topic, others.add(listener));
      return () => {
        others.delete(listener);
        if (others.size === 0 && listeners.get(topic) === others) listeners.delete(topic);
      };
    },
  };
}
