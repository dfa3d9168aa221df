import type { Secret } from "../shared/secret.ts";

/** Where the operator wants to be told of something. */
export interface HookTarget {
  /** Of the configuration; without one there, made of the address. */
  readonly name: string;
  readonly url: string;
  /** Two while one is rotated. */
  readonly secrets: readonly Secret[];
  readonly types: ReadonlySet<string>;
  readonly includesText: boolean;
  /** For one call, from connecting to the last byte. */
  readonly timeoutMs: number;
  /** Calls of one message that may fail before it is given up. */
  readonly attemptsMax: number;
}

/** Path and query may hold a key of whoever is called: they are shown to nobody. */
export function originOf({ url }: Pick<HookTarget, "url">): string {
  return new URL(url).origin;
}
