import type { RefusalCause } from "../domain/refusal.ts";
import type { RequestOutcome } from "../domain/request.ts";
import type { IgnoredWords } from "../ports/adapter.ts";
import type { PlatformWords } from "../ports/platform.ts";
import type { RequestNote } from "../ports/request-log.ts";
import { errorWords } from "./error-words.ts";
import { IGNORED_WORDS } from "./ignored-words.ts";

/** What became of a request, for a person, and what to do about it. */
export function requestWords(note: Pick<RequestNote, "outcome" | "reason">, platform: PlatformWords): string {
  const said = WORDS[note.outcome](note.reason ?? "", platform);
  return said.replace(/\s+/g, " ").trim();
}

const WORDS: Readonly<Record<RequestOutcome, (reason: string, platform: PlatformWords) => string>> = {
  accepted: () => "It was accepted and stored.",
  handshake: (_, platform) =>
    `${platform.sender ?? "Somebody"} checked that the webhook is there, and it is. There is nothing to answer.`,
  duplicate: (_, { twice }) =>
    "It was delivered before, and is answered once: platforms send again what they think was not taken" +
    `${twice === undefined ? "" : `, and ${twice}`}.`,
  refused: (reason) => refusedWords(reason),
  ignored: (reason, { ignored }) => `It was taken and ignored (${reason}). ${ignoredWords(reason, ignored)}`,
  forged: (reason, platform) =>
    `It was refused with 401, unread: ${reason || "not verified"}. ${forgedAdvice(reason, platform)}`,
  stale: (reason) => `It was refused with 401, unread: ${reason || "too old"}. ${staleAdvice(reason)}`,
  "handshake-refused": (reason, { handshake }) =>
    `The handshake was refused with 403: ${reason || "wrong token"}. ${handshake === undefined ? "" : `${handshake}.`}`,
  malformed: (reason) =>
    `It was refused with 400, because it is not in the platform's shape: ${reason}. parley send --print-curl shows one that is.`,
  unsupported: (reason) => `It was refused with 415, because of its Content-Type: ${reason}.`,
  "too-large": (reason) => `It was refused with 413, because it is too large: ${reason}.`,
  cut: () =>
    "The sender, or a proxy before us, closed the connection before the end of the request. Platforms send it again.",
  unavailable: (reason) =>
    `It could not be stored (${reason}) and was answered 503, so the platform sends it again. ${errorWords(reason)}`,
};

function forgedAdvice(reason: string, { sender, secret }: PlatformWords): string {
  if (sender === null) return `${secret}.`;
  if (reason.startsWith("missing"))
    return `Either it was not ${sender} that sent it, or a proxy before us takes the header away. ${secret}.`;
  if (reason.startsWith("expected ")) return `It was not ${sender} that sent it.`;
  return `${secret}; or a proxy before us has changed the body, or it was not ${sender} that sent it.`;
}

function staleAdvice(reason: string): string {
  const clock = "Synchronise the clock of this machine (NTP); parley doctor compares it.";
  return reason.includes("ahead")
    ? clock
    : `${clock} If the clock is right, it was sent again by somebody, or held up on its way.`;
}

const REFUSED: Readonly<Record<RefusalCause, (detail: string) => string>> = {
  rate_limited: (detail) =>
    `${detail === "global" ? "All together have" : `The ${detail} has`} sent more than limits.${detail || "user"} allows. The person is told once in a while; it goes on by itself.`,
  not_allowed: (detail) =>
    `access of the platform in gateway.yaml does not allow this ${detail.replace("_", " ") || "sender"}. Add its id there to let it in.`,
  paused: () =>
    "The bot is paused: the kill switch is on (PARLEY_KILL_SWITCH, or kill_switch in gateway.yaml).",
  too_old: () =>
    "It was said too long ago (max_age_seconds): a late redelivery, or the gateway was away for long. Nobody waits for an answer any more.",
  busy: () =>
    "It came while an answer was in the making there, and its agent or route says busy: drop. The person is told once for each answer.",
  not_installed: (detail) =>
    `It is of ${detail || "an installation"} whose credentials this gateway does not have, so no answer could be said there. Install the app there, and run a gateway with the token that you get.`,
};

/** The reason is `cause: detail`. */
export function refusedWords(reason: string): string {
  const [, cause = "", detail = ""] = /^(\w+)(?:: (.*))?$/.exec(reason) ?? [];
  const words = Object.hasOwn(REFUSED, cause) ? REFUSED[cause as RefusalCause](detail) : "";
  return `It was taken, recorded and not run (${reason}). ${words}`;
}

function ignoredWords(reason: string, own: IgnoredWords): string {
  const known: IgnoredWords = { ...own, ...IGNORED_WORDS };
  return Object.hasOwn(known, reason) ? (known[reason] ?? "") : NONE_OF_THEM;
}

const NONE_OF_THEM =
  "It is none of the things that start a run: a mention, a direct message, a command, a button.";
