import { createHash } from "node:crypto";
import { createReadStream, lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** What an archive holds, in a file beside it. An archive without one was never finished. */
export const MANIFEST = "manifest.json";

const fileSchema = z.strictObject({
  /** In the archive, with slashes. */
  path: z.string().regex(/^(?:store|config|media|redis|events)(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/),
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export const manifestSchema = z.strictObject({
  format: z.literal(1),
  /** `events`: finished ones alone, which `parley maintain archive` takes out of the store. */
  kind: z.enum(["full", "configuration", "events"]),
  /** The Parley that made it. */
  version: z.string(),
  created_at: z.iso.datetime(),
  host: z.string(),
  /** Where events are kept. */
  store: z.enum(["sqlite", "redis"]),
  /** Of the database; null: there is none in it. */
  events: z.strictObject({ total: z.int(), waiting: z.int(), dead: z.int() }).nullable(),
  schema_version: z.int().nullable(),
  /** Of the snapshot of Redis, when it was proven; null: there is none in it. */
  redis_keys: z.int().nullable(),
  /** What is not in it and why, for whoever restores it. */
  left_out: z.array(z.string()),
  files: z.array(fileSchema),
});

export type Manifest = z.output<typeof manifestSchema>;
export type ArchiveFile = Manifest["files"][number];

const MANIFEST_BYTES_MAX = 64 * 1024 * 1024;

/** It says what was expected, what came and where. */
export class ArchiveError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "ArchiveError";
  }
}

/** A gateway uses the files: it has to be stopped first. */
export class InUse extends ArchiveError {}

/** Throws ArchiveError where there is none, or none that this version can read. */
export function readManifest(archive: string): Manifest {
  const path = join(archive, MANIFEST);
  let json: unknown;
  try {
    if (lstatSync(path).size > MANIFEST_BYTES_MAX) throw new Error("it is too large");
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    const why = error instanceof SyntaxError ? "something else than JSON" : describe(error);
    throw new ArchiveError(`Expected a backup with a ${MANIFEST} in ${archive}, got ${why}`, {
      cause: error,
    });
  }
  const read = manifestSchema.safeParse(json);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new ArchiveError(
    `Expected a manifest of format 1 in ${path}, got another: ${issue?.path.join(".")}: ${issue?.message}`,
  );
}

export async function digestOf(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path)) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" ? "no such file" : error.message;
}
