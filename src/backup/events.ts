import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { iso } from "../shared/time.ts";
import { type Archived, EVENTS } from "./archived.ts";
import { flushFolder } from "./copy.ts";
import { digestOf, type Manifest } from "./manifest.ts";
import { archiveName, writeManifest } from "./take.ts";
import { verifyArchive } from "./verify.ts";

export interface EventsOptions {
  /** The folder that archives are in. */
  readonly to: string;
  readonly events: AsyncIterable<object>;
  readonly store: Manifest["store"];
  readonly version: string;
  readonly nowMs: number;
}

/** Makes an archive of events, and reads it back before it gets its name. Throws ArchiveError; then nothing is left of it. */
export async function archiveEvents(
  options: EventsOptions,
): Promise<{ archive: string; manifest: Manifest }> {
  const { to, nowMs } = options;
  const name = archiveName("events", nowMs);
  const partial = join(to, `.partial-${name}`);
  const archive = join(to, name);
  await mkdir(to, { recursive: true, mode: 0o700 });
  await rm(partial, { recursive: true, force: true });
  await mkdir(join(partial, "events"), { recursive: true, mode: 0o700 });
  try {
    await write(partial, options);
    const manifest = await verifyArchive(partial);
    await flushFolder(join(partial, "events"));
    await flushFolder(partial);
    await rename(partial, archive);
    await flushFolder(to);
    return { archive, manifest };
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
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
