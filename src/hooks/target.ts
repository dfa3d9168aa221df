import type { ApprovalPlace } from "../domain/run.ts";
import type { Secret } from "../shared/secret.ts";

/** Where the operator wants to be told of something. */
export type HookTarget = WebhookTarget | PlaceTarget;

interface Target {
  /** Of the configuration; without one there, made of the address. */
  readonly name: string;
  readonly types: ReadonlySet<string>;
  readonly includesText: boolean;
  /** For one call, from connecting to the last byte. */
  readonly timeoutMs: number;
  /** Calls of one message that may fail before it is given up. */
  readonly attemptsMax: number;
}

export interface WebhookTarget extends Target {
  readonly url: string;
  /** Two while one is rotated. */
  readonly secrets: readonly Secret[];
}

/** A chat, in which a line is said. */
export interface PlaceTarget extends Target {
  readonly place: ApprovalPlace;
}

/** Path and query may hold a key of whoever is called: they are shown to nobody. */
export function originOf(target: Pick<WebhookTarget, "url"> | Pick<PlaceTarget, "place">): string {
  if ("url" in target) return new URL(target.url).origin;
  const { platform, channel } = target.place;
  return `${platform}:${channel}`;
}
