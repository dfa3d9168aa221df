import { DeliveryError } from "../../src/domain/errors.ts";
import { kindOfStatus } from "../../src/shared/fault.ts";

/** Error codes of Discord's JSON answers. */
const UNKNOWN_MESSAGE = 10_008;
const UNKNOWN_WEBHOOK = 10_015;
const UNKNOWN_INTERACTION = 10_062;
const INVALID_WEBHOOK_TOKEN = 50_027;
const FOLLOW_UPS_SPENT = 40_094;
const HAS_THREAD = 160_004;
/** Without Embed Links: of embeds alone it says that the message is empty, or that the right is missing. */
const EMPTY_MESSAGE = 50_006;
const MISSING_PERMISSIONS = 50_013;
const INVALID_FORM = 50_035;

/** What an operator can act upon. Discord's own wording may quote what was sent, so it stays out. */
const MEANINGS: Readonly<Record<number, string>> = {
  10003: "unknown channel",
  10004: "unknown server",
  [UNKNOWN_MESSAGE]: "unknown message",
  [UNKNOWN_WEBHOOK]: "the interaction is not known",
  [UNKNOWN_INTERACTION]: "the interaction is not known",
  20016: "the channel is in slow mode",
  20028: "the channel is written to too often",
  40005: "too large",
  40060: "already acknowledged",
  [FOLLOW_UPS_SPENT]: "no more than five follow-ups where the app is only installed by a person",
  50001: "the bot has no access to the channel",
  [EMPTY_MESSAGE]: "empty message",
  50007: "this person takes no direct messages from the bot",
  [MISSING_PERMISSIONS]: "the bot may not write in the channel",
  [INVALID_WEBHOOK_TOKEN]: "the interaction is over",
  [INVALID_FORM]: "invalid form",
  50083: "the thread is archived",
  130000: "Discord is overloaded",
  [HAS_THREAD]: "the message has a thread already",
  200000: "stopped by the server's moderation",
};

/** Slow mode, write rate, overload. */
const RETRYABLE = new Set<number>([20_016, 20_028, 130_000]);

/** An answer below 500, with what it says about an interaction that no longer takes replies. */
export class DiscordRefusal extends DeliveryError {
  /** `perhaps`: Discord may only not have seen the acknowledgement yet; null: it is about something else. */
  readonly interactionGone: "perhaps" | "certainly" | null;
  /** There have been as many follow-ups as Discord takes; edits of what was said go on. */
  readonly isSpent: boolean;
  /** The message itself is not there (any more). */
  readonly isMessageGone: boolean;
  /** Of the opening of a thread: there is one. */
  readonly hasThread: boolean;
  /** Of a message with embeds: it may be taken without them. */
  readonly isAboutEmbeds: boolean;

  constructor(
    kind: DeliveryError["kind"],
    message: string,
    options: { status: number; code: number; interactionGone: "perhaps" | "certainly" | null },
  ) {
    super(kind, message, { status: options.status });
    this.interactionGone = options.interactionGone;
    this.isSpent = options.code === FOLLOW_UPS_SPENT;
    this.isMessageGone = options.code === UNKNOWN_MESSAGE;
    this.hasThread = options.code === HAS_THREAD;
    this.isAboutEmbeds = [EMPTY_MESSAGE, MISSING_PERMISSIONS, INVALID_FORM].includes(options.code);
  }
}

/**
 * Below 500. `repeatable`: a second call does no harm, so it does not matter whether the first got through.
 *
 * | answer | |
 * |-|-|
 * | 401 to a call with the bot's token | `refused`: every message waits until a token is taken |
 * | codes of RETRYABLE, 429 | `retry` |
 * | any other (403 of a channel, 404 of what is gone) | `rejected`: this message, here |
 */
export function apiRefusal(
  { what, repeatable, as }: { what: string; repeatable: boolean; as: "bot" | "interaction" },
  status: number,
  code: unknown,
): DiscordRefusal {
  const number = typeof code === "number" ? code : 0;
  if (status === 401 && as === "bot")
    return new DiscordRefusal(
      "refused",
      `${what}: the bot token is not taken (HTTP 401); look at DISCORD_BOT_TOKEN`,
      {
        status,
        code: number,
        interactionGone: null,
      },
    );
  const meaning = MEANINGS[number] ?? "refused";
  const certain = RETRYABLE.has(number) ? "retry" : kindOfStatus(status);
  const kind = certain === "unknown" && repeatable ? "retry" : certain;
  const detail = number === 0 ? `HTTP ${status}` : `HTTP ${status}, code ${number}`;
  return new DiscordRefusal(kind, `${what}: ${meaning} (${detail})`, {
    status,
    code: number,
    interactionGone: goneness(status, number),
  });
}

function goneness(status: number, code: number): "perhaps" | "certainly" | null {
  if (code === INVALID_WEBHOOK_TOKEN) return "certainly";
  const isMissing = code === UNKNOWN_WEBHOOK || code === UNKNOWN_INTERACTION || code === UNKNOWN_MESSAGE;
  return isMissing || status === 404 ? "perhaps" : null;
}

/**
 * 5xx. Discord itself says 500 or 503 for what it did not do; the proxies before it say the others, perhaps after
 * it did. Where a second call does no harm, the difference does not matter.
 */
export function serverFailure(what: string, status: number, repeatable: boolean): DeliveryError {
  const isRetry = repeatable || status === 500 || status === 503;
  return new DeliveryError(isRetry ? "retry" : "unknown", `${what}: Discord failed (HTTP ${status})`, {
    status,
  });
}
