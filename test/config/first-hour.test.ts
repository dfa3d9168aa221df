import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { call, emptyFolder } from "../cli/helpers.ts";

async function validate(files: Readonly<Record<string, string>>) {
  const cwd = emptyFolder();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(cwd, "config", dirname(name)), { recursive: true });
    writeFileSync(join(cwd, "config", name), text);
  }
  return await call(["config", "validate"], { cwd });
}

const AGENT = (spec: string) => `metadata: { name: assistant }\nspec: ${spec}\n`;

describe("files that are not read", () => {
  it("are noted, wherever somebody may have put them", async () => {
    const { code, stderr } = await validate({
      "gateway.json": "{}",
      "gateway.YAML": "kind: Gateway",
      "schema.json": "{}",
      "README.md": "x",
      "agents/a.json": "{}",
      "agents/sub/b.yaml": "x: 1",
      "agents/.hidden.json": "{}",
      "agent/c.yaml": "x: 1",
    });
    expect(code).toBe(0);
    const noted = [...stderr.matchAll(/^note: (\S+) is not read/gm)].map(([, name]) => name);
    expect(new Set(noted)).toEqual(
      new Set(
        ["agent", "agents/a.json", "agents/sub", "gateway.YAML", "gateway.json"].map(
          (name) => `config/${name}`,
        ),
      ),
    );
    expect(noted).toHaveLength(5);
  });

  it("are none of those that are", async () => {
    const { stderr } = await validate({
      "gateway.yml": "kind: Gateway\nspec: {}",
      "agents/a.yml": AGENT("{ model: { provider: demo, model: demo } }"),
    });
    expect(stderr).not.toContain("is not read");
  });
});

describe("an error in a file", () => {
  it.each([
    [
      "a model by its name alone",
      AGENT("{ model: claude-sonnet-5 }"),
      "expected a mapping such as { provider: anthropic, model: claude-sonnet-5 }",
    ],
    [
      "the demo model by its name alone",
      AGENT("{ model: demo }"),
      'expected a mapping such as { provider: demo }, got "demo"',
    ],
    [
      "a model of OpenAI by its name alone",
      AGENT("{ model: gpt-5 }"),
      "expected a mapping such as { provider: openai, model: gpt-5 }",
    ],
    [
      "a model as AOF writes it",
      AGENT('{ model: "openai:gpt-5-mini" }'),
      "expected a mapping such as { provider: openai, model: gpt-5-mini }",
    ],
    [
      "a misspelt kind",
      `kind: Agnet\n${AGENT("{ model: { provider: demo, model: demo } }")}`,
      "(did you mean Agent?)",
    ],
    [
      "a file of AOF",
      `apiVersion: aof.dev/v1\nkind: Agent\n${AGENT("{ model: 'google:gemini', instructions: hi }")}`,
      "this is a file of AOF",
    ],
  ])("says what would be right for %s", async (_, text, expected) => {
    const { code, stderr } = await validate({ "agents/a.yaml": text });
    expect(code).toBe(78);
    expect(stderr).toContain(expected);
  });

  it("offers a near name for a choice", async () => {
    const text = "kind: Gateway\nspec: { store: { durability: powr } }";
    expect((await validate({ "gateway.yaml": text })).stderr).toContain("(did you mean power?)");
  });

  it("names the counterparts of the keys of AOF", async () => {
    const text = `apiVersion: aof.dev/v1\nkind: Agent\n${AGENT("{ model: x, instructions: hi, tools: [shell], temperature: 1 }")}`;
    const { stderr } = await validate({ "agents/a.yaml": text });
    expect(stderr).toMatch(
      /a\.yaml:1:\d+ apiVersion: expected parley\/v1, got "aof\.dev\/v1": this is a file of AOF/,
    );
    expect(stderr).toContain("instructions is system_prompt");
    const daemon =
      "apiVersion: aof.dev/v1\nkind: DaemonConfig\nmetadata: { name: d }\nspec: { server: { port: 8080 } }";
    const told = (await validate({ "gateway.yaml": daemon })).stderr;
    expect(told).toContain("server.port and server.host are the variables PARLEY_PORT and PARLEY_HOST");
    expect(told).not.toContain("system_prompt");
  });
});

describe("a wrong option", () => {
  it.each([
    [["events", "list", "--nope"], "(parley events list --help explains the options)"],
    [["dead", "replay", "--nope"], "(parley dead replay --help explains the options)"],
    [["send", "test", "--wait", "soon"], "(parley send --help explains the options)"],
    [["config", "print", "--nope"], "(parley config print --help explains the options)"],
    [["nope"], "(parley --help lists the commands)"],
  ])("points to the help that has it: %j", async (args, hint) => {
    const { code, stderr } = await call(args);
    expect(code).toBe(2);
    expect(stderr).toContain(hint);
  });
});
