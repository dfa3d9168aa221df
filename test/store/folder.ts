import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new empty folder, and how to be rid of it; in memory for tests to which flushes are only a delay. */
export function aFolder(where: "disk" | "memory" = "disk"): { path: string; remove: () => void } {
  const parent = where === "memory" && existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const path = mkdtempSync(join(parent, "parley-store-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
