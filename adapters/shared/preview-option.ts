import { z } from "zod";

/** Where an answer is shown while it grows: in direct messages alone, everywhere, or nowhere. */
export type Preview = "direct" | "on" | "off";

/** The option `preview`. */
export function previewOption(fallback: Preview, words: string) {
  return z.enum(["direct", "on", "off"]).default(fallback).describe(words);
}
