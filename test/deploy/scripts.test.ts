import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { toolPath } from "../support/tools.ts";
import { ROOT, RULES } from "./rule-files.ts";
import { linesIn } from "./runbook-pages.ts";
import { knownSeries } from "./series.ts";

const FOLDER = join(ROOT, "deploy/scripts");
const FILES = readdirSync(FOLDER);
const SCRIPTS = FILES.filter((name) => name !== "lib.sh");

it("shellcheck finds nothing wrong with them", () => {
  const paths = FILES.map((name) => join(FOLDER, name));
  // As whoever tries it calls it, by the root's .shellcheckrc.
  execFileSync(toolPath("shellcheck"), paths, { cwd: ROOT });
});

describe.each(SCRIPTS)("%s", (name) => {
  const text = readFileSync(join(FOLDER, name), "utf8");
  const run = (...args: string[]) =>
    spawnSync("bash", ["--norc", join(FOLDER, name), ...args], { encoding: "utf8" });

  it("ends at the first thing that goes wrong", () => {
    expect(text.split("\n")[0]).toBe("#!/usr/bin/env bash");
    expect(text).toMatch(/^set -euo pipefail$/m);
  });

  it("says what it is for, and what its exit codes mean", () => {
    const { status, stdout } = run("--help");
    expect(status).toBe(0);
    for (const word of [name, "Exit codes: 0 ", "1 ", "2 wrong usage", "69 "]) expect(stdout).toContain(word);
  });

  it("ends with 2 for an option that it has not, or a value that is missing", () => {
    expect(run("--nonsense")).toMatchObject({ status: 2, stderr: expect.stringContaining("--nonsense") });
    const [, option = ""] = /^ {4}(--[a-z]+)\) needs_value/m.exec(text) ?? [];
    expect(run(option)).toMatchObject({ status: 2, stderr: expect.stringContaining(option) });
  });

  it("asks for metrics that there are", () => {
    const known = knownSeries(RULES);
    const named = [...text.replaceAll("$window", "1h").matchAll(/\bparley[_:][a-z0-9_:]+/g)];
    expect(named.map(([metric]) => metric).filter((metric) => !known.has(metric))).toEqual([]);
  });
});

it("the page on them names each", () => {
  const page = readFileSync(join(ROOT, "docs/deploy/scripts.md"), "utf8");
  for (const name of SCRIPTS) expect(linesIn(page, "sh").join("\n")).toContain(name);
});
