/** What operators can be told of, over webhooks of theirs. */
export const HOOK_TYPES = [
  "run.finished",
  "event.dead",
  "budget.warning",
  "approval.requested",
  "approval.decided",
  "breaker.opened",
  "breaker.closed",
  "model.refused",
] as const;
export type HookType = (typeof HOOK_TYPES)[number];

/** Something that happened. Plain data: it is stored as JSON. */
export interface HookMessage {
  /** Of several that are told of the same thing, as after a crash, all have the same. */
  readonly key: string;
  readonly type: HookType;
  readonly atMs: number;
  /** As it is sent. Never the text of a message. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The event whose text goes with it, to whoever has asked for text. */
  readonly eventId?: string;
}
