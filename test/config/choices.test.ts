import { describe, expect, it } from "vitest";
import { load, problemsOf } from "./helpers.ts";

const AGENT = `metadata: { name: assistant }
spec:
  model: { provider: demo, model: demo }
  tools:
    - { name: services, type: command, command: ls, effect: read }
    - { name: restart, type: command, command: ls }
    - { name: asked, type: command, command: ls, effect: read, approve: ["*"] }
    - { name: notes, type: builtin, builtin: notes }
    - name: deploys
      type: mcp
      config: { transport: stdio, command: x }
      allow: ["list_*"]
      approve: ["get_*"]
      deny: ["*_secret"]
      effects: { "*_all": delete }
`;
const wrong = (from: string) => {
  const gateway = `spec:
  platforms:
    discord:
      autocomplete:
        choices:
          - { command: /deploy, option: service, ${from} }
`;
  return problemsOf(load({ "gateway.yaml": gateway, "agents/assistant.yaml": AGENT }));
};
const of = (tool: string, agent = "assistant") => wrong(`from: { agent: ${agent}, tool: ${tool} }`);

describe("a source of choices", () => {
  it.each(["services", "deploys__list_services"])("may be %s", (tool) => {
    expect(of(tool)).toEqual([]);
  });

  it.each([
    [
      "service",
      "tool: expected the name of a tool of assistant that only reads (services, restart, asked, notes, deploys__…), got service (did you mean services?)",
    ],
    ["restart", "tool: expected a tool that only reads, got restart, whose effect is write"],
    ["notes", "tool: expected a tool that only reads, got notes, whose effect is write"],
    ["asked", "tool: expected a tool that needs no approval, got asked, which does"],
    ["deploys__get_one", "tool: expected a tool that needs no approval, got deploys__get_one, which does"],
    [
      "deploys__other",
      "tool: expected a tool that assistant may use, got deploys__other, which allow of deploys does not name",
    ],
    [
      "deploys__list_secret",
      "tool: expected a tool that assistant may use, got deploys__list_secret, which allow of deploys does not name",
    ],
    [
      "deploys__list_all",
      "tool: expected a tool that only reads, got deploys__list_all, whose effect is delete by *_all",
    ],
  ])("may not be %s", (tool, message) => {
    expect(of(tool)).toEqual([
      expect.stringMatching(
        /^config\/gateway\.yaml:6:\d+ spec\.platforms\.discord\.autocomplete\.choices\[0\]\.from\./,
      ),
    ]);
    expect(of(tool)[0]).toContain(message);
  });

  it("is of an agent that is there", () => {
    expect(of("services", "asistant")).toEqual([
      expect.stringContaining(
        "from.agent: expected the name of an agent (assistant), got asistant (did you mean assistant?)",
      ),
    ]);
  });

  it("stands beside values or instead of them", () => {
    expect(wrong("values: []")).toEqual([expect.stringContaining("expected a value, or from, got neither")]);
  });
});
