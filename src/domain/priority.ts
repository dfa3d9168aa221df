/** What a program says of the task that it asks for. */
export const PRIORITIES = ["low", "normal", "high"] as const;
export type Priority = (typeof PRIORITIES)[number];

/** So many turns each has, while the others have theirs: a high one is never last, and a low one never left out. */
const TURNS: Readonly<Record<Priority, number>> = { low: 1, normal: 2, high: 4 };

/**
 * In whose turn an event is claimed, beside the others of its tenant: in its sender's, or, where it has a priority, in one of
 * those that all of that priority have together. That weighs them against each other, and nothing else has to know of it.
 */
export function turnOf({ id, sender, priority }: Claimed): string {
  if (priority === undefined) return sender.id;
  let sum = 0;
  for (const sign of id) sum = (sum * 31 + (sign.codePointAt(0) ?? 0)) % 65_521;
  return `${priority} ${sum % TURNS[priority]}`;
}

/** Of an event. */
interface Claimed {
  readonly id: string;
  readonly sender: { readonly id: string };
  readonly priority?: Priority;
}
