/** What a model has said, as it may be said again to the same words. */
export interface KeptAnswer {
  readonly text: string;
  /** `provider/name`. */
  readonly model: string;
}

/** Whose answers, and of which event one is. */
export interface AnswerPlace {
  readonly conversation: string;
  readonly eventId: string;
}

/** Answers by a digest of all that the model was shown, those of a conversation apart from all others. Rejects with STORE_*. */
export interface Answers {
  /** Null: there is none, or it is too old. */
  find(conversation: string, digest: string): Promise<KeptAnswer | null>;
  /** One that is too long for a store is not kept. */
  keep(place: AnswerPlace, digest: string, answer: KeptAnswer, ttlMs: number): Promise<void>;
  /** Of all conversations whose keys begin so. */
  forgetOf(prefix: string): Promise<void>;
  /** Those that are too old, and the oldest of too many. Gives how many went. */
  forget(): Promise<number>;
}

/** Those of the conversation of one run. */
export interface RunAnswers {
  find(digest: string): Promise<KeptAnswer | null>;
  keep(digest: string, answer: KeptAnswer, ttlMs: number): Promise<void>;
}
