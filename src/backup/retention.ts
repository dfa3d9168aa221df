import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DAY_MS } from "../shared/time.ts";
import { ArchiveError, type Manifest, readManifest } from "./manifest.ts";
import { ARCHIVE_NAME } from "./take.ts";

/**
 * Removes archives of this kind that are older than that. To be called once a newer one has been verified: the newest
 * stays, however old. Gives the names of those that went.
 */
export async function removeOld(
  folder: string,
  kind: Manifest["kind"],
  { keepMs, nowMs }: { readonly keepMs: number; readonly nowMs: number },
): Promise<string[]> {
  const found = (await archivesIn(folder)).filter(({ manifest }) => manifest.kind === kind);
  const old = found.slice(1).filter(({ manifest }) => Date.parse(manifest.created_at) < nowMs - keepMs);
  for (const { name } of old) await rm(join(folder, name), { recursive: true });
  await removeHalf(folder, nowMs);
  return old.map(({ name }) => name);
}

export interface Archive {
  readonly name: string;
  readonly manifest: Manifest;
}

/** Newest first. What has the name of an archive and no manifest that can be read is left alone. */
export async function archivesIn(folder: string): Promise<Archive[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = (await readdir(folder))
    .filter((name) => ARCHIVE_NAME.test(name))
    .flatMap((name) => {
      try {
        return [{ name, manifest: readManifest(join(folder, name)) }];
      } catch (error) {
        if (error instanceof ArchiveError) return [];
        throw error;
      }
    });
  return found.sort((a, b) => Date.parse(b.manifest.created_at) - Date.parse(a.manifest.created_at));
}

/** Left by a backup that was killed. */
async function removeHalf(folder: string, nowMs: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(".partial-parley-")) continue;
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (mtimeMs < nowMs - DAY_MS) await rm(path, { recursive: true, force: true });
  }
}
