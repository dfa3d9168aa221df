import { z } from "zod";
import { count, seconds, YEAR } from "./schema-parts.ts";

const MIB = 1024 * 1024;
const bytes = (max: number) => count(1_024, max);

/** Files that come with messages, and go out with answers. */
export const mediaSchema = z
  .strictObject({
    dir: z
      .string()
      .min(1)
      .max(4_096)
      .optional()
      .describe("The folder in which files are kept; `media` in the data folder when absent."),
    file_bytes: bytes(100 * MIB)
      .default(20 * MIB)
      .describe("A larger file is not read, and the agent is told so."),
    event_bytes: bytes(1_024 * MIB)
      .default(50 * MIB)
      .describe("What all files of one message may have together."),
    total_bytes: bytes(1_024 * 1_024 * MIB)
      .default(2_048 * MIB)
      .describe("What all files may have that are kept; when there is no room, no more are read."),
    redis: z
      .strictObject({
        file_bytes: bytes(4 * MIB)
          .default(MIB)
          .describe("Instead of `file_bytes` and of what is more."),
        total_bytes: bytes(16_384 * MIB)
          .default(64 * MIB)
          .describe("Instead of `total_bytes`. Redis takes a third more for them, in memory."),
      })
      .prefault({})
      .describe(
        "With REDIS_URL and without `dir`: files are kept in Redis, so that every replica finds them.",
      ),
    kept_seconds: seconds(10 * YEAR)
      .default(604_800)
      .describe("A file is kept so long, and no longer than its conversation is remembered."),
  })
  .prefault({})
  .describe("Files that come with messages: what is read of them, and how long they are kept.");
