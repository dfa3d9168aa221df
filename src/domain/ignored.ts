/**
 * Why a part of a genuine webhook is no trigger, whatever its platform; each platform knows more. Platforms name new
 * kinds as they like, and each would be a series for good: what is not here is counted as `other`, and has its name in the log and in
 * the list of refused and ignored requests alone.
 */
export const IGNORED_REASONS = [
  "not_addressed",
  "bot",
  "own_message",
  "system",
  "edit",
  "buttons_off",
  "form_input",
  "link_button",
  "feedback",
  "empty",
  "malformed_message",
] as const;
/** A reaction was kept as what somebody makes of an answer. */
export const FEEDBACK: IgnoredReason = "feedback";
export type IgnoredReason = (typeof IGNORED_REASONS)[number];

const KNOWN: ReadonlySet<string> = new Set(IGNORED_REASONS);

/** `own`: by reason, what the platform knows beside these. */
export function ignoredLabel(reason: string, own: Readonly<Record<string, unknown>> = {}): string {
  return KNOWN.has(reason) || Object.hasOwn(own, reason) ? reason : "other";
}
