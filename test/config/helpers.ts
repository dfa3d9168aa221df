import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { MODULES } from "../../adapters/index.ts";
import { type Loaded, type LoadOptions, loadConfig } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problems.ts";

/** A folder with these files, gone after the test. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-config-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** Loads a folder `config` with these files. */
export function load(
  files: Readonly<Record<string, string>>,
  options: Partial<Pick<LoadOptions, "contextTokensOf" | "env" | "isPriced" | "pricedModels">> = {},
): Loaded {
  const inFolder = Object.entries(files).map(([name, text]) => [`config/${name}`, text]);
  return loadConfig({ modules: MODULES, env: {}, cwd: folderWith(Object.fromEntries(inFolder)), ...options });
}

/** The problems as the operator reads them; empty when there are none. */
export function problemsOf(loaded: Loaded): string[] {
  return loaded.ok ? [] : loaded.problems.map(formatProblem);
}

export const AGENT = "metadata: { name: assistant }\nspec: { model: { provider: demo, model: demo } }\n";
