import { describe, expect, it } from "vitest";
import { policyOf } from "../../src/app/policy.ts";
import { AGENT, load, problemsOf } from "./helpers.ts";

const gateway = (commands: string, rest = "") => ({
  "gateway.yaml": `spec:\n  commands:\n${commands}\n${rest}`,
  "agents/assistant.yaml": AGENT,
});

describe("commands", () => {
  it("have aliases, which routes may name too", () => {
    const loaded = load(
      gateway(
        "    - { command: /deploy, aliases: [/ship] }",
        "  routes: [ { match: { command: [/ship, /ship run] }, agent: assistant } ]",
      ),
    );
    if (!loaded.ok) throw new Error(problemsOf(loaded).join("\n"));
    const { routes, commands } = policyOf(loaded.config.gateway, loaded.config.agents, () => false);
    expect(routes[0]?.match.commands).toEqual(new Set(["deploy", "deploy run"]));
    expect(commands?.names).toEqual(
      new Map([
        ["deploy", "deploy"],
        ["ship", "deploy"],
      ]),
    );
  });

  it.each([
    [
      "- { command: /status }",
      "3:18 spec.commands[0].command: expected another name, got /status, which is a command of Parley's own",
    ],
    [
      "- { command: /x, aliases: [/parley] }",
      "3:32 spec.commands[0].aliases[0]: expected another name, got /parley, which is a command of Parley's own",
    ],
    [
      "- { command: /x, aliases: [/y, /x] }",
      "3:36 spec.commands[0].aliases[1]: expected a name of its own, got /x, twice",
    ],
    [
      "- { command: /x, aliases: [/y] }\n    - { command: /y }",
      "4:18 spec.commands[1].command: expected a name of its own, got /y, which is a name of /x",
    ],
    [
      "- { command: deploy }",
      '3:18 spec.commands[0].command: expected a slash and 1 to 31 small letters, digits, dashes or underscores, such as /deploy, got "deploy"',
    ],
    [
      "- { command: /x, aliasses: [/y] }",
      "3:22 spec.commands[0].aliasses: expected aliases, got the unknown key aliasses (did you mean aliases?)",
    ],
    [
      "- { command: /deploy, menu: { choices: [{ label: A, command: /deplyo a }] } }",
      "3:66 spec.commands[0].menu.choices[0].command: expected a command of `commands` in gateway.yaml or of Parley's own, got /deplyo (did you mean /deploy?)",
    ],
    [
      "- { command: /x, aliases: [/y], menu: { choices: [{ label: A, command: /y }] } }",
      "3:76 spec.commands[0].menu.choices[0].command: expected something behind /y, which alone shows this menu again",
    ],
    [
      "- { command: /x, menu: { choices: [{ label: A, command: /help }, { label: A }] } }",
      "3:79 spec.commands[0].menu.choices[1].label: expected a label of its own, got that of choices[0]",
    ],
  ])("%j is refused", (commands, problem) => {
    expect(problemsOf(load(gateway(`    ${commands}`)))).toEqual([`config/gateway.yaml:${problem}`]);
  });

  it("stand behind the menus of agents, which are looked at as well", () => {
    const agent = `${AGENT.trimEnd().slice(0, -2)}, menu: { choices: [{ label: Ship, command: /ship api }, { label: Hi }] } }\n`;
    const files = {
      ...gateway("    - { command: /deploy, aliases: [/ship] }"),
      "agents/assistant.yaml": agent,
    };
    expect(problemsOf(load(files))).toEqual([]);
    const { "gateway.yaml": _, ...alone } = files;
    expect(problemsOf(load(alone))).toEqual([
      expect.stringContaining(
        "spec.menu.choices[0].command: expected a command of `commands` in gateway.yaml",
      ),
    ]);
  });
});
