import type { ReplyAddress } from "../domain/event.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";

/** A quicker answer says by itself that it was worked on; an indicator before it would be a call for nothing. */
export const TYPING_AFTER_MS = 500;

/** Shows that the bot is working, once that takes a while. Gives how to stop; a call on its way ends by itself. */
export function showTyping(
  adapter: Pick<Adapter, "typing">,
  to: ReplyAddress,
  clock: Pick<Clock, "sleep">,
): () => void {
  if (adapter.typing === undefined) return () => {};
  const stop = new AbortController();
  const late = clock.sleep(TYPING_AFTER_MS, stop.signal);
  late.then(
    () => void adapter.typing?.(to, stop.signal),
    () => {}, // Answered before.
  );
  // A reason of ours: the default one is an error with a stack, made anew each time.
  return () => stop.abort("answered");
}
