import type { ContextAuthor, ContextItem } from "../../src/domain/context.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { ThreadPast, ThreadReader } from "../../src/ports/adapter.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { get, getArray, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import { readAddress, type SlackAddress } from "./address.ts";
import type { CallSlack } from "./api.ts";
import { messageItems } from "./content.ts";
import type { SlackSelf } from "./identity.ts";
import { isOwnPost } from "./metadata.ts";

/** How much of a thread is shown, in number and characters, and how long a run may wait for it. */
export interface ThreadLimits {
  readonly messages: number;
  readonly characters: number;
  readonly waitMs: number;
}

const METHOD = "conversations.replies";
const PAGE = 200;
/** Slack gives a thread from its beginning, and the newest are wanted: so far a long one is followed. */
const PAGES_MAX = 10;
/** Of the time that a run waits, after which what was read so far is taken. */
const OWN_SHARE = 0.9;
/** Notices of Slack's own, such as who joined. */
const SAID = new Set(["", "file_share", "thread_broadcast", "me_message", "bot_message"]);

export function createThreadReader(deps: {
  readonly call: CallSlack;
  readonly self: SlackSelf;
  readonly limits: ThreadLimits;
  readonly clock: Clock;
}): ThreadReader {
  const { limits, clock, self } = deps;
  /** Slack said to wait: asking sooner only prolongs it. */
  let restUntilMs = Number.NEGATIVE_INFINITY;

  async function call(args: Record<string, unknown>, signal: AbortSignal): Promise<JsonObject> {
    const restMs = restUntilMs - clock.nowMs();
    if (restMs > 0)
      throw new DeliveryError("retry", `${METHOD}: ratelimited`, { status: 429, retryAfterMs: restMs });
    try {
      return await deps.call(METHOD, args, signal);
    } catch (error) {
      if (error instanceof DeliveryError && error.status === 429)
        restUntilMs = clock.nowMs() + (error.retryAfterMs ?? 0);
      throw error;
    }
  }

  return {
    waitMs: limits.waitMs,
    async read(event, signal) {
      const place = placeOf(event);
      if (place === null) return { items: [], isWhole: true };
      const { messages, isWhole } = await pagesOf(place, call, clock, limits.waitMs, signal);
      const kept = rootAndNewest(messages, limits.messages);
      return {
        items: fitting(
          kept.flatMap((message) => itemsOf(message, self)).filter((item) => !isShown(item, event)),
          limits,
        ),
        isWhole,
      };
    },
  };
}

interface Place {
  readonly channel: string;
  readonly root: string;
  /** The question itself, or when the button was pressed. */
  readonly ts: string;
}

function placeOf({ replyTo, place, thread, trigger, occurredAtMs }: TriggerEvent): Place | null {
  const address = readAddress(replyTo);
  if (address === null || thread === null) return null;
  if (trigger === "button")
    return isPrivate(address) ? null : { channel: place, root: thread, ts: (occurredAtMs / 1000).toFixed(6) };
  if (address.kind !== "message" || address.ts === undefined) return null;
  return thread === address.ts ? null : { channel: place, root: thread, ts: address.ts };
}

/** Of a press that only one person sees the conversation is that person's, and not the thread's. */
function isPrivate(address: SlackAddress): boolean {
  return address.kind === "response_url" ? address.visibility === "ephemeral" : address.threadTs === null;
}

/** The message that holds what was pressed is shown as such. */
function isShown({ text, atMs }: ContextItem, { context = [] }: TriggerEvent): boolean {
  return context.some((item) => item.kind === "pressed" && item.atMs === atMs && item.text === text);
}

/** The root and what follows it, up to the question. Once something was read, a failure only cuts it short. */
async function pagesOf(
  { channel, root, ts }: Place,
  call: (args: Record<string, unknown>, signal: AbortSignal) => Promise<JsonObject>,
  clock: Clock,
  waitMs: number,
  signal: AbortSignal,
): Promise<{ messages: readonly JsonObject[]; isWhole: boolean }> {
  const found = new Map<string, JsonObject>();
  const late = new AbortController();
  const either = AbortSignal.any([signal, late.signal]);
  const timer = clock.sleep(waitMs * OWN_SHARE, late.signal).then(
    () => late.abort("late"),
    () => {},
  );
  let isWhole = false;
  let cursor: string | undefined;
  try {
    for (let page = 0; page < PAGES_MAX; page++) {
      const args = { channel, ts: root, latest: ts, limit: PAGE, include_all_metadata: true };
      const answer = await call({ ...args, ...(cursor !== undefined && { cursor }) }, either);
      for (const message of getArray(answer, "messages")) add(message, found, Number(ts));
      cursor = getString(getObject(answer, "response_metadata"), "next_cursor");
      isWhole = cursor === undefined && get(answer, "has_more") !== true;
      if (cursor === undefined) break;
    }
  } catch (error) {
    signal.throwIfAborted();
    if (found.size === 0) throw error;
  } finally {
    late.abort("read");
    await timer;
  }
  const messages = [...found].sort(([a], [b]) => Number(a) - Number(b)).map(([, message]) => message);
  return { messages, isWhole };
}

/** By time stamp: the root comes with every page. */
function add(message: unknown, found: Map<string, JsonObject>, beforeTs: number): void {
  const ts = getString(message, "ts");
  if (ts === undefined || !(Number(ts) < beforeTs)) return;
  if (SAID.has(getString(message, "subtype") ?? "")) found.set(ts, message as JsonObject);
}

function rootAndNewest<T>(messages: readonly T[], max: number): readonly T[] {
  if (messages.length <= max) return messages;
  const newest = max > 1 ? messages.slice(-(max - 1)) : [];
  return [...messages.slice(0, 1), ...newest];
}

function itemsOf(message: JsonObject, self: SlackSelf): ContextItem[] {
  const botIds = new Set(self.userId === null ? [] : [self.userId]);
  const [said, ...more] = messageItems("thread", message, authorOf(message, self), botIds);
  // What a message of the thread passes on has an author of its own, but belongs to the thread all the same.
  return said === undefined ? [] : [said, ...more.map((item) => ({ ...item, kind: "thread" as const }))];
}

export function authorOf(message: JsonObject, self: SlackSelf): ContextAuthor {
  const user = getString(message, "user");
  const bot = getString(message, "bot_id");
  const id = user ?? bot ?? null;
  const profile = getObject(message, "user_profile");
  const name =
    getString(profile, "display_name") ??
    getString(profile, "real_name") ??
    getString(message, "username") ??
    getString(getObject(message, "bot_profile"), "name") ??
    id ??
    "somebody";
  const isSelf =
    isOwnPost(message) ||
    (user !== undefined && user === self.userId) ||
    (bot !== undefined && bot === self.botId);
  return { id: id?.toWellFormed() ?? null, name: name.toWellFormed(), ...(isSelf && { isSelf }) };
}

/** The root, cut to half of the room, then the newest that fit. */
function fitting(items: readonly ContextItem[], { characters }: ThreadLimits): ThreadPast["items"] {
  const [root, ...rest] = items.filter(
    ({ text, attachments }) => text.trim() !== "" || attachments.length > 0,
  );
  if (root === undefined) return [];
  const first =
    rest.length > 0 && lengthOf(root) > characters / 2 ? cut(root, characters / 2) : cut(root, characters);
  let left = characters - lengthOf(first);
  const newest: ContextItem[] = [];
  for (const item of rest.reverse()) {
    left -= lengthOf(item);
    if (left < 0) break;
    newest.unshift(item);
  }
  return [first, ...newest];
}

function lengthOf({ author, text }: ContextItem): number {
  return (author?.name.length ?? 0) + ": ".length + text.length + 1;
}

function cut(item: ContextItem, characters: number): ContextItem {
  if (lengthOf(item) <= characters) return item;
  const room = Math.max(0, Math.floor(characters) - (lengthOf(item) - item.text.length) - 2);
  return { ...item, text: `${item.text.slice(0, room).toWellFormed()} …` };
}
