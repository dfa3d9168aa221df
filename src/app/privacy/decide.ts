import {
  type Erasing,
  type Whose,
  withoutPerson,
  withoutPersonIn,
  withoutPersonInTurn,
} from "../../domain/privacy.ts";
import type { Progress, Step } from "../../domain/run.ts";
import type { Kept, Shelf } from "../../ports/records.ts";
import { getArray, getObject, getString, type JsonObject, parseJsonObject } from "../../shared/json.ts";
import { PLAIN } from "../../store/secrets.ts";
import { eventIn, type Findings, isAmong, isTurnOf, progressIn, turnIn, workspaceOf } from "./findings.ts";

/** What becomes of a record: it goes, is kept with other texts, or says nothing of the person. */
export type Decision =
  | { readonly kind: "remove" }
  | { readonly kind: "keep" }
  | { readonly kind: "in-hand" }
  | Replacement;
interface Replacement {
  readonly kind: "replace";
  readonly texts: readonly (string | null)[];
  /** Whether it was the person's own, and stays as a mark among others. */
  readonly isOwn: boolean;
}

/**
 * One rule for each shelf: what holds something of people has one here, or it is not erased. A new shelf does not compile
 * without.
 */
const RULES: { readonly [S in Shelf]: (kept: Kept, findings: Findings) => Decision } = {
  events(kept, findings) {
    const event = eventIn(kept);
    if (event === null) return KEEP;
    if (findings.isTheirs(event)) return kept.isOver === true ? REMOVE : { kind: "in-hand" };
    const erasing = erasingIn(event.conversation, findings);
    const made = progressIn(kept);
    const progress = made && withoutSummaries(made, event.conversation, findings);
    const cleared = withoutPersonIn(event, erasing);
    return replaced(kept, [
      JSON.stringify(cleared),
      progress === null ? (kept.texts[1] ?? null) : JSON.stringify(withoutPerson(progress, erasing)),
    ]);
  },
  turns(kept, findings) {
    const turn = turnIn(kept);
    const conversation = kept.turn?.conversation ?? "";
    if (turn === null) return findings.privateOnes.has(conversation) ? REMOVE : KEEP;
    if (turn.covers !== undefined && isAmong(turn.covers, conversation, findings)) return REMOVE;
    const isTheirs = isTurnOf(kept, turn, findings);
    if (isTheirs && findings.privateOnes.has(conversation)) return REMOVE;
    const cleared = withoutPersonInTurn(
      turn,
      isTheirs,
      erasingIn(turn.conversation ?? conversation, findings),
    );
    return { ...replaced(kept, [JSON.stringify(cleared)]), ...(isTheirs && { isOwn: true }) };
  },
  people: ({ key, texts }, findings) => {
    const named = [key.replace(/^[pw]:/, ""), ...(texts[0] ?? "").split(" ")];
    return named.some((one) => findings.privateOnes.has(one) || namesOf(findings).includes(one))
      ? REMOVE
      : KEEP;
  },
  told: ({ key }, findings) =>
    namesOf(findings).some((name) => key.endsWith(`:${name}`) || key.includes(`"${name}"`)) ? REMOVE : KEEP,
  vault(kept, findings) {
    const [text = ""] = kept.texts;
    const read = parseJsonObject(text ?? "");
    if (!kept.key.startsWith(PLAIN) || !read.ok) return KEEP;
    const shelf = kept.key.slice(PLAIN.length).split("/", 1)[0];
    // What is about one of their events, such as a question or a message to a hook.
    if (names(read.value, findings) || isPrivateName(kept.key, findings)) return REMOVE;
    if (shelf === "notebook") return withoutTheirNotes(kept, read.value, findings);
    if (shelf === "rated") return findings.ids.has(getString(read.value, "by") ?? "") ? REMOVE : KEEP;
    return replaced(kept, [JSON.stringify(withoutPerson(read.value, { ...findings, words: null }))]);
  },
  notes(kept, { platform, tenant, ids }) {
    if (!kept.key.startsWith(`names:${platform}:${tenant}:`)) return KEEP;
    const entries = namesIn(kept.texts[0] ?? "");
    const left = entries.filter(([name]) => ![...ids].some((id) => name === `person:${id}`));
    return left.length === entries.length ? KEEP : replaced(kept, [JSON.stringify(left)]);
  },
  requests({ texts }, { eventIds, privateOnes }) {
    const read = parseJsonObject(texts[0] ?? "");
    if (!read.ok) return KEEP;
    const isTheirs = eventIds.has(getString(read.value, "eventId") ?? "");
    return isTheirs || privateOnes.has(getString(read.value, "conversation") ?? "") ? REMOVE : KEEP;
  },
  spending: ({ key }, findings) => ofScope(key, " ", findings),
  held(kept, findings) {
    const text = kept.texts[0] ?? "";
    return text.startsWith("[")
      ? replaced(kept, [JSON.stringify(withoutScopes(JSON.parse(text), findings))])
      : KEEP;
  },
  limits: ({ key }, findings) => ofScope(` ${key}`, " ", findings),
  conversations: ({ key }, { privateOnes }) => (privateOnes.has(key) ? REMOVE : KEEP),
};

