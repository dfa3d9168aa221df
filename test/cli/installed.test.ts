import { execFile } from "node:child_process";
import { cpSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { emptyFolder, oldNode } from "./helpers.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** The others begin with the same look, or with bin/parley.js. */
const SCRIPTS = ["start", "test", "check", "dev"];

async function failing(file: string, args: readonly string[], cwd: string): Promise<string> {
  const ended = await promisify(execFile)(file, [...args], { cwd }).then(
    () => ({ code: 0, stderr: "" }),
    (error: { code: number; stderr: string }) => error,
  );
  expect(ended.code).not.toBe(0);
  return ended.stderr;
}

it("says to run npm ci, whatever was started before that", async () => {
  const folder = emptyFolder();
  for (const name of ["bin", "src", "package.json"])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  for (const node of [process.execPath, oldNode()].filter((one) => one !== undefined)) {
    const stderr = await failing(node, ["bin/parley.js", "doctor"], folder);
    expect(stderr).toMatch(/^parley: expected the packages of .*package\.json, got none; run npm ci first/);
    expect(stderr).not.toContain("    at ");
  }
  for (const script of SCRIPTS) {
    expect(await failing("npm", ["run", script], folder), script).toContain("run npm ci first");
  }
});

it("says which Node it needs to an older one without the packaged one, and how to get it", async () => {
  const folder = emptyFolder();
  for (const name of ["bin", "package.json", "node_modules/commander"])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  // Whatever runs the tests plays the older one.
  const old = `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.20.0"}})`;
  const stderr = await failing(process.execPath, ["--import", old, "bin/parley.js", "doctor"], folder);
  expect(stderr).toMatch(
    /^parley: expected Node 24 or newer, got v\S+, and no packaged one for \S+; install Node 24/,
  );
  expect(stderr).not.toContain("    at ");
});
