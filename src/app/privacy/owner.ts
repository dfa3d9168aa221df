import { personOf } from "../../domain/conversation.ts";
import type { TriggerEvent } from "../../domain/event.ts";
import { isBy, namesOf, type PersonRef, type Whose } from "../../domain/privacy.ts";

export interface Owner extends Whose {
  readonly isTheirs: (event: TriggerEvent) => boolean;
}

/**
 * Whose the events are that somebody's ids lead to, one to the next. A phone number that was passed on leads to another
 * person, whose words these are not: by it alone nobody is known but its last holder, and whoever has the conversation.
 */
export function ownerOf(
  person: PersonRef,
  linked: ReadonlySet<string>,
  events: readonly TriggerEvent[],
): Owner {
  const { platform, tenant, id } = person;
  const passedOn = idsPassedOn(events);
  if (passedOn.size === 0) {
    const whose = { platform, tenant, ids: linked };
    return { ...whose, isTheirs: (event) => isBy(event, whose) };
  }
  const lasting = (event: TriggerEvent) => namesOf(event).filter((name) => !passedOn.has(name));
  const ids = new Set(passedOn.has(id) ? lastHolders(id, events, lasting) : [id]);
  for (let known = 0; known < ids.size; ) {
    known = ids.size;
    for (const event of events)
      if (isBy(event, { platform, tenant, ids })) for (const name of lasting(event)) ids.add(name);
  }
  const named = { platform, tenant, ids };
  const conversations = new Set(events.filter((event) => isBy(event, named)).map(conversationOf));
  const others = new Set(
    events.filter((event) => lasting(event).length > 0 && !isBy(event, named)).map(conversationOf),
  );
  const isTheirs = (event: TriggerEvent) => {
    if (isBy(event, named)) return true;
    const { sender, conversation } = event;
    if (!isBy(event, { platform, tenant, ids: passedOn }) || lasting(event).length > 0) return false;
    return conversations.has(conversation) || (sender.id === id && !others.has(conversation));
  };
  // A conversation that was begun under the number alone: that is what its turns and memories call the person.
  const remembered = events
    .filter((event) => isBy(event, named) && event.sender.alsoKnownAs !== undefined)
    .map(personOf);
  return { platform, tenant, ids: new Set([...ids, ...remembered]), isTheirs };
}

const conversationOf = ({ conversation }: TriggerEvent) => conversation;

/** Those that have come with the lasting ids of more than one. */
function idsPassedOn(events: readonly TriggerEvent[]): ReadonlySet<string> {
  const holders = new Map<string, Set<string>>();
  for (const event of events) {
    const { passing } = event.sender;
    if (passing === undefined) continue;
    const known = holders.get(passing) ?? new Set();
    for (const name of namesOf(event)) if (name !== passing) known.add(name);
    holders.set(passing, known);
  }
  return new Set([...holders].filter(([, known]) => known.size > 1).map(([passing]) => passing));
}

function lastHolders(
  passing: string,
  events: readonly TriggerEvent[],
  lasting: (event: TriggerEvent) => readonly string[],
): readonly string[] {
  const held = events.filter(({ sender }) => sender.passing === passing);
  const last = held.reduce((a, b) => (b.occurredAtMs >= a.occurredAtMs ? b : a));
  return lasting(last);
}
