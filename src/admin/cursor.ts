/**
 * A place in a list, in a form that nobody takes for more than that: where it was handed out is where it is given back.
 * The version lets a later one tell its own from these.
 */
const VERSION = "1";

export type ListName =
  | "events"
  | "letters"
  | "refusals"
  | "installations"
  | "approvals"
  | "conversations"
  | "notes"
  | "audit";

export function cursorOf(list: ListName, place: string | number): string {
  return Buffer.from(`${VERSION}.${list}.${place}`, "utf8").toString("base64url");
}

/** Null: no cursor of this list. */
export function placeOf(list: ListName, cursor: string): string | null {
  if (cursor.length > CURSOR_CHARS_MAX) return null;
  const text = Buffer.from(cursor, "base64url").toString("utf8");
  const head = `${VERSION}.${list}.`;
  const place = text.slice(head.length);
  const isOurs = text.startsWith(head) && cursorOf(list, place) === cursor;
  return isOurs && PLACES[list].test(place) ? place : null;
}

const CURSOR_CHARS_MAX = 2_000;
const NOTE = /^ref_[0-9a-v]{20}$/;
/** No more digits than a number holds exactly. */
const SEQ = /^(?:0|[1-9][0-9]{0,14})$/;
/** Platform and tenant. */
const INSTALLATION = /^[a-z]{1,20}:[!-~]{1,100}$/;
const PLACES: Readonly<Record<ListName, RegExp>> = {
  events: SEQ,
  letters: SEQ,
  refusals: NOTE,
  installations: INSTALLATION,
  audit: SEQ,
  /** Agent and owner. */
  notes: /^\S{1,100} .{1,1000}$/su,
  approvals: /^apr_\w{1,60}$/,
  /** As the store has it: a number, or a time and a conversation. */
  conversations: /^\d{1,15}(?: .{0,1000})?$/su,
};

export function isNoteId(id: string): boolean {
  return NOTE.test(id);
}
