import { get, getArray, getObject, getString } from "../../src/shared/json.ts";
import { flag, integer } from "./payload.ts";

const ITEMS_MAX = 50;

/** What a message says: its text, its caption, or what stands in the thing that it is made of. Empty: nothing. */
export function wordsOf(message: unknown): string {
  return (getString(message, "text") ?? getString(message, "caption") ?? thingWords(message)).toWellFormed();
}

/** Of messages that are made of something else than words: a venue, a checklist, a sticker. Bot API, Message. */
export function thingWords(message: unknown): string {
  for (const [field, words] of THINGS) {
    const thing = getObject(message, field);
    const said = thing === undefined ? "" : words(thing);
    if (said !== "") return said;
  }
  return "";
}

const THINGS: readonly (readonly [field: string, words: (thing: unknown) => string])[] = [
  ["venue", (venue) => lines(placeName(venue), coordinates(getObject(venue, "location")))],
  ["checklist", checklistWords],
  ["poll", pollWords],
  ["sticker", (sticker) => getString(sticker, "emoji") ?? ""],
  ["dice", (dice) => spaced(getString(dice, "emoji"), number(dice, "value"))],
  ["game", (game) => lines(getString(game, "title"), getString(game, "description"))],
  [
    "invoice",
    (invoice) => lines(getString(invoice, "title"), getString(invoice, "description"), price(invoice)),
  ],
  ["story", (story) => spaced("A story of", chatName(getObject(story, "chat")))],
  ["gift", (gift) => lines("A gift", getString(gift, "text"))],
  ["unique_gift", (gift) => spaced("A gift:", getString(getObject(gift, "gift"), "base_name"))],
  ["paid_media", (media) => spaced("Paid media, for", number(media, "star_count"), "stars")],
  ["giveaway", (giveaway) => lines("A giveaway", getString(giveaway, "prize_description"))],
];

/** A name and where it is: `Pump house 7, Dike road 3`. */
export function placeName(venue: unknown): string {
  return listed(getString(venue, "title"), getString(venue, "address"));
}

export function coordinates(location: unknown): string | undefined {
  const latitude = get(location, "latitude");
  const longitude = get(location, "longitude");
  const areNumbers = typeof latitude === "number" && typeof longitude === "number";
  return areNumbers ? `${latitude},${longitude}` : undefined;
}

/** `Bob Miller, +447700900123`. */
export function contactName(contact: unknown): string {
  const name = spaced(getString(contact, "first_name"), getString(contact, "last_name"));
  return listed(name === "" ? undefined : name, getString(contact, "phone_number"));
}

/** What stands at one task of a checklist. */
export function taskText(checklist: unknown, taskId: number): string | undefined {
  const task = getArray(checklist, "tasks").find((one) => integer(one, "id") === taskId);
  return getString(task, "text");
}

function checklistWords(checklist: unknown): string {
  const tasks = getArray(checklist, "tasks")
    .slice(0, ITEMS_MAX)
    .flatMap((task) => {
      const text = getString(task, "text");
      const isDone = (integer(task, "completion_date") ?? 0) > 0;
      return text === undefined ? [] : [`${isDone ? "☑" : "☐"} ${text}`];
    });
  return lines(getString(checklist, "title"), ...tasks);
}

function pollWords(poll: unknown): string {
  const isClosed = flag(poll, "is_closed");
  const options = getArray(poll, "options")
    .slice(0, ITEMS_MAX)
    .flatMap((option) => {
      const text = getString(option, "text");
      const votes = integer(option, "voter_count") ?? 0;
      return text === undefined ? [] : [`- ${text}${votes > 0 ? ` (${votes})` : ""}`];
    });
  const question = getString(poll, "question");
  return lines(question === undefined ? undefined : `${question}${isClosed ? " (closed)" : ""}`, ...options);
}

function price(invoice: unknown): string | undefined {
  const amount = number(invoice, "total_amount");
  const currency = getString(invoice, "currency");
  return amount === undefined || currency === undefined
    ? undefined
    : `${amount} in the smallest units of ${currency}`;
}

function number(object: unknown, key: string): string | undefined {
  const value = integer(object, key);
  return value === undefined ? undefined : String(value);
}

export function chatName(chat: unknown): string | undefined {
  const person = spaced(getString(chat, "first_name"), getString(chat, "last_name"));
  return getString(chat, "title") ?? (person === "" ? getString(chat, "username") : person);
}

const present = (parts: readonly (string | undefined)[]) =>
  parts.filter((part) => part !== undefined && part !== "");
const lines = (...parts: readonly (string | undefined)[]) => present(parts).join("\n");
const spaced = (...parts: readonly (string | undefined)[]) => present(parts).join(" ");
const listed = (...parts: readonly (string | undefined)[]) => present(parts).join(", ");
