import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");

/** Runs a tool from the project's own modules; gives what it complained about, or nothing. */
async function complaints(tool: string, args: readonly string[]): Promise<string> {
  try {
    await promisify(execFile)(resolve(root, "node_modules/.bin", tool), args, { cwd: root });
    return "";
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    return `${stdout ?? ""}${stderr ?? ""}` || String(error);
  }
}

describe("the code", () => {
  it("has no type errors", { timeout: 60_000 }, async () => {
    expect(await complaints("tsc", ["-p", "."])).toBe("");
  });

  it("is formatted and free of lint", { timeout: 60_000 }, async () => {
    expect(await complaints("biome", ["ci", "."])).toBe("");
  });

  it("leaves no promise floating", { timeout: 60_000 }, async () => {
    expect(await complaints("oxlint", ["--type-aware", "src", "adapters", "test"])).toBe("");
  });

  it("has no unused file, export or dependency", { timeout: 60_000 }, async () => {
    expect(await complaints("knip", ["--no-progress"])).toBe("");
  });
});
