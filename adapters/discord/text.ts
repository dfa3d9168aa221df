import { get, getArray, getObject, getString, type JsonObject } from "../../src/shared/json.ts";

const EMBEDS_MAX = 10;
const FIELDS_MAX = 25;
const SNAPSHOTS_MAX = 10;
/** Discord takes 40; this bounds the work on what only looks like it. */
const COMPONENTS_MAX = 200;
const LABEL_CHARS_MAX = 200;

/**
 * What a message says to people: its content, and what was passed on in it; where it has none, its cards, and else the
 * text of its components. Cards that a service wrote are read beside its content; previews of links are not.
 */
export function messageWords(message: unknown): string {
  const content = getString(message, "content");
  const said = lines(
    content,
    ...snapshotsOf(message).map(messageWords),
    pollWords(getObject(message, "poll")),
  );
  const cards = getArray(message, "embeds")
    .slice(0, EMBEDS_MAX)
    .filter((embed) => said === "" || (get(embed, "type") ?? "rich") === "rich");
  const shown = lines(said, ...cards.map(embedWords));
  if (shown !== "") return shown.toWellFormed();
  return lines(...componentWords(message), stickerWords(message)).toWellFormed();
}

function componentWords(message: unknown): readonly string[] {
  return componentsIn(message).flatMap(
    (part) => getString(part, "content") ?? getString(part, "label") ?? [],
  );
}

function stickerWords(message: unknown): string {
  const stickers = getArray(message, "sticker_items").slice(0, FIELDS_MAX);
  return lines(...stickers.map((sticker) => getString(sticker, "name")));
}

/** What a message says by itself: its content, or its poll, or the names of its stickers. */
export function ownWords(message: unknown): string {
  const said = lines(getString(message, "content"), pollWords(getObject(message, "poll")));
  return (said === "" ? stickerWords(message) : said).toWellFormed();
}

/** What a service shows with a message: its cards, and the text of its components. Previews of links are left out. */
export function cardWords(message: unknown): string {
  const cards = getArray(message, "embeds")
    .slice(0, EMBEDS_MAX)
    .filter((embed) => (get(embed, "type") ?? "rich") === "rich");
  return lines(...cards.map(embedWords), ...componentWords(message)).toWellFormed();
}

/** Copies of messages that were passed on. They do not tell by whom they were written. */
export function snapshotsOf(message: unknown): readonly JsonObject[] {
  return getArray(message, "message_snapshots")
    .slice(0, SNAPSHOTS_MAX)
    .map((snapshot) => getObject(snapshot, "message"))
    .filter((message) => message !== undefined);
}

function embedWords(embed: unknown): string {
  const fields = getArray(embed, "fields")
    .slice(0, FIELDS_MAX)
    .map((field) => listed(getString(field, "name"), getString(field, "value")));
  return lines(
    getString(getObject(embed, "author"), "name"),
    getString(embed, "title"),
    getString(embed, "description"),
    ...fields,
    getString(getObject(embed, "footer"), "text"),
  );
}

function pollWords(poll: unknown): string {
  const answers = getArray(poll, "answers")
    .slice(0, FIELDS_MAX)
    .map((answer) => getString(getObject(answer, "poll_media"), "text"))
    .flatMap((text) => (text === undefined ? [] : [`- ${text}`]));
  return lines(getString(getObject(poll, "question"), "text"), ...answers);
}

/** Every component of a message, containers before what they hold. Nesting is bounded by the JSON reader. */
export function componentsIn(message: unknown): readonly unknown[] {
  const found: unknown[] = [];
  const waiting = [...getArray(message, "components")].reverse();
  while (waiting.length > 0 && found.length < COMPONENTS_MAX) {
    const part = waiting.pop();
    found.push(part);
    const inner = [...getArray(part, "components"), get(part, "component"), get(part, "accessory")];
    waiting.push(...inner.filter((one) => one !== undefined).reverse());
  }
  return found;
}

/** What stood on the component: a button's label, or its picture. */
export function labelOf(component: unknown): string | null {
  const label =
    getString(component, "label") ??
    getString(getObject(component, "emoji"), "name") ??
    getString(component, "placeholder");
  return label?.slice(0, LABEL_CHARS_MAX).toWellFormed() ?? null;
}

const lines = (...parts: readonly (string | undefined)[]) => parts.filter((part) => part).join("\n");
const listed = (...parts: readonly (string | undefined)[]) => parts.filter((part) => part).join(": ");
