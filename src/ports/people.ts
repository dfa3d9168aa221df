import type { KnownPerson } from "../domain/conversation.ts";
import type { Person } from "../domain/event.ts";

export interface People {
  /**
   * Remembers the names that came together, and gives what they lead to. Atomic. A lasting name leads to one
   * conversation for good: the one in which the person was heard of last under either name, so that memory goes on
   * whichever came first. A passing name is its last holder's: with another lasting name it is another person's, who
   * must not come upon the conversation of the one before.
   */
  settle(person: Person): Promise<KnownPerson>;
}
