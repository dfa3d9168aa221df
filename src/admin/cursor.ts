/** A place in a list, in a form that nobody takes for more than that. */
export function cursorOf(id: string): string {
  return Buffer.from(id, "utf8").toString("base64url");
}

const ID = /^ref_[0-9a-v]{20}$/;

export function isNoteId(id: string): boolean {
  return ID.test(id);
}

/** Null: no cursor of ours. */
export function cursorId(cursor: string): string | null {
  const id = Buffer.from(cursor, "base64url").toString("utf8");
  return isNoteId(id) && cursorOf(id) === cursor ? id : null;
}
