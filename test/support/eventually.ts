import { setTimeout as sleep } from "node:timers/promises";

const AGAIN_MS = 50;

/** Asks until there is no complaint any more; throws the last one when the time is up. For what tells nobody of itself. */
export async function eventually<T>(ask: () => Promise<T>, timeoutMs: number): Promise<T> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
    }
    await sleep(AGAIN_MS);
  }
}
