import type { Clock } from "../ports/clock.ts";

/** The work's result, or null when it is not there in time. Leaves no timer behind. */
export async function within<T>(work: Promise<T>, ms: number, clock: Clock): Promise<T | null> {
  const over = new AbortController();
  const late = clock.sleep(ms, over.signal).then(
    () => null,
    () => null,
  );
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort("over");
  }
}
