import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The version in the package.json above this file, wherever it was compiled to. */
export function packageVersion(): string {
  return ownPackage()?.version ?? "unknown";
}

/** What is shipped beside the program, such as `config`; null: it was taken away from there. */
export function packageFolder(): string | null {
  return ownPackage()?.folder ?? null;
}

function ownPackage(): { readonly folder: string; readonly version: string } | null {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
        name?: string;
        version?: string;
      };
      if (name === "parley-gateway" && version !== undefined) return { folder, version };
    } catch {
      // Not here: one folder up.
    }
  }
  return null;
}
