import { setTimeout as wait } from "node:timers/promises";
import type { Clock } from "../ports/clock.ts";

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  async sleep(durationMs, signal) {
    signal?.throwIfAborted();
    try {
      await wait(durationMs, undefined, signal ? { signal } : {});
    } catch {
      signal?.throwIfAborted();
    }
  },
};
