import type { Mention } from "../domain/mention.ts";

/** How people, channels and groups are called that a platform names by their ids alone. */
export interface NameReader {
  /** How long a run may wait for them; after that it goes on with the ids. */
  readonly waitMs: number;
  /**
   * What is known until the signal is aborted, by `mentionKey`: of this tenant alone. What comes later is there for the next
   * time. Never rejects.
   */
  read(tenant: string, wanted: readonly Mention[], signal: AbortSignal): Promise<NamesRead>;
  /** What is remembered in this process is asked for anew. */
  forget(): void;
}

export interface NamesRead {
  readonly names: ReadonlyMap<string, string>;
  /** How many were found where. `nowhere`: the platform does not tell, or not in time. */
  readonly found: Readonly<Record<NameSource, number>>;
}

type NameSource = "memory" | "store" | "platform" | "nowhere";
