/** Something that an agent is to remember of a person or a channel until somebody erases it. */
export interface LongNote {
  /** Of its words: the same words are one note. */
  readonly id: string;
  readonly text: string;
  readonly atMs: number;
  /** Who had it written down. */
  readonly by: { readonly id: string; readonly name: string };
}

/** One agent's notes about one owner: a person or a channel, by the keys of domain/notebook.ts. */
export interface Notebook {
  readonly owner: string;
  readonly agent: string;
  readonly notes: readonly LongNote[];
}

export interface Notebooks {
  read(owner: string, agent: string): Promise<readonly LongNote[]>;
  /** `full`: nothing was written. */
  write(owner: string, agent: string, note: Omit<LongNote, "id">): Promise<"written" | "known" | "full">;
  /** Of every agent, unless one is named: the notes with this id or these words, or all. Gives how many went. */
  erase(owner: string, which: { readonly agent?: string; readonly note?: string }): Promise<number>;
  /** By owner and agent, of those whose owner's key begins so. Fewer than `limit`: there are no more. */
  list(options: NotebookPage): Promise<readonly Notebook[]>;
}

export interface NotebookPage {
  readonly ownerPrefix: string;
  /** Those that come after this one. */
  readonly after?: Pick<Notebook, "owner" | "agent">;
  readonly limit: number;
}
