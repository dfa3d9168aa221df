import assert from "node:assert";
import { NOTE_CHARS_MAX, VAULT_CHARS_MAX } from "../domain/bounds.ts";

/** Only our own code makes notes, so one that cannot be kept as it is is a fault of ours. */
export function boundedNote(value: string): string {
  const { length } = value;
  assert(length <= NOTE_CHARS_MAX, `Expected a note of at most ${NOTE_CHARS_MAX} characters, got ${length}`);
  assert(value.isWellFormed(), "Expected a note of whole characters, got half of one");
  return value;
}

/** So is whatever comes into the vault. */
export function boundedValue(value: string): string {
  const { length } = value;
  assert(
    length <= VAULT_CHARS_MAX,
    `Expected a value of at most ${VAULT_CHARS_MAX} characters, got ${length}`,
  );
  assert(value.isWellFormed(), "Expected a value of whole characters, got half of one");
  return value;
}
