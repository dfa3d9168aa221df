import type { HeldStill } from "./still-file.ts";

/** About the database files that processes have: one is held still by its identity, and then goes by the id of the holding. */
export type FileQuestion =
  | { readonly kind: "hold"; readonly identity: string }
  | { readonly kind: "extend"; readonly id: string }
  | { readonly kind: "release"; readonly id: string };

/** As it goes from one process to another: JSON. */
export type FileAnswer =
  | ({ readonly kind: "held"; readonly id: string; readonly path: string } & HeldStill)
  | { readonly kind: "kept"; readonly isStill: boolean };

/**
 * The other processes under the same supervisor. A request may get to any of them, and each has files that the others
 * cannot read.
 */
export interface Siblings {
  /** Null: none of them has it, or it does not answer. Never rejects. */
  ask(question: FileQuestion): Promise<FileAnswer | null>;
  /** Who answers what they ask. */
  answerBy(answer: (question: FileQuestion) => Promise<FileAnswer | null>): void;
}
