import { OF_DEVELOPERS, PLATFORMS, type ReplyAddress, type TriggerEvent } from "../domain/event.ts";
import type { Refusal } from "../domain/refusal.ts";
import type { Receipt } from "../domain/reply.ts";
import type { Progress } from "../domain/run.ts";
import type { Signal } from "../domain/signal.ts";
import type { LaneHead } from "../ports/lanes.ts";
import type { Fate } from "../ports/outbox.ts";
import type { Job } from "../ports/queue.ts";

/** The texts of an event as a store keeps them; null where there is none. */
export interface StoredTexts {
  readonly lane: string;
  readonly body: string;
  readonly refusal: string | null;
  readonly progress: string | null;
  /** Of what is joined to it. */
  readonly joined: readonly string[];
}

/**
 * A disk that turns bits leaves texts that nothing else notices: the pages of a database are whole. One event that
 * cannot be read must hold up no other, so it is given out with its damage, and nothing is run or said for it.
 */
export function storedJob({
  lane,
  ...texts
}: StoredTexts): Pick<Job, "event" | "events" | "refusal" | "progress" | "damage"> {
  const event = parsedEvent(texts.body);
  const refusal = parsed<Refusal>(texts.refusal);
  const progress = parsed<Progress>(texts.progress);
  const joined = texts.joined.map(parsedEvent);
  const broken = [
    (event === null || joined.includes(null)) && "text",
    refusal === undefined && "refusal",
    progress === undefined && "progress",
  ];
  const names = broken.filter((name) => name !== false);
  const first = event ?? remains(idIn(texts.body) ?? lane, lane);
  return {
    event: first,
    events: [first, ...joined.filter((one) => one !== null)],
    refusal: refusal ?? null,
    progress: progress ?? null,
    ...(names.length > 0 && { damage: damageOf(names) }),
  };
}

/** Each with its key, as a store keeps them: `[key, JSON, key, JSON, …]`, as JSON; null for none. */
export function storedSignals(text: string | null): readonly Signal[] {
  const pairs = storedOrNull<string[]>(text) ?? [];
  return readable<Signal>(pairs.filter((_, index) => index % 2 === 1));
}

/** Null when it cannot be read. */
export function storedHead(body: string, progress: string | null, signals: string | null): LaneHead | null {
  const event = parsedEvent(body);
  return event && { event, progress: storedOrNull<Progress>(progress), signals: storedSignals(signals) };
}

/** A stop that the version before has kept, which did not know by whom. */
export const STOP_OF_UNKNOWN: Signal = { kind: "stop", by: { id: "", name: "" } };

/** Whether saying begins with it. What was claimed with an answer has begun to be said before. */
export function isFirstAnswer(job: Pick<Job, "progress">, { answer }: Progress): boolean {
  return answer !== null && !job.progress?.answer;
}

/** For lists: of one that cannot be read, what is known without its text. */
export function storedEvent(body: string, id: string): TriggerEvent {
  return parsedEvent(body) ?? remains(id, id);
}

/** Null when there is none, or when it cannot be read. */
export function storedOrNull<T extends object>(text: string | null): T | null {
  return parsed<T>(text) ?? null;
}

/** Without those that cannot be read. */
export function readable<T extends object>(texts: readonly string[]): T[] {
  return texts.flatMap((text) => storedOrNull<T>(text) ?? []);
}

/** Of events that could be read a moment ago. */
export function readableEvents(bodies: readonly string[]): readonly TriggerEvent[] {
  return bodies.flatMap((body) => parsedEvent(body) ?? []);
}

/** That it was sent is certain, whatever became of the words for it. */
export function storedReceipt(text: string): Receipt {
  return storedOrNull<Receipt>(text) ?? { messageId: null, via: "unknown" };
}

/** What became of a send, as a word and a receipt. */
export function fateParts(fate: Fate): readonly ["sent" | "shown" | "not-sent", Receipt | null] {
  if (fate === "not-sent") return [fate, null];
  return "kind" in fate ? ["shown", fate.receipt] : ["sent", fate];
}

/** Null when it cannot be read. */
export function parsedEvent(body: string): TriggerEvent | null {
  const event = parsed<TriggerEvent>(body);
  if (event === undefined || event === null) return null;
  const { id, conversation, text, platform, sender, aliases, attachments } = event;
  const isWhole =
    [id, conversation, text, sender?.id].every((one) => typeof one === "string") &&
    PLATFORMS.includes(platform) &&
    Array.isArray(aliases) &&
    Array.isArray(attachments);
  return isWhole ? event : null;
}

function damageOf(names: readonly string[]): string {
  return `EVENT_DAMAGED: expected its ${names.join(" and ")} as written, got something else from the disk`;
}

/** Undefined when it cannot be read. */
function parsed<T extends object>(text: string | null): T | null | undefined {
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}

/** The first thing that is written of an event. */
function idIn(body: string): string | null {
  return /^\{"id":"([^"\\]{1,500})"/.exec(body)?.[1] ?? null;
}

function remains(id: string, conversation: string): TriggerEvent {
  const [first = "", tenant = "", place = ""] = conversation.split(":");
  return {
    id,
    aliases: [],
    platform: PLATFORMS.find((one) => one === first) ?? OF_DEVELOPERS,
    tenant,
    place,
    thread: null,
    conversation,
    isDirect: false,
    sender: { id: "", name: "", isBot: false },
    trigger: "ambient",
    command: null,
    text: "",
    attachments: [],
    replyTo: "" as ReplyAddress,
    occurredAtMs: 0,
  };
}
