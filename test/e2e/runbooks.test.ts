import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { linesIn, OPERATING, PAGES } from "../deploy/runbook-pages.ts";
import { type GatewayProcess, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";

const ADMIN_TOKEN = "an-admin-token-of-at-least-32-characters";
const COMMANDS = [...new Set([...PAGES, ...OPERATING].flatMap(({ text }) => linesIn(text, "sh")))];

let gateway: GatewayProcess;
let bin: string;
let env: Record<string, string>;
/** Where somebody stands who reads the pages: what they make is made here. */
let folder: string;

/** A gateway that has something to tell: an answer, a dead letter, and a webhook that was refused. */
beforeAll(async () => {
  const dataDir = temporaryFolder();
  gateway = await startGateway({ dataDir, env: { PARLEY_ADMIN_TOKEN: ADMIN_TOKEN } });
  folder = temporaryFolder();
  symlinkSync(join(ROOT, "config"), join(folder, "config"));
  bin = mkdtempSync(join(tmpdir(), "parley-bin-"));
  symlinkSync(join(ROOT, "bin/parley.js"), join(bin, "parley"));
  env = {
    PATH: `${bin}:${process.env.PATH}`,
    HOME: process.env.HOME ?? "/",
    PARLEY_RUN: "compiled",
    PARLEY_URL: gateway.url,
    PARLEY_ADMIN_TOKEN: ADMIN_TOKEN,
    PARLEY_DATA_DIR: dataDir,
  };
  await run(`parley send test --url ${gateway.url} --text hello --wait 30`);
  await run(`parley send test --url ${gateway.url} --text 'demo: dead'`);
  await gateway.logged(/"event\.dead"/);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  rmSync(bin, { recursive: true });
});

async function run(command: string): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(
    "bash",
    // With a socket for stdin and nothing of our environment, it would read somebody's .bashrc.
    ["--norc", "-c", `set -o pipefail; ${command}`],
    { cwd: folder, env },
  );
  return stdout + stderr;
}

it("the pages have commands", () => {
  expect(COMMANDS.length).toBeGreaterThan(10);
});

it.each(COMMANDS)("%s", async (command) => {
  // It ends with 0, and tells something, unless there is nothing of the kind.
  const said = await run(command);
  if (!command.includes("events list")) expect(said.trim()).not.toBe("");
});
