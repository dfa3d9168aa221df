import type { AgentChoice } from "../domain/asking.ts";

/** Which agent answers in a conversation, where that was chosen. All reject with STORE_*. */
export interface AgentChoices {
  /** Null: nobody has chosen, or it is too long ago. */
  find(conversation: string): Promise<AgentChoice | null>;
  /** Null: as the routes have it. The last one counts. */
  choose(conversation: string, choice: AgentChoice | null): Promise<void>;
  /** Deletes those whose time is over. Gives how many. */
  forget(): Promise<number>;
}