export function decide(kept: Kept, findings: Findings): Decision {
  return RULES[kept.shelf](kept, findings);
}

const REMOVE = { kind: "remove" } as const;
const KEEP = { kind: "keep" } as const;

/** Of a run of others, without what it has made of turns that the person's are among. It goes on with the turns themselves. */
function withoutSummaries(progress: Progress, conversation: string, findings: Findings): Progress {
  const without = <S extends Step>(step: S): S =>
    step.kind === "compacted" && isAmong(step.covers, conversation, findings)
      ? { ...step, text: "", covers: { ...step.covers, by: [] } }
      : step;
  const { compacted } = progress;
  return {
    ...progress,
    steps: progress.steps.map(without),
    ...(compacted && { compacted: without(compacted) }),
  };
}

function replaced({ texts: was }: Kept, texts: readonly (string | null)[]): Decision {
  if (texts.every((text, index) => text === was[index])) return KEEP;
  return { kind: "replace", texts, isOwn: false };
}

function erasingIn(conversation: string, findings: Findings): Erasing {
  return { ...findings, words: findings.wordsIn.get(conversation) ?? null };
}

/** Of what is noted of a channel: what the person had noted down, and what of others' notes is theirs word for word. */
function withoutTheirNotes(kept: Kept, book: JsonObject, findings: Findings): Decision {
  const owner = decoded(kept.key.slice(PLAIN.length).split("/")[1] ?? "");
  // The same id in another workspace is somebody else's.
  if (!owner.startsWith(workspaceOf(findings))) return KEEP;
  const isTheirs = (note: unknown) => findings.ids.has(getString(getObject(note, "by"), "id") ?? "");
  const notes = (getArray(book, "notes") ?? []).filter((note) => !isTheirs(note));
  if (notes.length === 0) return REMOVE;
  return replaced(kept, [JSON.stringify(withoutPerson({ ...book, notes }, erasingIn(owner, findings)))]);
}

/** As scopes and limits name them. */
function namesOf({ platform, tenant, ids }: Whose): readonly string[] {
  return [...ids].map((id) => `${platform}:${tenant}:${id}`);
}

function ofScope(key: string, before: string, findings: Findings): Decision {
  const isTheirs =
    namesOf(findings).some((name) => key.endsWith(`${before}user:${name}`)) ||
    [...findings.privateOnes].some((one) => key.endsWith(`${before}conversation:${one}`));
  return isTheirs ? REMOVE : KEEP;
}

/** Of what a call counts on, however deep it stands, without what is theirs. */
function withoutScopes(held: unknown, findings: Findings): unknown {
  if (!Array.isArray(held)) return held;
  const isTheirs = (one: unknown) =>
    typeof one === "string" && ofScope(` ${one}`, " ", findings).kind === "remove";
  return held.filter((one) => !isTheirs(one)).map((one) => withoutScopes(one, findings));
}

/** Whether a text in it is one of their events, or of their conversations. */
function names(value: unknown, findings: Findings): boolean {
  if (typeof value === "string") return findings.eventIds.has(value) || findings.privateOnes.has(value);
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some((one) => names(one, findings));
}

function isPrivateName(key: string, { privateOnes }: Findings): boolean {
  return key.split("/").some((part) => privateOnes.has(part) || privateOnes.has(decoded(part)));
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function namesIn(text: string): readonly (readonly [name: string, ...rest: unknown[]])[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value)
      ? value.filter((one) => Array.isArray(one) && typeof one[0] === "string")
      : [];
  } catch {
    return [];
  }
}
