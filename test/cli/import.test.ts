import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { FIXTURES } from "../aof/support.ts";
import { folderWith } from "../config/helpers.ts";
import { call, emptyFolder } from "./helpers.ts";

const AGENT =
  "apiVersion: aof.dev/v1\nkind: Agent\nmetadata: { name: a }\nspec: { model: mock:x, color: red }\n";

it("writes a configuration that is valid and answers, and says what became of each key", async () => {
  const cwd = emptyFolder();
  const done = await call(["import", "aof", join(FIXTURES, "demo"), "--out", "config"], { cwd });
  expect(done).toMatchObject({ code: 0, stdout: "" });
  expect(done.stderr).toContain("Wrote 2 files: config/gateway.yaml, config/agents/greeter.yaml");
  expect(await call(["config", "validate"], { cwd })).toMatchObject({ code: 0 });
  expect(await call(["run", "--agent", "greeter", "--input", "hello"], { cwd })).toMatchObject({
    code: 0,
    stdout: "You said: hello\n",
  });

  const told = await call(["import", "aof", "in", "--out", "out"], {
    cwd: folderWith({ "in/x/a.yml": AGENT }),
  });
  expect(told).toMatchObject({ code: 0, stdout: "in/x/a.yml:4: spec.color: has no counterpart; left out\n" });
});

it("says the same and writes nothing with --dry-run", async () => {
  const cwd = folderWith({ "in/a.yaml": AGENT });
  expect(await call(["import", "aof", "in", "--out", "out", "--dry-run"], { cwd })).toMatchObject({
    code: 0,
    stdout: "in/a.yaml:4: spec.color: has no counterpart; left out\n",
    stderr: "Would write 2 files: out/gateway.yaml, out/agents/a.yaml\n",
  });
  expect(readdirSync(cwd)).toEqual(["in"]);
});

it("writes over nothing, unless it is told to, and then keeps what was there", async () => {
  const cwd = folderWith({ "in/a.yaml": AGENT, "out/gateway.yaml": "# mine\n" });
  const refused = await call(["import", "aof", "in", "--out", "out"], { cwd });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain("--force");
  expect(readdirSync(cwd).sort()).toEqual(["in", "out"]);
  expect(await call(["import", "aof", "in", "--out", "out", "--force"], { cwd })).toMatchObject({ code: 0 });
  expect(readdirSync(cwd).sort()).toEqual(["in", "out", "out.before-import"]);
  expect(readFileSync(join(cwd, "out.before-import/gateway.yaml"), "utf8")).toBe("# mine\n");
  expect(readdirSync(join(cwd, "out")).sort()).toEqual(["agents", "gateway.yaml"]);
  mkdirSync(join(cwd, "empty"));
  expect(await call(["import", "aof", "in", "--out", "empty"], { cwd })).toMatchObject({ code: 0 });
});

it.each([
  ["is no YAML", { "in/b.yaml": "spec: [1\nkind: Agent" }, "in/b.yaml:2: yaml: expected YAML"],
  ["is too large", { "in/b.yaml": `# ${"x".repeat(1024 * 1024)}` }, "in/b.yaml:1: expected a readable file"],
  ["is not there", {}, "in"],
])("ends with 1 and writes nothing where a file %s", async (_, files, words) => {
  const all = Object.keys(files).length === 0 ? {} : { "in/a.yaml": AGENT, ...files };
  const cwd = folderWith(all as Record<string, string>);
  const { code, stdout, stderr } = await call(["import", "aof", "in", "--out", "out"], { cwd });
  expect(code).toBe(1);
  expect(stdout + stderr).toContain(words);
  expect(readdirSync(cwd)).not.toContain("out");
});

it("refuses bytes that are no text, an output around its input, and a folder without a file of AOF", async () => {
  const cwd = folderWith({ "in/a.yaml": AGENT, "none/a.yaml": "kind: Pod\n" });
  writeFileSync(join(cwd, "in/b.yaml"), Buffer.from([0x61, 0xff, 0xfe]));
  expect(await call(["import", "aof", "in", "--out", "out"], { cwd })).toMatchObject({ code: 1 });
  expect(await call(["import", "aof", "in", "--out", ".", "--force"], { cwd })).toMatchObject({ code: 2 });
  expect(await call(["import", "aof", "none", "--out", "out"], { cwd })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Expected files of AOF in none"),
  });
  expect(await call(["import", "aof", "in"], { cwd })).toMatchObject({ code: 2 });
});

it("follows no link, and reads nothing that it has written itself", async () => {
  const cwd = folderWith({ "in/a.yaml": AGENT, "elsewhere/b.yaml": AGENT.replace("name: a", "name: b") });
  symlinkSync(join(cwd, "elsewhere"), join(cwd, "in/link"));
  expect(await call(["import", "aof", "in", "--out", "in/config"], { cwd })).toMatchObject({ code: 0 });
  expect(readdirSync(join(cwd, "in/config/agents"))).toEqual(["a.yaml"]);
  expect(await call(["import", "aof", "in", "--out", "in/config", "--force"], { cwd })).toMatchObject({
    code: 0,
  });
});
