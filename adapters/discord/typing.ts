import type { ReplyAddress } from "../../src/domain/event.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { readAddress } from "./address.ts";
import type { DiscordRest } from "./api.ts";

/** Discord shows it for ten seconds. */
const TYPING_EVERY_MS = 8_000;

/**
 * Shows that the bot is writing, until aborted. Of an interaction the deferred answer says so already. It is a courtesy:
 * whatever becomes of it, nothing is said of it.
 */
export async function showTyping(
  to: ReplyAddress,
  { rest, clock, signal }: { rest: DiscordRest; clock: Pick<Clock, "sleep">; signal: AbortSignal },
): Promise<void> {
  const address = readAddress(to);
  if (address?.kind !== "message") return;
  while (!signal.aborted) {
    try {
      await rest.ask(
        {
          method: "POST",
          route: `/channels/${encodeURIComponent(address.channelId)}/typing`,
          as: "bot",
          what: "typing indicator",
          repeatable: true,
        },
        signal,
      );
      await clock.sleep(TYPING_EVERY_MS, signal);
    } catch {
      return;
    }
  }
}
