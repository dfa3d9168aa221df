import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { toolPath } from "../support/tools.ts";
import { ROOT } from "./rule-files.ts";

const FOLDER = join(ROOT, "deploy/systemd");
const UNIT = readFileSync(join(FOLDER, "parley.service"), "utf8");
const EXPOSURE_MAX = 2;

/** What systemd-analyze says of this unit. */
async function analyze(unit: string, ...command: string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "parley-unit-"));
  const file = join(folder, "parley.service");
  writeFileSync(file, unit.replace("/usr/bin/node", process.execPath));
  try {
    const { stdout, stderr } = await promisify(execFile)(toolPath("systemd-analyze"), [...command, file]);
    return stdout + stderr;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function exposure(unit: string): Promise<number> {
  const said = await analyze(unit, "security", "--offline=true", "--no-pager");
  return Number(/exposure level for parley\.service: ([\d.]+)/.exec(said)?.[1]);
}

const settings = (name: string) => [...UNIT.matchAll(new RegExp(`^${name}=(.*)$`, "gm"))].map(([, it]) => it);

describe("the unit", () => {
  it("is one that systemd takes, without a warning", async () => {
    expect(await analyze(UNIT, "verify")).toBe("");
    const wrong = UNIT.replace("Restart=always", "Restart=sometimes");
    expect(await analyze(wrong, "verify")).toContain("restart specifier");
  });

  it(`exposes the host by ${EXPOSURE_MAX} of 10 at most`, async () => {
    expect(await exposure(UNIT)).toBeLessThanOrEqual(EXPOSURE_MAX);
    expect(await exposure(UNIT.replace("CapabilityBoundingSet=\n", ""))).toBeGreaterThan(EXPOSURE_MAX);
  });

  it("reloads, is not started again after a wrong configuration, and outlasts the drain", () => {
    expect(settings("ExecReload")).toEqual(["/bin/kill -HUP $MAINPID"]);
    expect([settings("Restart"), settings("RestartSec")]).toEqual([["always"], ["10"]]);
    expect(settings("RestartPreventExitStatus")).toEqual(["78"]);
    expect(Number(settings("TimeoutStopSec")[0])).toBeGreaterThan(30);
    expect(settings("EnvironmentFile")).toEqual(["-/etc/parley/parley.env"]);
    expect(settings("LoadCredential")).toEqual(["parley:/etc/parley/credentials"]);
  });

  it("has a user of its own, who is made", () => {
    const users = readFileSync(join(FOLDER, "parley.sysusers.conf"), "utf8");
    expect(users).toMatch(new RegExp(`^u ${settings("User")[0]} - "[^"]+" ${"/var/lib/parley"}$`, "m"));
  });
});

it("the environment file names variables that there are, and no secret but by its file", () => {
  const table = readFileSync(join(ROOT, "docs/configuration.md"), "utf8");
  const isSecret = new Map(
    [...table.matchAll(/^\| `([A-Z_]+)` \|[^|]*\| ([^|]*)\|/gm)].map(([, name, secret = ""]) => [
      name,
      secret.startsWith("yes"),
    ]),
  );
  const file = readFileSync(join(FOLDER, "parley.env"), "utf8");
  const lines = [...file.matchAll(/^#?([A-Z_]+)=(.*)$/gm)];
  expect(lines.length).toBeGreaterThan(10);
  for (const [, variable = "", value = ""] of lines) {
    const name = variable.replace(/_FILE$/, "");
    expect([variable, isSecret.get(name)]).toEqual([variable, variable.endsWith("_FILE")]);
    if (variable.endsWith("_FILE"))
      expect(value).toBe(
        `/run/credentials/parley.service/parley_${name.toLowerCase().replace("parley_", "")}`,
      );
  }
});
