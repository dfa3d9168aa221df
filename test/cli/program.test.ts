import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { MODULES } from "../../adapters/index.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { formatSchema, jsonSchemaOf } from "../../src/config/json-schema.ts";
import { PLATFORMS } from "../../src/domain/event.ts";
import { call, emptyFolder } from "./helpers.ts";

describe("parley", () => {
  it("explains itself on stdout, with examples", async () => {
    const { code, stdout, stderr } = await call(["--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("Usage: parley");
    expect(stdout).toContain('parley send test --text "hello" --wait 10');
  });

  it.each([
    "init",
    "serve",
    "send",
    "stub",
    "tail",
    "events",
    "events list",
    "events show",
    "replay",
    "dead",
    "dead list",
    "dead show",
    "dead replay",
    "dead drop",
    "approvals",
    "usage",
    "installations",
    "installations list",
    "installations remove",
    "setup",
    "setup slack",
    "setup discord",
    "tools",
    "tools list",
    "tools call",
    "tools doctor",
    "doctor",
    "config",
    "config validate",
    "config schema",
    "config print",
    "completion",
  ])("explains %s", async (command) => {
    const { code, stdout } = await call([...command.split(" "), "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: parley ${command}`);
    expect(await call(["help", ...command.split(" ")])).toMatchObject({ code: 0, stdout });
  });

  it("lists each command as it explains itself", async () => {
    const { stdout: list } = await call(["--help"]);
    for (const [name, { takes, about }] of Object.entries(COMMANDS)) {
      const { stdout } = await call([name, "--help"]);
      const [usage = ""] = stdout.split("\n");
      const usual = stdout.includes("\nCommands:\n") ? "[options] [command]" : takes;
      expect(usage).toBe(`Usage: parley ${name} ${usual}`);
      expect(oneLine(stdout)).toContain(about);
      expect(oneLine(list)).toContain(`${name} ${takes}`.trim());
      expect(oneLine(list)).toContain(about);
    }
  });

  it("prints the version of the package", async () => {
    expect(await call(["--version"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it.each([
    [[], "Usage: parley"],
    [["sevre"], "Did you mean serve?"],
    [["help", "sevre"], "Did you mean serve?"],
    [["send"], "missing required argument 'platform'"],
    [["send", "slak"], `Allowed choices are ${PLATFORMS.join(", ")}.`],
    [["doctor", "--jsn"], "Did you mean --json?"],
    [["serve", "--port", "70000"], "Expected a port from 0 to 65535."],
    [["config", "schema", "x"], "Allowed choices are gateway, agent"],
    [["doctor", "--url", "example.com"], "expected --url to begin with http:// or https://, got example.com"],
    [["dead", "\u001b[31m"], "unknown command '\\u001b[31m'"],
  ])("ends with 2 for %j and says what is wrong", async (args, message) => {
    const { code, stdout, stderr } = await call(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });
});

/** Columns wrap. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}

describe("parley config", () => {
  it("validates: 0 and a line when all is well", async () => {
    const { code, stdout, stderr } = await call(["config", "validate"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toMatch(/^The configuration is valid\.\nnote: no folder config/);
    expect(await call(["config", "validate", "--json"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^\{\n {2}"ok": true,\n {2}"notes": \[\n {4}"no folder config: .*"\n {2}\]\n\}\n$/,
      ),
    });
  });

  it("validates: 78 and every problem with its place otherwise", async () => {
    const cwd = emptyFolder();
    mkdirSync(join(cwd, "mine/agents"), { recursive: true });
    writeFileSync(join(cwd, "mine/gateway.yaml"), "spec:\n  limts: {}\n");
    writeFileSync(
      join(cwd, "mine/agents/a.yaml"),
      "metadata: { name: assistant }\nspec:\n  model: { provider: anthropic, model: no-such-model }\n",
    );
    const options = { cwd, env: { PARLEY_PORT: "x" } };
    const { code, stderr } = await call(["config", "validate", "--config", "mine"], options);
    expect(code).toBe(78);
    expect(stderr.split("\n")).toEqual([
      'environment PARLEY_PORT: expected a port from 0 to 65535, got "x"',
      "mine/gateway.yaml:2:3 spec.limts: expected limits, got the unknown key limts (did you mean limits?)",
      expect.stringMatching(
        /^mine\/agents\/a\.yaml:3:40 spec\.model\.model: expected a model whose price is known/,
      ),
      "",
    ]);
    const json = await call(["config", "validate", "--config", "mine", "--json"], options);
    expect(json.code).toBe(78);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      problems: [{ path: "PARLEY_PORT" }, { file: "mine/gateway.yaml", line: 2, column: 3 }, { line: 3 }],
    });
    expect(await call(["config", "print", "--config", "mine"], options)).toMatchObject({
      code: 78,
      stdout: "",
    });
  });

  it("prints the schemas", async () => {
    const gateway = formatSchema(jsonSchemaOf("gateway", MODULES));
    expect(await call(["config", "schema"])).toMatchObject({ code: 0, stdout: gateway });
    expect(await call(["config", "schema", "agent"])).toMatchObject({
      stdout: formatSchema(jsonSchemaOf("agent", MODULES)),
    });
  });

  it("prints what holds, and secrets as ***", async () => {
    const env = {
      SLACK_SIGNING_SECRET: `${"hunter2".repeat(5)},${"hunter3".repeat(5)}`,
      SLACK_BOT_TOKEN: "xoxb-hunter2",
    };
    const json = await call(["config", "print", "--json"], { env });
    const yaml = await call(["config", "print"], { env });
    expect(JSON.parse(json.stdout)).toMatchObject({
      gateway: { limits: { user: { messages: 20, per_seconds: 60 } } },
      agents: { assistant: { model: { provider: "anthropic" } } },
      environment: {
        platforms: { slack: { kind: "on", signingSecrets: ["***"], botToken: "***" } },
      },
    });
    expect(parse(yaml.stdout)).toEqual({
      ...JSON.parse(json.stdout),
      environment: expect.anything(),
    });
    expect(json.stdout + json.stderr + yaml.stdout + yaml.stderr).not.toContain("hunter");
  });
});
