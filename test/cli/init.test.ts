import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MODULES } from "../../adapters/index.ts";
import { variablesOf } from "../../src/config/variables.ts";
import { call, emptyFolder } from "./helpers.ts";

const WRITTEN = [
  "config/gateway.yaml",
  "config/agents/assistant.yaml",
  "config/schema.json",
  "config/agent.schema.json",
  ".env.example",
];
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();

describe("parley init", () => {
  it("writes a configuration that is valid, each file a line, and says what to do next", async () => {
    const cwd = emptyFolder();
    const { code, stdout, stderr } = await call(["init"], { cwd });
    expect({ code, stdout }).toEqual({ code: 0, stdout: WRITTEN.map((name) => `${name}\n`).join("") });
    expect(filesIn(cwd)).toEqual([...WRITTEN].sort());
    for (const step of ["parley serve", "parley send test", "cp .env.example .env", "parley doctor"])
      expect(stderr).toContain(step);
    expect(await call(["config", "validate", "--config", "config"], { cwd })).toMatchObject({
      code: 0,
      stderr: "The configuration is valid.\n",
    });
    const held = await call(["config", "print", "--json"], { cwd });
    const without = await call(["config", "print", "--json"]);
    const gatewayOf = (printed: string) => JSON.parse(printed).gateway;
    expect(gatewayOf(held.stdout)).toEqual(gatewayOf(without.stdout));
    const [line = ""] = readFileSync(join(cwd, "config/agents/assistant.yaml"), "utf8").split("\n");
    expect(line).toBe("# yaml-language-server: $schema=../agent.schema.json");
  });

  it("writes every variable into .env.example, and sets none", async () => {
    const cwd = emptyFolder();
    await call(["init"], { cwd });
    const example = readFileSync(join(cwd, ".env.example"), "utf8");
    for (const { name, idle } of variablesOf(MODULES))
      if (idle === undefined) expect(example).toContain(`\n# ${name}=\n`);
    expect(example.split("\n").filter((line) => line !== "" && !line.startsWith("#"))).toEqual([]);
    expect(Math.max(...example.split("\n").map(({ length }) => length))).toBeLessThan(130);
  });

  it("writes into the folder that is named, and names it", async () => {
    const cwd = emptyFolder();
    const { stdout, stderr } = await call(["init", "bots/mine"], { cwd });
    expect(stdout).toContain("bots/mine/config/gateway.yaml\n");
    expect(stderr).toContain("cd bots/mine\n");
    expect(filesIn(join(cwd, "bots/mine"))).toEqual([...WRITTEN].sort());
  });

  it("writes nothing on --dry-run, and says what it would", async () => {
    const cwd = emptyFolder();
    const { code, stdout, stderr } = await call(["init", "--dry-run"], { cwd });
    expect({ code, stdout }).toEqual({ code: 0, stdout: WRITTEN.map((name) => `${name}\n`).join("") });
    expect(stderr).toBe("Would write 5 files; wrote none.\n");
    expect(filesIn(cwd)).toEqual([]);
  });

  it("leaves alone what is there as it would write it", async () => {
    const cwd = emptyFolder();
    await call(["init"], { cwd });
    expect(await call(["init"], { cwd })).toMatchObject({
      ...{ code: 0, stdout: "", stderr: "All of it is there already.\n" },
    });
    expect(filesIn(cwd)).toEqual([...WRITTEN].sort());
  });

  it("overwrites nothing, and writes nothing else beside it", async () => {
    const cwd = emptyFolder();
    mkdirSync(join(cwd, "config"));
    writeFileSync(join(cwd, "config/gateway.yaml"), "spec: {}\n");
    symlinkSync("nowhere", join(cwd, "config/schema.json"));
    const { code, stdout, stderr } = await call(["init"], { cwd });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("without config/gateway.yaml, got .,");
    expect(filesIn(cwd)).toEqual(["config/gateway.yaml", "config/schema.json"]);
  });

  it("keeps what was there beside it on --force", async () => {
    const cwd = emptyFolder();
    mkdirSync(join(cwd, "config"));
    writeFileSync(join(cwd, "config/gateway.yaml"), "spec: {}\n");
    expect(await call(["init", "--force"], { cwd })).toMatchObject({ code: 0 });
    writeFileSync(join(cwd, "config/gateway.yaml"), "spec: { kill_switch: true }\n");
    expect(await call(["init", "--force"], { cwd })).toMatchObject({
      ...{ code: 0, stdout: "config/gateway.yaml\n" },
    });
    const kept = (name: string) => readFileSync(join(cwd, "config", name), "utf8");
    expect(kept("gateway.yaml.before-init")).toBe("spec: {}\n");
    expect(kept("gateway.yaml.before-init-2")).toBe("spec: { kill_switch: true }\n");
    expect(kept("gateway.yaml")).toContain("kind: Gateway");
  });

  it("takes back what it has written where it cannot write the rest", async () => {
    const cwd = emptyFolder();
    mkdirSync(join(cwd, "config"));
    writeFileSync(join(cwd, "config/gateway.yaml"), "spec: {}\n");
    writeFileSync(join(cwd, "config/agents"), "a file where a folder is due\n");
    const { code, stdout, stderr } = await call(["init", "--force"], { cwd });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("nothing was written");
    expect(filesIn(cwd)).toEqual(["config/agents", "config/gateway.yaml"]);
    expect(readFileSync(join(cwd, "config/gateway.yaml"), "utf8")).toBe("spec: {}\n");
  });
});
