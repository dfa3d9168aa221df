import type { TriggerEvent } from "../domain/event.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";
import { Deferred } from "./settle.ts";

/** Right after a start an adapter asks its platform whose credentials it has, which takes a moment. */
const WAIT_MS = 2_000;
const LOOK_MS = 50;

/**
 * Whether an answer to this event can be said at all: a run that nobody can hear is not paid for. Throws Deferred when
 * that is not known yet, and the signal's reason when aborted.
 */
export async function canBeAnswered(
  event: TriggerEvent,
  adapter: Adapter,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> {
  for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
    const told = adapter.serves === undefined ? true : adapter.serves(event);
    // As a rule it is known: then nothing waits.
    const isServed = told instanceof Promise ? await told : told;
    if (isServed !== null) return isServed;
    if (waitedMs >= WAIT_MS)
      throw new Deferred(`${adapter.platform} has not told yet whose credentials these are`);
    await clock.sleep(LOOK_MS, signal);
  }
}
