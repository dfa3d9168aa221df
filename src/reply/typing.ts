import type { ReplyAddress } from "../domain/event.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";

/** A quicker answer says by itself that it was worked on; an indicator before it would be a call for nothing. */
export const TYPING_AFTER_MS = 500;

/** Shows that the bot is working, once that takes a while. Gives how to stop; a call on its way ends by itself. */
export function showTyping(
  adapter: Pick<Adapter, "typing">,
  to: ReplyAddress,
  clock: Pick<Clock, "timer">,
): () => void {
  if (adapter.typing === undefined) return () => {};
  let shown: AbortController | undefined;
  const off = clock.timer(TYPING_AFTER_MS, () => {
    shown = new AbortController();
    void adapter.typing?.(to, shown.signal);
  });
  return () => {
    off();
    shown?.abort("answered");
  };
}
