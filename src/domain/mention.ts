/** Whom or what a text names. Plain data: stored as JSON with its event. */
export interface Mention {
  readonly kind: "person" | "channel" | "group";
  readonly id: string;
  /** As the text has it behind the @ or #. Null: the platform did not tell, and the text has the id. */
  readonly name: string | null;
  /** How a text has it that has no name, where that is more than the id. */
  readonly written?: string;
}

/** One whose name is known. */
export interface Named extends Mention {
  readonly name: string;
}

/** Of one message; what it names beyond that is read as it stands. */
export const MENTIONS_MAX = 50;

export function mentionKey({ kind, id }: Pick<Mention, "kind" | "id">): string {
  return `${kind}:${id}`;
}
