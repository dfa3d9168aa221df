import type { PersonRef } from "../domain/privacy.ts";
import type { Turn } from "../domain/run.ts";
import type { ConversationSummary } from "./records.ts";

export interface Erasure {
  /** Of the person, whole. */
  readonly events: number;
  readonly turns: number;
  readonly files: number;
  /** Permissions, ratings, questions, names, limits and the like. */
  readonly others: number;
  /** Of other people, in which something of the person was replaced. */
  readonly changed: number;
  readonly conversations: number;
  /** Of the person, still worked on: they stay. */
  readonly inHand: number;
  /** What could not be seen to, a line each. */
  readonly left: readonly string[];
}

/** One thing that is kept of somebody. Plain data, as it is handed to whoever asks for it. */
export type Exported = { readonly kind: "event" | "turn" | "file" | "other" } & Readonly<
  Record<string, unknown>
>;

/** What is kept of conversations and of people, for operators. Rejects with STORE_*. */
export interface Privacy {
  list(page: {
    readonly limit: number;
    readonly after?: string;
  }): Promise<{ readonly found: readonly ConversationSummary[]; readonly next: string | null }>;
  /** Oldest first; null: there is none. */
  show(conversation: string, turnsMax: number): Promise<readonly Turn[] | null>;
  /** All that is kept of somebody. */
  export(person: PersonRef, options: { readonly files: boolean }): AsyncIterable<Exported>;
  /**
   * Deletes all that somebody wrote or was answered, from all places of the store; a dry run counts it. What waits or runs for
   * them is taken back, and waited for.
   */
  erase(
    person: PersonRef,
    options: { readonly isDry: boolean; readonly signal: AbortSignal },
  ): Promise<Erasure>;
}
