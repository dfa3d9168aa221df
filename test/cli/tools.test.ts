import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { expect, it } from "vitest";
import { newFolder } from "../tools/support.ts";
import { call } from "./helpers.ts";

const SERVER = resolve(import.meta.dirname, "../fakes/mcp-server.ts");

/** Runs `parley tools …` where an agent has a server, one that is down, a command and the clock. */
function tools(...args: string[]) {
  const folder = newFolder();
  mkdirSync(join(folder, "agents"));
  const agent = `metadata: { name: assistant }
spec:
  model: { provider: demo }
  tools:
    - { name: fake, type: mcp, config: { transport: stdio, command: ${process.execPath}, args: ["${SERVER}"] }, allow: [look], approve: [drop] }
    - { name: gone, type: mcp, config: { transport: stdio, command: /nowhere/at-all }, allow: ["*"] }
    - { name: say, type: command, command: echo, args: ["{word}"], input: { word: {} } }
    - { name: chart, type: command, command: /bin/sh, args: ["-c", "echo a,b > $PARLEY_FILES/t.csv; truncate -s 33M $PARLEY_FILES/x"], sends_files: true }
    - { name: clock, type: builtin, builtin: time }
`;
  writeFileSync(join(folder, "agents/assistant.yaml"), agent);
  return call(["tools", ...args, "--config", folder], { env: { PARLEY_DATA_DIR: join(folder, "data") } });
}

it("lists what each agent may use, and what is down", async () => {
  const { code, stdout } = await tools("list", "--json");
  expect(code).toBe(69);
  const rows = JSON.parse(stdout) as object[];
  expect(rows).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ agent: "assistant", name: "fake__look", effect: "read", approval: false }),
      expect.objectContaining({ agent: "assistant", name: "fake__drop", effect: "delete", approval: true }),
      expect.objectContaining({ name: "say", effect: "write" }),
      expect.objectContaining({
        agent: "assistant",
        server: "gone",
        down: expect.stringContaining("ENOENT"),
      }),
    ]),
  );
  expect(rows).toHaveLength(6);
  expect((await tools("list")).stdout).toContain(
    "assistant: fake__drop (delete, after an approval) Deletes.\n",
  );
});

it("names the files that it makes for people, and not their bytes", async () => {
  const { code, stdout, stderr } = await tools("call", "chart");
  expect([code, stdout]).toEqual([0, "(no output)\n"]);
  expect(stderr).toContain("file t.csv (4 bytes); here it is sent to nobody\n");
  expect(stderr).toContain("file x (left out: all that one call leaves may have 32 MiB together)");
  const { files } = JSON.parse((await tools("call", "chart", "--json")).stdout);
  expect(files).toEqual([
    { name: "t.csv", mime: "text/csv", bytes: 4 },
    { name: "x", why: expect.stringContaining("32 MiB") },
  ]);
});

it("calls one, and says what is wrong", async () => {
  expect(await tools("call", "fake__look")).toMatchObject({ code: 0, stdout: "look ran\n" });
  expect(await tools("call", "say", '{"word":"a b"}', "--json")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('"text": "a b"'),
  });
  expect(await tools("call", "say", "{}")).toMatchObject({ code: 1 });
  expect(await tools("call", "fake__drop")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("needs an approval"),
  });
  expect(await tools("call", "fake__drop", "--yes")).toMatchObject({ code: 0 });
  expect(await tools("call", "gone__x")).toMatchObject({ code: 69 });
  expect(await tools("call", "nope")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      "Expected one of these tools: fake__look, fake__drop, say, chart, clock, got nope",
    ),
  });
  expect(await tools("call", "say", "{")).toMatchObject({ code: 2 });
});

it("says which servers can be used", async () => {
  const { code, stdout } = await tools("doctor", "--json");
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject([
    { check: "tools", status: "ok", message: "assistant: fake has 2 that may be used" },
    { check: "tools", status: "fail", message: expect.stringContaining("assistant: gone cannot be reached") },
    { check: "tools", status: "ok", message: "assistant: say, chart, clock" },
  ]);
});

it("says so where there are none", async () => {
  const folder = newFolder();
  const env = { PARLEY_DATA_DIR: join(folder, "data") };
  for (const what of ["list", "doctor"])
    expect(await call(["tools", what, "--config", folder], { env })).toMatchObject({
      code: 0,
      stdout: "",
      stderr: expect.stringContaining("No agent has tools."),
    });
});
