import { z } from "zod";
import type { Preview } from "./preview-option.ts";

/** Whether answers may name people and channels so that it rings for them. */
export type Mentions = "shown" | "off";

/** The option `mentions`. */
export const MENTIONS_OPTION = {
  mentions: z
    .enum(["off", "shown"])
    .default("off")
    .describe(
      "Whether @name and #channel in an answer are mentions, of those whom the question and what it refers to has shown. Answers in channels are then not shown while they grow: a change rings for nobody.",
    ),
};

/** A message that is changed rings for nobody: what may ring is said when it is whole. */
export function previewBeside(mentions: Mentions, preview: Preview): Preview {
  return mentions === "shown" && preview === "on" ? "direct" : preview;
}
