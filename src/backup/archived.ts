import { createReadStream } from "node:fs";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { createGunzip } from "node:zlib";
import { z } from "zod";
import { ArchiveError, describe } from "./manifest.ts";

/** Finished events, a line of JSON each, in an archive of their own. */
export const EVENTS = "events/finished.ndjson.gz";

const archivedSchema = z.looseObject({
  id: z.string(),
  seq: z.int(),
  state: z.enum(["done", "dropped", "dead", "merged"]),
  merged_into: z.string().nullable(),
});
/** As much of one as says which it is. */
export type Archived = z.output<typeof archivedSchema>;

/** Throws ArchiveError where a line is no event. */
export async function* archivedEvents(archive: string): AsyncGenerator<Archived, void> {
  const file = join(archive, EVENTS);
  let number = 0;
  try {
    for await (const line of linesOf(file)) {
      number++;
      yield archivedSchema.parse(JSON.parse(line));
    }
  } catch (error) {
    throw new ArchiveError(`Expected an event in line ${number} of ${file}, got ${describe(error)}`, {
      cause: error,
    });
  }
}

/** By line feeds alone: `node:readline` would also end a line in a text that holds U+2028. */
async function* linesOf(file: string): AsyncGenerator<string, void> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  for await (const chunk of createReadStream(file).pipe(createGunzip())) {
    const lines = (rest + decoder.write(chunk as Buffer)).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") throw new Error("an end in the middle of a line");
}
