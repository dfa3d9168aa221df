import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { iso } from "../shared/time.ts";
import { type Archived, EVENTS } from "./archived.ts";
import { flushFolder } from "./copy.ts";
import { digestOf, type Manifest } from "./manifest.ts";
import { archiveName, type Taken, whole, writeManifest } from "./take.ts";

export interface EventsOptions {
  /** The folder that archives are in. */
  readonly to: string;
  readonly events: AsyncIterable<object>;
  readonly store: Manifest["store"];
  readonly version: string;
  readonly nowMs: number;
}

/** Makes an archive of events, and reads it back before it gets its name. Throws ArchiveError; then nothing is left of it. */
export async function archiveEvents(options: EventsOptions): Promise<Taken> {
  const { to, nowMs } = options;
  return await whole(to, archiveName("events", nowMs), async (partial) => {
    const folder = join(partial, "events");
    await mkdir(folder, { mode: 0o700 });
    await write(partial, options);
    await flushFolder(folder);
  });
}

async function write(partial: string, { events, store, version, nowMs }: EventsOptions): Promise<void> {
  const file = join(partial, EVENTS);
  const counts = { total: 0, waiting: 0, dead: 0 };
  async function* lines(): AsyncGenerator<string, void> {
    for await (const event of events) {
      counts.total++;
      if ((event as Partial<Archived>).state === "dead") counts.dead++;
      yield `${JSON.stringify(event)}\n`;
    }
  }
  await pipeline(
    Readable.from(lines()),
    createGzip(),
    createWriteStream(file, { mode: 0o600, flags: "wx", flush: true }),
  );
  await writeManifest(partial, {
    ...{
      format: 1,
      kind: "events",
      version,
      created_at: iso(nowMs),
      host: hostname(),
      store,
      events: counts,
    },
    ...{
      schema_version: null,
      redis_keys: null,
      left_out: [],
      files: [{ path: EVENTS, ...(await digestOf(file)) }],
    },
  });
}
