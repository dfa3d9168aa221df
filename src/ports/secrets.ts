/**
 * What is kept for others' access, such as the token of an installation: encrypted in the store, by name, for all
 * processes. Rejects with STORE_*; with SECRET_UNREADABLE where none of our keys opens it.
 */
export interface Secrets {
  get(name: string): Promise<KeptSecret | null>;
  /** False: something else than `was` is kept by now (null: nothing), and nothing changed; absent: whatever it was. */
  put(name: string, text: string, was?: KeptSecret | null): Promise<boolean>;
  /** Whether something was kept, and is not any more. */
  remove(name: string, was?: KeptSecret): Promise<boolean>;
  /** Names in their order, of those that begin with `prefix` and come after `after`. */
  names(options: {
    readonly prefix: string;
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly string[]>;
  /** Told of each name that was changed, here or in another process; where the word is lost, it is not. Gives how to leave. */
  watch(heard: (name: string) => void): () => void;
}

export interface KeptSecret {
  readonly text: string;
  /** Another one each time that it is written. */
  readonly mark: string;
}
