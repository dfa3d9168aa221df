/** What an operator has said in a chat. */
export interface NoticeOrder {
  /** A place of `notify` by its name, or a conversation by its key; absent: the only place of `notify`. */
  readonly to?: string | undefined;
  readonly text: string;
  /** The same twice is said once; absent: as often as it is asked for. */
  readonly key?: string | undefined;
}

export type NoticeEnd =
  | { readonly kind: "said" | "said_before"; readonly to: string }
  /** Nothing was said: the order is wrong, the platform will not have it, or not now. */
  | { readonly kind: "wrong" | "refused" | "away"; readonly message: string }
  /** By this key something else was said, or nobody can tell whether it was. */
  | { readonly kind: "conflict"; readonly message: string };

export interface NoticeDesk {
  /** Rejects with STORE_*, and with the signal's reason. */
  say(order: NoticeOrder, signal: AbortSignal): Promise<NoticeEnd>;
}

/** By which keys something was said, for all processes that share the store. Rejects with STORE_*. */
export interface SaidKeys {
  /** `digest`: of what is to be said, and where. `attempt`: an id of its own. Whoever hears `fresh` says it. */
  begin(
    key: string,
    digest: string,
    attempt: { readonly id: string; readonly atMs: number },
  ): Promise<"fresh" | "said" | "begun" | "other">;
  said(key: string, digest: string, atMs: number): Promise<void>;
  /** It was certainly not said. */
  takeBack(key: string): Promise<void>;
  /** Those from before. Gives how many. */
  forget(beforeMs: number): Promise<number>;
}
