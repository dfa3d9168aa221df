import type { Rating, Reaction, Saying } from "../domain/reaction.ts";

/** A message of ours, as its platform knows it. */
export type SaidMessage = Pick<Reaction, "platform" | "tenant" | "messageId">;

/** Which event a message of ours belongs to, for whoever reacts to it, and what people make of answers. */
export interface Feedback {
  /** Again is no harm. */
  said(message: SaidMessage, saying: Saying): Promise<void>;
  /** Null: it is none of ours, or too old. */
  find(message: SaidMessage): Promise<Saying | null>;
  /** The last word of each person counts. False: that was their word already. */
  rate(eventId: string, rating: Rating): Promise<boolean>;
  /** False: that was not their word. */
  takeBack(eventId: string, rating: Pick<Rating, "by" | "rating">): Promise<boolean>;
  /** The first FEEDBACK_MAX of them. */
  of(eventId: string): Promise<readonly Rating[]>;
  /** Deletes ratings from before that, and what leads to messages that are older than a week. Gives how many. */
  forget(beforeMs: number): Promise<number>;
}
