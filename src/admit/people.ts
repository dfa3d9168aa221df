import { LRUCache } from "lru-cache";
import { type KnownPerson, withSender } from "../domain/conversation.ts";
import type { Person, TriggerEvent } from "../domain/event.ts";
import type { People } from "../ports/people.ts";

/** People of whom both names came lately: their conversation never changes, so the store need not be asked. */
const PEOPLE_MAX = 10_000;

export interface Acquaintances {
  /** The events with the conversations and further names of their senders. Rejects with STORE_*. */
  settle(events: readonly TriggerEvent[]): Promise<readonly TriggerEvent[]>;
  /** Names of one person that came without a message. What cannot be stored is told again with their next message. */
  learn(people: readonly Person[]): Promise<void>;
  /** Asks the store again, which may know them no more. */
  forget(): void;
}

/** Who writes under several names, on platforms where a person may have more than one. */
export function createAcquaintances(people: People): Acquaintances {
  const known = new LRUCache<string, Promise<KnownPerson>>({ max: PEOPLE_MAX });

  function ask(person: Person): Promise<KnownPerson> {
    const { lasting, passing } = person;
    // Only with both: a name that passes on may be somebody else's by now.
    if (lasting === null || passing === null) return people.settle(person);
    const key = JSON.stringify([lasting.conversation, passing.conversation]);
    const before = known.get(key);
    if (before !== undefined) return before;
    const asked = people.settle(person);
    known.set(key, asked);
    const forget = () => known.get(key) === asked && known.delete(key);
    asked.then(({ isProvisional }) => isProvisional && forget(), forget);
    return asked;
  }

  async function settleOne(event: TriggerEvent): Promise<TriggerEvent> {
    return event.person === undefined ? event : withSender(event, await ask(event.person));
  }

  return {
    settle: (events) => Promise.all(events.map(settleOne)),
    async learn(persons) {
      await Promise.allSettled(persons.map(ask));
    },
    forget: () => known.clear(),
  };
}
