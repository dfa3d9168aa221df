import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/commands.ts";
import { PLATFORMS } from "../../src/domain/event.ts";
import { temporaryFolder } from "../e2e/gateway-process.ts";
import { toolPath } from "../support/tools.ts";
import { call } from "./helpers.ts";

const folder = temporaryFolder();
const script = (shell: string) => join(folder, shell);

beforeAll(async () => {
  for (const shell of SHELLS) {
    const { code, stdout, stderr } = await call(["completion", shell], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    writeFileSync(script(shell), stdout);
  }
});

const shell = (program: string, args: readonly string[]) =>
  execFileSync(program, args, { encoding: "utf8", env: { PATH: process.env.PATH, HOME: folder } })
    .split("\n")
    .filter((line) => line !== "");

/** What each shell offers behind this line, whose last word is the one that is being typed. */
const OFFERED: Readonly<Record<string, (line: string) => readonly string[]>> = {
  bash(line) {
    // As readline hands them over, which splits at `=`, too.
    const words = line.split(/ |(?==)|(?<==)/);
    const run = `source ${script("bash")}; COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")})
      COMP_CWORD=${words.length - 1}; _parley; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return shell("bash", ["--norc", "-c", run]);
  },
  zsh(line) {
    const words = line.split(" ");
    const modules = join(dirname(toolPath("zsh")), "../lib/x86_64-linux-gnu/zsh/5.9");
    // What the completion system would do with them.
    const run = `module_path+=(${modules}); compdef() { : }; _files() { print FILES }
      _describe() { print -l -- "\${(@)\${(@P)@[-1]}%%:*}" }; compadd() { print -l -- "\${(@P)2}" }
      source ${script("zsh")}; words=(${words.map((word) => `'${word}'`).join(" ")}) CURRENT=${words.length}; _parley`;
    const last = words.at(-1) ?? "";
    return shell(toolPath("zsh"), ["-f", "-c", run]).filter((word) => word.startsWith(last));
  },
  fish(line) {
    const run = `source ${script("fish")}; complete -C'${line}'`;
    return shell(toolPath("fish"), ["--no-config", "-c", run]).map((word) => word.split("\t")[0] ?? "");
  },
};
const SHELLS = Object.keys(OFFERED);

describe.each(SHELLS)("completion in %s", (name) => {
  const offered = (line: string) => OFFERED[name]?.(line) ?? [];

  it("has each command that there is, help and itself included", () => {
    expect([...offered("parley ")].sort()).toEqual([...Object.keys(COMMANDS), "help"].sort());
  });

  it.each([
    ["parley se", ["serve", "send", "setup", "secrets"]],
    ["parley dead ", ["list", "show", "replay", "drop"]],
    ["parley kill-switch o", ["on", "off"]],
    ["parley send ", PLATFORMS],
    ["parley completion ", ["bash", "zsh", "fish"]],
    ["parley config schema a", ["agent"]],
    ["parley serve --role ", ["all", "ingress", "worker"]],
    ["parley help comp", ["completion"]],
    ["parley init --d", ["--dry-run"]],
    // The value of an option is no command.
    ["parley serve --role all --dat", ["--data-dir"]],
  ])("of %j", (line, expected) => {
    expect([...offered(line)].sort()).toEqual([...expected].sort());
  });

  it("has each option of a command, with the help's own", () => {
    const found = offered("parley dead list --");
    for (const option of ["--since", "--platform", "--json", "--help"]) expect(found).toContain(option);
    expect(found).not.toContain("--dry-run");
  });
});

it("of a bash that splits at an equals sign, too", () => {
  expect(OFFERED.bash?.("parley serve --role=w")).toEqual(["worker"]);
  expect(OFFERED.bash?.("parley serve --role=")).toEqual(["all", "ingress", "worker"]);
});

it("is a script that shellcheck finds nothing in, and that the others can parse", () => {
  const checked = (program: string, args: readonly string[]) => shell(toolPath(program), args);
  expect(checked("shellcheck", [script("bash")])).toEqual([]);
  expect(checked("zsh", ["-n", script("zsh")])).toEqual([]);
  expect(checked("fish", ["--no-execute", script("fish")])).toEqual([]);
});
