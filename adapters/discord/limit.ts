import type { Limit } from "../shared/split.ts";
import type { DiscordAddress } from "./address.ts";
import { REPEAT_NOTICE } from "./notice.ts";

/** What an interaction takes beside the edits of its answer, where the app is installed by a person alone. */
export const FOLLOW_UPS_MAX = 5;

/** Says in the last message what is missing; `chars` is null where nobody counted. */
export function closingLine(chars: number | null, followUpsMax = FOLLOW_UPS_MAX): string {
  const rest = chars === null ? "the rest" : `the rest, ${chars} character${chars === 1 ? "" : "s"},`;
  return `… (${rest} does not fit: Discord takes no more than ${1 + followUpsMax} messages from an app that only you installed)`;
}

/**
 * Of a reply to this interaction; null: it may be as long as any. Each message has room for both lines that may have to
 * be added to it, for a follow-up is refused beforehand when something else was said for the interaction.
 */
export function limitOf(address: DiscordAddress): Limit | null {
  const followUpsMax = address.kind === "interaction" ? address.followUpsMax : undefined;
  if (followUpsMax === undefined) return null;
  return {
    messagesMax: 1 + followUpsMax,
    notice: (chars) => closingLine(chars, followUpsMax),
    keptChars: `${REPEAT_NOTICE}\n\n\n${closingLine(CHARS_MAX, followUpsMax)}`.length,
  };
}

/** No reply is longer; only its digits count here. */
const CHARS_MAX = 999_999_999;
