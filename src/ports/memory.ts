import type { Turn } from "../domain/run.ts";

/** Of all that is remembered under one key, at most so many turns, the newest, and none from before. */
export interface Recall {
  readonly turnsMax: number;
  readonly sinceMs: number;
}

/** By key: a conversation, or what an agent remembers by instead (domain/memory-scope.ts). */
export interface Memory {
  /** Oldest first; at most `turnsMax`, none from before `sinceMs` or the last `forget`. */
  recall(key: string, options: Recall): Promise<readonly Turn[]>;
  /**
   * Also for a run in progress: what it will remember is forgotten already. `untilEventId`: only what was accepted
   * no later than that event, so that what came after "forget" is remembered however long that had to wait.
   */
  forget(key: string, untilEventId?: string): Promise<void>;
  /**
   * Takes one message back: what it said and was answered leaves memory. Of what was answered together
   * with it, the messages stay, and that they were answered.
   * One that has not ended is not remembered however it ends, and has the signal `withdraw` from now on, durable as any:
   * whoever runs it, or claims it next, ends it without an answer. Again is no harm.
   */
  withdraw(eventId: string): Promise<Withdrawn>;
}

/** What it found. `live`: it waited, or was in hand. */
export type Withdrawn = "unknown" | "live" | "over";
