import {
  type ContextAuthor,
  type ContextItem,
  type ContextKind,
  contextItem,
} from "../../src/domain/context.ts";
import { get, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import { attachmentsIn } from "./files.ts";
import { mentionsIn, namesIn, readableText } from "./mentions.ts";
import { nameOfUser } from "./people.ts";
import { isSnowflake } from "./snowflake.ts";
import { cardWords, messageWords, snapshotsOf } from "./text.ts";

/** The message that a command is for, after the one that it replies to. */
export function targetItems(message: JsonObject | undefined, applicationId: string): readonly ContextItem[] {
  if (message === undefined) return [];
  const before = getObject(message, "referenced_message");
  return [
    ...(before === undefined ? [] : itemOf("quoted", before, applicationId)),
    ...itemOf("target", message, applicationId),
  ];
}

/** The message that holds what was pressed. */
export function pressedItem(message: JsonObject | undefined, applicationId: string): readonly ContextItem[] {
  return message === undefined ? [] : itemOf("pressed", message, applicationId);
}

/**
 * What a message that somebody wrote refers to: what it replies to, what it passes on, and the cards that a service put to
 * it. What it says itself is not in it.
 */
export function messageItems(message: JsonObject, applicationId: string): readonly ContextItem[] {
  const before = getObject(message, "referenced_message");
  const cards = cardWords(message);
  return [
    ...(before === undefined ? [] : itemOf("quoted", before, applicationId)),
    ...snapshotsOf(message).flatMap((passedOn) => itemOf("forwarded", passedOn, applicationId)),
    ...(cards === "" ? [] : [contextItem("embedded", cards)]),
  ];
}

/** What others have said to the bot names it as it names anybody. */
const NOBODY = "";

function itemOf(kind: ContextKind, message: JsonObject, applicationId: string): readonly ContextItem[] {
  const words = messageWords(message);
  const text = readableText(words, NOBODY, namesIn(message));
  const mentions = mentionsIn(message, words, NOBODY);
  const attachments = [message, ...snapshotsOf(message)].flatMap((part) => attachmentsIn(part));
  if (text === "" && attachments.length === 0) return [];
  const sentAtMs = Date.parse(getString(message, "timestamp") ?? "");
  const atMs = Number.isNaN(sentAtMs) ? null : sentAtMs;
  return [
    contextItem(kind, text, {
      ...(mentions.length > 0 && { mentions }),
      author: authorOf(message, applicationId),
      attachments,
      atMs,
    }),
  ];
}

/** A bot's user has the id of its application, but for the oldest; a message of ours names the application as well. */
function authorOf(message: JsonObject, applicationId: string): ContextAuthor | null {
  const author = getObject(message, "author");
  const id = get(author, "id");
  const name = nameOfUser(author)?.toWellFormed() ?? (isSnowflake(id) ? id : undefined);
  if (name === undefined) return null;
  const isSelf = id === applicationId || get(message, "application_id") === applicationId;
  return { id: isSnowflake(id) ? id : null, name, ...(isSelf && { isSelf }) };
}
