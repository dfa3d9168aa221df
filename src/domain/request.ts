/** What may become of a webhook as a whole; the label of its metric and log line. */
export const REQUEST_OUTCOMES = [
  "accepted",
  "handshake",
  "duplicate",
  "refused", // by policy: recorded, acknowledged
  "ignored",
  "forged",
  "stale",
  "handshake-refused",
  "malformed",
  "unsupported",
  "too-large",
  "cut", // the sender went away before the end of its body
  "unavailable", // could not be stored; the platform will send it again
] as const;
export type RequestOutcome = (typeof REQUEST_OUTCOMES)[number];

/** Nothing to look for there. */
const TAKEN: ReadonlySet<RequestOutcome> = new Set(["accepted", "handshake"]);

export function isTaken(outcome: RequestOutcome): boolean {
  return TAKEN.has(outcome);
}

/** Each is a reason why a bot stays silent. */
export const REFUSED_OUTCOMES: readonly RequestOutcome[] = REQUEST_OUTCOMES.filter(
  (outcome) => !isTaken(outcome),
);

const UNVERIFIED: ReadonlySet<RequestOutcome> = new Set([
  "forged",
  "stale",
  "handshake-refused",
  "too-large",
  "cut",
]);

/** Anybody can send these, as many as he likes. */
export function isUnverified(outcome: RequestOutcome): boolean {
  return UNVERIFIED.has(outcome);
}
