import { lstatSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { APPLICATION_ID } from "../store/sqlite/database.ts";
import { archivedEvents } from "./archived.ts";
import { ArchiveError, describe, digestOf, type Manifest, readManifest } from "./manifest.ts";

export const DATABASE = "store/parley.db";

/** Every file is there and as it was written, and every database can be opened and is whole. Throws ArchiveError. */
export async function verifyArchive(archive: string): Promise<Manifest> {
  const manifest = readManifest(archive);
  for (const { path, bytes, sha256 } of manifest.files) {
    const file = join(archive, path);
    const got = await digestOfRegular(file);
    if (got.bytes !== bytes)
      throw new ArchiveError(`Expected ${file} to have ${bytes} bytes, got ${got.bytes}`);
    if (got.sha256 !== sha256)
      throw new ArchiveError(`Expected ${file} to have the sha256 ${sha256}, got ${got.sha256}`);
  }
  for (const { path } of manifest.files) if (path.endsWith(".db")) lookInto(join(archive, path));
  if (manifest.kind === "events") await countEvents(archive, manifest);
  return manifest;
}

async function countEvents(archive: string, { events }: Manifest): Promise<void> {
  let count = 0;
  for await (const _ of archivedEvents(archive)) count++;
  if (count !== events?.total)
    throw new ArchiveError(`Expected ${archive} to have ${events?.total} events, got ${count}`);
}

/** A link in an archive could lead anywhere. */
async function digestOfRegular(file: string): ReturnType<typeof digestOf> {
  try {
    if (lstatSync(file).isFile()) return await digestOf(file);
  } catch (error) {
    throw new ArchiveError(`Expected to read ${file}, got ${describe(error)}`, { cause: error });
  }
  throw new ArchiveError(`Expected a file at ${file}, got something else`);
}

export interface Looked {
  readonly events: { readonly total: number; readonly waiting: number; readonly dead: number };
  readonly schemaVersion: number;
}

/** Nothing of it is changed, nor anything made beside it. Throws ArchiveError where it is damaged or not ours. */
export function lookInto(file: string): Looked {
  const url = pathToFileURL(file);
  // Nobody else writes to it: no log, and none of the files that readers share.
  url.searchParams.set("immutable", "1");
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(url, { readOnly: true });
    const found = db.prepare("PRAGMA integrity_check(3)").all() as { integrity_check: string }[];
    const wrong = found.map((row) => row.integrity_check).filter((finding) => finding !== "ok");
    if (wrong.length > 0) throw new Error(wrong.join("; ").replace(/\s+/g, " "));
    const id = numberIn(db, "PRAGMA application_id");
    if (id !== APPLICATION_ID) throw new Error("another program's database");
    return {
      events: {
        total: numberIn(db, "SELECT count(*) FROM events"),
        waiting: numberIn(db, "SELECT count(*) FROM waiting"),
        dead: numberIn(db, "SELECT count(*) FROM events WHERE state = 'dead'"),
      },
      schemaVersion: numberIn(db, "PRAGMA user_version"),
    };
  } catch (error) {
    throw new ArchiveError(`Expected a whole Parley database in ${file}, got ${describe(error)}`, {
      cause: error,
    });
  } finally {
    db?.close();
  }
}

function numberIn(db: DatabaseSync, sql: string): number {
  return Number(Object.values(db.prepare(sql).get() ?? {})[0] ?? 0);
}
