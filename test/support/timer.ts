import type { Clock } from "../../src/ports/clock.ts";

/** The timers of a clock of which a test makes only the sleeps. */
export function timerOf(clock: Pick<Clock, "sleep">): Clock["timer"] {
  return (durationMs, ring) => {
    const off = new AbortController();
    clock.sleep(durationMs, off.signal).then(
      () => {
        if (!off.signal.aborted) ring();
      },
      () => {}, // Called off.
    );
    return () => off.abort("called off");
  };
}
