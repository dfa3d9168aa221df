import { describe, expect, it } from "vitest";
import { sandboxOf } from "../../src/config/tools-schema.ts";
import { redacted } from "../../src/domain/redact.ts";
import { Secret } from "../../src/shared/secret.ts";
import { load, problemsOf } from "./helpers.ts";

const agent = (tools: string) =>
  ["metadata: { name: assistant }", "spec:", "  model: { provider: demo }", "  tools:", tools].join("\n");
const loadTools = (tools: string, env: Record<string, string> = {}) =>
  load({ "agents/assistant.yaml": agent(tools) }, { env });

function toolsOf(text: string, env: Record<string, string> = {}) {
  const loaded = loadTools(text, env);
  expect(problemsOf(loaded)).toEqual([]);
  return loaded.ok ? (loaded.config.agents.get("assistant")?.tools ?? []) : [];
}

describe("tools of an agent", () => {
  it("are read as the design has them, defaults filled in", () => {
    const [kubectl, deploy, web] = toolsOf(`
    - name: kubectl
      type: mcp
      config: { transport: stdio, command: npx, args: ["-y", "kubectl-mcp"], env: { KUBECONFIG: /etc/kube } }
      allow: ["get_*", "describe_*"]
      approve: ["delete_*"]
      deny: ["*_secret"]
      effects: { "scale_*": write }
      timeout_seconds: 30
      retry: { max_attempts: 3, backoff_ms: 1000 }
    - { name: deploy, type: command, command: /usr/local/bin/deploy, args: ["{service}", "{version}"],
        input: { service: { type: string, pattern: "^[a-z-]+$" }, version: { type: string } }, effect: write, approve: ["*"] }
    - { name: web, type: builtin, builtin: fetch, hosts: ["docs.example.com"] }`);
    expect(kubectl).toEqual({
      name: "kubectl",
      type: "mcp",
      config: {
        transport: "stdio",
        command: "npx",
        args: ["-y", "kubectl-mcp"],
        env: { KUBECONFIG: "/etc/kube" },
        sandbox: null,
      },
      allow: ["get_*", "describe_*"],
      approve: ["delete_*"],
      deny: ["*_secret"],
      effects: { "scale_*": "write" },
      instructions: false,
      sends_files: [],
      timeout_seconds: 30,
      retry: { max_attempts: 3, backoff_ms: 1000 },
    });
    expect(deploy).toMatchObject({ type: "command", effect: "write", approve: ["*"], timeout_seconds: 30 });
    expect(web).toEqual({
      name: "web",
      type: "builtin",
      builtin: "fetch",
      hosts: ["docs.example.com"],
      approve: [],
      timeout_seconds: 30,
    });
  });

  it("allow nothing of a server by default, and ask it three times a second apart within 30 s", () => {
    const [tool] = toolsOf(
      "    - { name: a, type: mcp, config: { transport: http, url: https://mcp.example/x } }",
    );
    expect(tool).toMatchObject({
      allow: [],
      approve: [],
      deny: [],
      timeout_seconds: 30,
      retry: { max_attempts: 3, backoff_ms: 1000 },
    });
    const [sse] = toolsOf(
      "    - { name: a, type: mcp, config: { transport: sse, url: https://mcp.example/x } }",
    );
    expect(sse).toMatchObject({ config: { reconnect_ms: 1000 } });
  });

  it("take secrets from variables, and print none", () => {
    const [tool] = toolsOf(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what stands in the file
      '    - { name: a, type: mcp, config: { transport: http, url: "https://m.example", headers: { authorization: "Bearer ${TOOL_TOKEN}", x-kind: plain } } }',
      { TOOL_TOKEN: "tok-4711-very-long" },
    );
    const headers = tool?.type === "mcp" && tool.config.transport === "http" ? tool.config.headers : {};
    expect(headers["x-kind"]).toBe("plain");
    const { authorization } = headers;
    expect(authorization).toBeInstanceOf(Secret);
    expect(JSON.stringify(tool)).not.toContain("4711");
    expect(authorization instanceof Secret && authorization.reveal()).toBe("Bearer tok-4711-very-long");
    expect(redacted("it is tok-4711-very-long")).toBe("it is ***");
  });

  it("take the passwords of OAuth from variables, and print none", () => {
    const [tool] = toolsOf(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what stands in the file
      '    - { name: a, type: mcp, config: { transport: sse, url: "https://m.example", auth: { token_url: "https://l.example/t", client_id: c, client_secret: "${A_SECRET}", refresh_token: "${A_REFRESH}" } } }',
      { A_SECRET: "cs-4711-very-long", A_REFRESH: "rt-4711-very-long" },
    );
    expect(tool).toMatchObject({
      config: { auth: { client_secret: expect.any(Secret), refresh_token: expect.any(Secret) } },
    });
    expect(JSON.stringify(tool)).not.toContain("4711");
    expect(redacted("cs-4711-very-long, rt-4711-very-long")).toBe("***, ***");
  });

  it.each([
    ["- { name: kubectl }", "spec.tools[0].type: expected type: mcp, command, builtin or agent, got nothing"],
    [
      "- { name: a__b, type: builtin, builtin: time }",
      'spec.tools[0].name: expected 1 to 31 letters, digits and dashes, single underscores between them, the first a letter, got "a__b"',
    ],
    [
      "- { name: a, type: mcp, config: { transport: http, url: https://u:p@h.example }, allw: [x] }",
      "spec.tools[0].config.url: expected an address without user and password: use headers",
    ],
    [
      "- { name: a, type: mcp, config: { transport: http, url: https://h.example }, allw: [x] }",
      "5:82 spec.tools[0].allw: expected allow, got the unknown key allw (did you mean allow?)",
    ],
    [
      "- { name: a, type: mcp, config: { transport: pipe } }",
      'spec.tools[0].config.transport: expected transport: stdio, http or sse, got "pipe"',
    ],
    [
      '- { name: a, type: command, command: x, args: ["{b}"] }',
      "5:52 spec.tools[0].args[0]: expected {b} to be one of input, got no input",
    ],
    [
      "- { name: a, type: command, command: x, input: { b: {} } }",
      "spec.tools[0].input.b: expected {b} in args, got none",
    ],
    [
      "- { name: a, type: builtin, builtin: fetch }",
      "spec.tools[0].hosts: expected a list of hosts for fetch",
    ],
    [
      "- { name: a, type: builtin, builtin: time }\n    - { name: a, type: builtin, builtin: time }",
      "spec.tools[1].name: expected a name of its own, got a, which another tool has too",
    ],
  ])("are refused where they are wrong: %s", (text, expected) => {
    const problems = problemsOf(loadTools(`    ${text}`));
    expect(problems).toEqual(expect.arrayContaining([expect.stringContaining(expected)]));
  });
});

describe("tools.sandbox of the gateway", () => {
  const TOOLS = `
    - { name: box, type: command, command: echo }
    - { name: open, type: command, command: echo, sandbox: false }
    - { name: own, type: command, command: echo, sandbox: { network: true } }
    - { name: server, type: mcp, config: { transport: stdio, command: npx } }
    - { name: far, type: mcp, config: { transport: http, url: "https://mcp.example" } }`;
  const boxes = (spec: string) => {
    const loaded = load({
      "gateway.yaml": `spec:\n${spec || "  {}"}`,
      "agents/assistant.yaml": agent(TOOLS),
    });
    expect(problemsOf(loaded)).toEqual([]);
    const tools = loaded.ok ? (loaded.config.agents.get("assistant")?.tools ?? []) : [];
    return Object.fromEntries(tools.map((spec) => [spec.name, sandboxOf(spec)]));
  };

  it("holds for programs that say nothing themselves", () => {
    expect(boxes("  tools: { sandbox: true }\n")).toEqual({
      box: true,
      open: false,
      own: true,
      server: true,
      far: null,
    });
    expect(boxes("")).toEqual({ box: false, open: false, own: true, server: false, far: null });
  });
});
