import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders: string[] = [];
process.once("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Gone with this process. */
export function benchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-bench-"));
  folders.push(folder);
  return folder;
}
