/** Where a question of a run is to be found. */
export interface Whereabouts {
  readonly approvalId: string;
  readonly eventId: string;
  readonly lane: string;
}

export const QUESTION_STATES = ["waiting", "decided"] as const;
export type QuestionState = (typeof QUESTION_STATES)[number];

export interface QuestionPage {
  readonly state: QuestionState;
  readonly limit: number;
  /** Only those that come after this one. */
  readonly after?: string;
}

/**
 * All questions by their ids, whichever process has asked them: they lead to the event, whose progress says what was
 * asked and decided. Of an event that is over or gone, one may be left for a while.
 */
export interface Questions {
  /** Harmless to repeat. */
  open(question: Whereabouts): Promise<void>;
  /** False: it was not open. */
  close(approvalId: string): Promise<boolean>;
  find(approvalId: string): Promise<Whereabouts | null>;
  /** Those of the newest runs first. */
  list(page: QuestionPage): Promise<readonly Whereabouts[]>;
  /** Deletes those of runs that began before this. Gives how many. */
  forget(beforeMs: number): Promise<number>;
}
