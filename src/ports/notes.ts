import type { Held } from "./holds.ts";

/**
 * Small values that outlive their process: how far something has got, where it goes on. Each is written by the holder of
 * a name and by nobody else, and read by whoever holds it next. Durable before `put` resolves, as far as the store is.
 */
export interface Notes {
  /** Null: nothing was ever noted under this name. */
  get(name: string): Promise<string | null>;
  /** False: the hold has ended and nothing changed. At most NOTE_CHARS_MAX characters. */
  put(name: string, value: string, held: Held): Promise<boolean>;
}
