/**
 * The one list of where something of people is kept, in the order in which it is looked through:
 * - `events`: what was said, and what came of it
 * - `turns`: what is remembered of it
 * - `people`: who is known by two names; `told`: whom a refusal was told last
 * - `vault`: what is kept by name: whose questions, permissions and ratings there are
 * - `notes`: what processes leave each other, names of people among it
 * - `requests`: what became of the latest webhooks, by their events
 * - `spending`, `limits`: what a person may spend and send, and has; `held`: on whose budgets a model call counts
 * - `conversations`: which there are
 */
export const SHELVES = [
  "events",
  "turns",
  "people",
  "told",
  "vault",
  "notes",
  "requests",
  "spending",
  "held",
  "limits",
  "conversations",
] as const;
export type Shelf = (typeof SHELVES)[number];

export interface Kept {
  readonly shelf: Shelf;
  /** Its name there: an event's number, a name of the vault. */
  readonly key: string;
  /** As it is kept: JSON, mostly. Of an event, the event and its progress, which may be null; of some, nothing but the key. */
  readonly texts: readonly (string | null)[];
  /** Of an event: whether nobody works on it any more. */
  readonly isOver?: boolean;
  /** Of a turn: where it was said, and the number of the event that it came with. */
  readonly turn?: { readonly conversation: string; readonly seq: string };
}

export interface Search {
  readonly shelf: Shelf;
  /** What holds one of these, in its key or in a text, is found; of a turn, its conversation counts, too. */
  readonly words: readonly string[];
  /** `next` of the bite before. */
  readonly after?: string;
}

export interface Bite {
  readonly found: readonly Kept[];
  /** Null: that was all of the shelf. */
  readonly next: string | null;
}

export interface ConversationSummary {
  readonly conversation: string;
  readonly seenAtMs: number;
  readonly turns: number;
}

/** All that is kept of people, as it is kept, for whoever shows, exports or erases it. */
export interface Records {
  /** One bite: it may find nothing, and more come after it. */
  search(search: Search): Promise<Bite>;
  /**
   * False: it is another by now, or, to be removed, an event that is not over; nothing changed then. Null removes it, and of an
   * event all that belongs to it but its idempotency keys, which go when they may.
   */
  replace(kept: Kept, texts: readonly (string | null)[] | null): Promise<boolean>;
  /** Those heard of last come first, as far as the store knows their order. */
  conversations(page: {
    readonly limit: number;
    readonly after?: string;
  }): Promise<{ readonly found: readonly ConversationSummary[]; readonly next: string | null }>;
  /**
   * Nothing that was removed or replaced before is anywhere in the store's files once this resolves; gives what could not be
   * seen to, a line each.
   */
  scrub(): Promise<readonly string[]>;
}
