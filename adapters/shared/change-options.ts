import { z } from "zod";

/** What becomes of messages that somebody edits or deletes. */
export type ChangePolicy = z.output<z.ZodObject<typeof CHANGE_OPTIONS>>;

/** Options of a platform that tells of edits and deletions. */
export const CHANGE_OPTIONS = {
  edits: z
    .enum(["ignore", "rerun"])
    .default("ignore")
    .describe(
      "A message whose words are edited: nothing, or it is answered anew and the one before leaves memory.",
    ),
  deletes: z
    .enum(["keep", "forget"])
    .default("forget")
    .describe(
      "A message that is deleted: it stays remembered, or leaves memory with its answer; one that waits is not answered.",
    ),
};
