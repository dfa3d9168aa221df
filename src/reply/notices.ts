import type { Refusal } from "../domain/refusal.ts";

/** One short honest line to a person whose message was not run. */
export function noticeText(refusal: Refusal): string {
  switch (refusal.cause) {
    case "rate_limited":
      return `That was too many messages at once${forWhom(refusal.detail)}. Please wait ${waitText(refusal.retryAfterMs)} and send it again.`;
    case "not_allowed":
      return refusal.detail === "direct_message"
        ? "I do not take direct messages here. Please ask in a channel."
        : "You are not allowed to use me here. An administrator can change that.";
    case "paused":
      return "I am paused at the moment. Your message was not answered; please send it again later.";
    case "too_old":
      return "That message reached me too late to answer it. Please send it again.";
    case "not_installed":
      return "I am not set up for this workspace.";
  }
}

function forWhom(scope: string): string {
  return scope === "user" ? "" : scope === "conversation" ? " in this conversation" : " for all of us here";
}

function waitText(ms: number | undefined): string {
  const seconds = Math.max(1, Math.ceil((ms ?? 1000) / 1000));
  return seconds < 120
    ? `${seconds} second${seconds === 1 ? "" : "s"}`
    : `${Math.ceil(seconds / 60)} minutes`;
}

export const GAVE_UP =
  "I could not answer this: something failed several times. The operator can see what it was.";
export const NO_AGENT = "No agent is set up to answer here.";
export const NOT_REACHED =
  "I could not answer this: the assistant could not be reached for too long. Please ask again; the operator can see why.";
