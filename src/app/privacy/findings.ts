import { conversationKey, isForOneAlone, userKey } from "../../domain/conversation.ts";
import type { Platform, TriggerEvent } from "../../domain/event.ts";
import { memoriesOf } from "../../domain/memory-scope.ts";
import { anyOf, isBy, namesOf, type PersonRef, type Whose, wordsOf } from "../../domain/privacy.ts";
import type { Covers, Progress, Turn } from "../../domain/run.ts";
import { type Kept, type Records, SHELVES, type Shelf } from "../../ports/records.ts";
import { parsedEvent, storedOrNull } from "../../store/stored.ts";
import { type Owner, ownerOf } from "./owner.ts";

/** An event of the person, as it is kept. */
export interface OwnEvent {
  readonly kept: Kept;
  readonly event: TriggerEvent;
}

/** What is known of somebody by what is kept of them. */
export interface Findings extends Owner {
  readonly own: readonly OwnEvent[];
  readonly eventIds: ReadonlySet<string>;
  /** Numbers of their events, by which turns name them. */
  readonly seqs: ReadonlySet<string>;
  /** Conversations and memories of nobody else: all that is in them is theirs. */
  readonly privateOnes: ReadonlySet<string>;
  readonly shared: ReadonlySet<string>;
  /** What they said, by where. */
  readonly wordsIn: ReadonlyMap<string, RegExp | null>;
}

/** Every record of a shelf, or of all, that holds one of the words. */
export async function* recordsWith(
  records: Pick<Records, "search">,
  words: readonly string[],
  shelves: readonly Shelf[] = SHELVES,
): AsyncGenerator<Kept, void> {
  for (const shelf of shelves) {
    let after: string | null | undefined;
    while (after !== null) {
      const bite = await records.search({ shelf, words, ...(after !== undefined && { after }) });
      yield* bite.found;
      after = bite.next;
    }
  }
}

/** How the key of a memory begins that is of one person alone (userKey). */
const USER_MEMORY = "user:";

/** As it stands in JSON. */
export const inJson = (text: string) => JSON.stringify(text.toWellFormed());

/** Events by any of the ids that the person has, those included that their events tell. */
export async function findingsOf(records: Pick<Records, "search">, person: PersonRef): Promise<Findings> {
  const { platform, tenant } = person;
  const linked = new Set([person.id]);
  let found = new Map<string, OwnEvent>();
  for (let known = 0; known < linked.size; ) {
    known = linked.size;
    found = new Map();
    for await (const kept of recordsWith(records, [...linked].map(inJson), ["events"])) {
      const event = parsedEvent(kept.texts[0] ?? "");
      if (event === null || !isBy(event, { platform, tenant, ids: linked })) continue;
      found.set(kept.key, { kept, event });
      for (const id of namesOf(event)) linked.add(id);
    }
  }
  const owner = ownerOf(
    person,
    linked,
    [...found.values()].map(({ event }) => event),
  );
  const { ids } = owner;
  const own = new Map([...found].filter(([, { event }]) => owner.isTheirs(event)));
  const events = [...own.values()];
  const conversations = new Set(events.map(({ event }) => event.conversation));
  const alone = new Set(
    events.filter(({ event }) => isForOneAlone(event)).map(({ event }) => event.conversation),
  );
  const shared = new Set<string>();
  for await (const kept of recordsWith(records, [...conversations].map(inJson), ["events"])) {
    const event = parsedEvent(kept.texts[0] ?? "");
    if (event !== null && conversations.has(event.conversation) && !own.has(kept.key))
      shared.add(event.conversation);
  }
  for (const one of conversations) if (!alone.has(one)) shared.add(one);
  const privateOnes = new Set([...conversations].filter((one) => !shared.has(one)));
  // What an agent remembers by may be wider than a conversation: all that a person says, or all that a channel does.
  for (const id of ids) for (const key of memoriesOfPerson({ ...person, id })) privateOnes.add(key);
  for (const { event } of events)
    for (const key of memoriesOf(event))
      if (key.startsWith(USER_MEMORY)) privateOnes.add(key);
      else if (!privateOnes.has(key)) shared.add(key);
  return {
    ...{ ...owner, own: events, shared },
    eventIds: new Set(events.map(({ event }) => event.id)),
    seqs: new Set(own.keys()),
    privateOnes,
    wordsIn: wordsByPlace(events),
  };
}

/** Also of somebody whose events are gone. */
function memoriesOfPerson({ platform, tenant, id }: PersonRef): readonly string[] {
  const place = { platform: platform as Platform, tenant };
  return (["private", "open", "all"] as const).map((half) => userKey(place, id, half));
}

function wordsByPlace(events: readonly OwnEvent[]): ReadonlyMap<string, RegExp | null> {
  const found = new Map<string, Set<string>>();
  for (const { event } of events) {
    for (const place of memoriesOf(event)) {
      const words = found.get(place) ?? new Set();
      for (const word of wordsOf(event)) words.add(word);
      found.set(place, words);
    }
  }
  return new Map([...found].map(([place, words]) => [place, anyOf(words)] as const));
}

/** What a record may be found by that says something of the person. */
export function tracesOf({ platform, tenant, ids, privateOnes, shared }: Findings): readonly string[] {
  return [
    ...[...ids].flatMap((id) => [inJson(id), `${platform}:${tenant}:${id}`, `person:${id}`]),
    ...privateOnes,
    ...shared,
    // As names of the vault have them.
    ...[...privateOnes].map(encodeURIComponent),
  ];
}

/** Whether a turn is something that the person said or was answered; of a summary, whether it is of such turns alone. */
export function isTurnOf({ turn: place }: Kept, turn: Turn, findings: Findings): boolean {
  const conversation = place?.conversation ?? "";
  if (findings.privateOnes.has(conversation)) return true;
  if (turn.covers !== undefined) {
    const { by } = turn.covers;
    return by.length > 0 && isThere(conversation, findings) && by.every((id) => findings.ids.has(id));
  }
  if (turn.by === undefined) return findings.seqs.has(place?.seq ?? "");
  return isThere(conversation, findings) && findings.ids.has(turn.by);
}

/** Whether something of the person may be in a summary of these turns of a conversation. */
export function isAmong({ by, places }: Covers, conversation: string, findings: Findings): boolean {
  if (findings.privateOnes.has(conversation)) return true;
  if (places.some((place) => findings.seqs.has(String(place)))) return true;
  return isThere(conversation, findings) && by.some((id) => findings.ids.has(id));
}

/** The same id in another workspace is somebody else's. */
function isThere(conversation: string, findings: Findings): boolean {
  return conversation.startsWith(workspaceOf(findings));
}

/** How the keys of its conversations begin. */
export function workspaceOf({ platform, tenant }: Pick<Whose, "platform" | "tenant">): string {
  return conversationKey({ platform: platform as Platform, tenant, place: "" });
}

export const turnIn = (kept: Kept): Turn | null => storedOrNull<Turn>(kept.texts[0] ?? null);
export const eventIn = (kept: Kept): TriggerEvent | null => parsedEvent(kept.texts[0] ?? "");
export const progressIn = (kept: Kept): Progress | null => storedOrNull<Progress>(kept.texts[1] ?? null);
