import type { ContextItem } from "../domain/context.ts";
import type { TriggerEvent } from "../domain/event.ts";
import { MENTIONS_MAX, type Mention, mentionKey, type Named } from "../domain/mention.ts";

/**
 * Whom an answer may name: people and channels that a run was shown, by the name that it was shown. People choose their
 * names, so one that two of them have names neither.
 */
export function mentionable(
  events: readonly TriggerEvent[],
  items: readonly ContextItem[],
  learnt: readonly Named[],
): readonly Named[] {
  const names = new Map(learnt.map((one) => [mentionKey(one), one.name]));
  const shown = [
    ...events.flatMap(inEvent),
    ...[...items, ...events.flatMap(({ context = [] }) => context)].flatMap(inItem),
  ];
  const found = new Map<string, Named>();
  for (const { kind, id, name } of shown) {
    const known = name ?? names.get(mentionKey({ kind, id }));
    if (kind !== "group" && known !== undefined)
      found.set(mentionKey({ kind, id }), { kind, id, name: known });
  }
  return unlike([...found.values()]).slice(0, MENTIONS_MAX);
}

function inEvent({ sender, mentions = [] }: TriggerEvent): readonly Mention[] {
  return sender.isBot ? mentions : [person(sender.id, sender.name), ...mentions];
}

function inItem({ author, mentions = [] }: ContextItem): readonly Mention[] {
  if (author === null || author.id === null || author.isSelf === true) return mentions;
  return [person(author.id, author.name), ...mentions];
}

/** Of whom only the id is known, the name may have been learnt. */
function person(id: string, name: string): Mention {
  return { kind: "person", id, name: name === id ? null : name };
}

function unlike(all: readonly Named[]): readonly Named[] {
  const bearers = Map.groupBy(all, folded);
  return all.filter((one) => bearers.get(folded(one))?.length === 1);
}

function folded({ kind, name }: Named): string {
  return `${kind} ${name
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/[\p{Default_Ignorable_Code_Point}\s]/gu, "")}`;
}
