// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to variables are what is tested

import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MODULES } from "../../adapters/index.ts";
import { loadConfig } from "../../src/config/load.ts";
import { isPriced, pricedModels } from "../../src/models/price-table.ts";
import { AGENT, folderWith, load, problemsOf } from "./helpers.ts";

const root = resolve(import.meta.dirname, "../..");

describe("loading the configuration", () => {
  it("gives the defaults when there is no folder, and says so", () => {
    const loaded = loadConfig({ modules: MODULES, env: {}, cwd: folderWith({}) });
    if (!loaded.ok) expect.fail(problemsOf(loaded).join("\n"));
    expect(loaded.config.gateway.limits.user).toEqual({ messages: 20, per_seconds: 60 });
    expect(loaded.config.agents.get("assistant")?.model).toMatchObject({
      provider: "anthropic",
      model: "claude-sonnet-5",
      max_tokens: 4096,
    });
    expect(loaded.config.notes).toEqual([
      "no folder config: the defaults hold and the built-in assistant answers",
    ]);
  });

  it("insists on a folder that was asked for", () => {
    const cwd = folderWith({});
    const missing = "mine: expected a folder, got nothing";
    expect(problemsOf(loadConfig({ modules: MODULES, env: {}, cwd, folder: "mine" }))).toEqual([missing]);
    expect(problemsOf(loadConfig({ modules: MODULES, env: { PARLEY_CONFIG: "mine" }, cwd }))).toEqual([
      missing,
    ]);
    expect(problemsOf(loadConfig({ modules: MODULES, env: { AOF_CONFIG_PATH: "mine" }, cwd }))).toEqual([
      missing,
    ]);
  });

  it("takes a file in its place: a gateway.yaml for its folder, or one of agents, which is all there is", () => {
    const cwd = folderWith({
      "mine/gateway.yaml": "spec: { max_age_seconds: 77 }",
      "mine/agents/b.yaml": AGENT.replace("name: assistant", "name: beside"),
      "mine/agents/a.yaml": AGENT,
      "agents.yaml": `kind: AgentList\nitems:\n  - ${AGENT.trim().split("\n").join("\n    ")}`,
    });
    const at = (file: string) => {
      const loaded = loadConfig({ modules: MODULES, env: { AOF_CONFIG_PATH: file }, cwd });
      if (!loaded.ok) expect.fail(problemsOf(loaded).join("\n"));
      return loaded.config;
    };
    const folder = at("mine/gateway.yaml");
    expect([folder.gateway.max_age_seconds, [...folder.agents.keys()]]).toEqual([
      77,
      ["assistant", "beside"],
    ]);
    expect(folder.environment.configFolder).toBe(join(cwd, "mine"));
    const alone = at("agents.yaml");
    expect([alone.gateway.max_age_seconds, [...alone.agents.keys()]]).toEqual([86_400, ["assistant"]]);
    const daemon = folderWith({ "daemon.yaml": "apiVersion: aof.dev/v1\nkind: DaemonConfig\nspec: {}" });
    const refused = loadConfig({ modules: MODULES, env: { AOF_CONFIG_PATH: "daemon.yaml" }, cwd: daemon });
    expect(problemsOf(refused).join("\n")).toContain("daemon.yaml:1");
  });

  it("says at its place what a folder of the wrong kind is", () => {
    const cwd = folderWith({ config: "a file" });
    expect(problemsOf(loadConfig({ modules: MODULES, env: {}, cwd }))).toEqual([
      "config: expected a readable folder, got ENOTDIR",
    ]);
  });

  it("ships a gateway.yaml that holds every option at its default", () => {
    const shipped = loadConfig({ modules: MODULES, env: {}, cwd: root });
    const defaults = load({ "agents/a.yaml": AGENT });
    if (!shipped.ok || !defaults.ok) expect.fail(problemsOf(shipped).join("\n"));
    expect(shipped.config.gateway).toEqual(defaults.config.gateway);
    expect(shipped.config.notes).toEqual([]);
  });

  it("ships an assistant that equals the built-in one", () => {
    const shipped = loadConfig({ modules: MODULES, env: {}, cwd: root });
    const builtIn = loadConfig({ modules: MODULES, env: {}, cwd: folderWith({}) });
    if (!shipped.ok || !builtIn.ok) expect.fail(problemsOf(shipped).join("\n"));
    expect(shipped.config.agents).toEqual(builtIn.config.agents);
  });

  it("reports all problems of all files at once, each at its place", () => {
    const loaded = load(
      {
        "gateway.yaml": [
          "spec:",
          "  limts: {}",
          "  limits:",
          "    user: { messages: 0, per_second: 60 }",
          "    tenant: offf",
          '  max_age_seconds: "${NOPE}"',
          "  queue: { waiting: 1.5 }",
          "  platforms:",
          "    slack: { enabled: true, access: { bots: some } }",
        ].join("\n"),
        "agents/a.yaml": [
          "apiVersion: aof.dev/v1",
          "metadata: { name: 'a b' }",
          "spec:",
          "  model: { provider: vertex, model: claude }",
          "  tools: [{ name: kubectl }]",
          "  busy: never",
        ].join("\n"),
        "agents/q.yaml": [
          "metadata: { name: q }",
          "spec:",
          "  model: { provider: demo }",
          "  busy: { mode: steer, quiet_ms: 0 }",
        ].join("\n"),
        "agents/b.yaml": "spec: [1\nkind: Agent",
        "agents/c.yaml": "kind: Agent\n",
      },
      { env: { PARLEY_PORT: "70000" } },
    );
    expect(problemsOf(loaded)).toHaveLength(19);
    expect(problemsOf(loaded)).toEqual(
      expect.arrayContaining([
        "environment PARLEY_PORT: expected a port from 0 to 65535, got 70000",
        "config/gateway.yaml:2:3 spec.limts: expected limits, got the unknown key limts (did you mean limits?)",
        "config/gateway.yaml:4:23 spec.limits.user.messages: expected a number of at least 1, got 0",
        "config/gateway.yaml:4:26 spec.limits.user.per_second: expected per_seconds, got the unknown key per_second (did you mean per_seconds?)",
        'config/gateway.yaml:5:13 spec.limits.tenant: expected off or a mapping, got "offf" (did you mean off?)',
        "config/gateway.yaml:6:20 spec.max_age_seconds: expected the environment variable NOPE to be set, got nothing; ${NOPE:-…} gives a default",
        "config/gateway.yaml:7:21 spec.queue.waiting: expected a whole number, got 1.5",
        "config/gateway.yaml:9:23 spec.platforms.slack.enabled: expected auto or false, got true",
        'config/gateway.yaml:9:45 spec.platforms.slack.access.bots: expected none or any or a list, got "some"',
        expect.stringMatching(
          /^config\/agents\/a\.yaml:1:13 apiVersion: expected parley\/v1, got "aof\.dev\/v1": this is a file of AOF\. /,
        ),
        'config/agents/a.yaml:2:19 metadata.name: expected 1 to 63 letters, digits, dots, dashes or underscores, the first a letter or digit, got "a b"',
        'config/agents/a.yaml:4:22 spec.model.provider: expected anthropic or bedrock or openai or http or demo, got "vertex"',
        "config/agents/a.yaml:5:11 spec.tools[0].type: expected type: mcp, command, builtin or agent, got nothing",
        'config/agents/a.yaml:6:9 spec.busy: expected queue or collect or interrupt or steer or drop or a mapping, got "never"',
        'config/agents/q.yaml:4:17 spec.busy.mode: expected collect, got "steer"',
        "config/agents/q.yaml:4:34 spec.busy.quiet_ms: expected a number of at least 1, got 0",
        "config/agents/b.yaml:2:1: expected YAML, got something else (Flow sequence in block collection must be sufficiently indented and end with a ])",
        "config/agents/c.yaml:1:1 metadata: expected a mapping, got nothing",
        "config/agents/c.yaml:1:1 spec: expected a mapping, got nothing",
      ]),
    );
  });

  it("takes an option whose value is commented out as not given, but not an unknown one", () => {
    expect(problemsOf(load({ "gateway.yaml": "spec:\n  limits:\n  queue:\n" }))).toEqual([]);
    expect(problemsOf(load({ "gateway.yaml": "spec:\n  colour:\n" }))).toEqual([
      expect.stringMatching(
        /^config\/gateway.yaml:2:3 spec.colour: expected one of kill_switch, .*, got the unknown key colour$/,
      ),
    ]);
  });

  it("has one line for a misspelt key, and one more only for what is missing beside it", () => {
    const agent = AGENT.replace("model:", "modle:");
    expect(agent).not.toBe(AGENT);
    expect(problemsOf(load({ "agents/a.yaml": agent }))).toEqual([
      expect.stringContaining("spec.modle: expected model, got the unknown key modle (did you mean model?)"),
    ]);
    expect(problemsOf(load({ "agents/a.yaml": agent.replace("modle:", "colour:") }))).toEqual([
      expect.stringContaining("spec.model: expected a mapping such as"),
      expect.stringContaining("got the unknown key colour"),
    ]);
  });

  it("takes an empty file", () => {
    expect(problemsOf(load({ "gateway.yaml": "", "agents/a.yaml": AGENT }))).toEqual([]);
  });

  it.each([
    ["0", "a number of at least 1, got 0"],
    ["3601", "a number of at most 3600, got 3601"],
    ["0.5", "off or a whole number, got 0.5"],
    ["soon", 'off or a number, got "soon"'],
    ["30s", 'off or a number, got "30s"'],
  ])("refuses %s seconds until who waits is told so", (value, complaint) => {
    const gateway = `spec: { notices: { waiting_seconds: ${value} } }`;
    expect(problemsOf(load({ "gateway.yaml": gateway, "agents/a.yaml": AGENT }))).toEqual([
      `config/gateway.yaml:1:37 spec.notices.waiting_seconds: expected ${complaint}`,
    ]);
  });

  it("keeps ids as they are written, quoted or not", () => {
    const loaded = load({
      "gateway.yaml":
        "spec: { platforms: { discord: { access: { tenants: [1100000000000000001, '2'] } }, telegram: { access: { channels: [-1001234567890] } } } }",
    });
    if (!loaded.ok) expect.fail(problemsOf(loaded).join("\n"));
    expect(loaded.config.gateway.platforms.discord?.access.tenants).toEqual(["1100000000000000001", "2"]);
    expect(loaded.config.gateway.platforms.telegram?.access.channels).toEqual(["-1001234567890"]);
  });

  it("takes one value or a list in a match", () => {
    const loaded = load({
      "gateway.yaml":
        "spec: { routes: [{ match: { platform: slack, command: [/a, /b] }, agent: assistant }, { agent: assistant }] }",
    });
    if (!loaded.ok) expect.fail(problemsOf(loaded).join("\n"));
    expect(loaded.config.gateway.routes[0]?.match).toEqual({ platform: ["slack"], command: ["/a", "/b"] });
  });

  it("reads an AgentList and finds problems inside it", () => {
    const list = (second: string) =>
      `kind: AgentList\nitems:\n  - metadata: { name: assistant }\n    spec: { model: { provider: demo, model: demo } }\n  - ${second}\n`;
    const good = load({
      "agents/all.yaml": list("{ metadata: { name: b }, spec: { model: { provider: demo, model: demo } } }"),
    });
    if (!good.ok) expect.fail(problemsOf(good).join("\n"));
    expect([...good.config.agents.keys()]).toEqual(["assistant", "b"]);
    expect(problemsOf(load({ "agents/all.yaml": list("{ metadata: { name: b }, spce: {} }") }))).toEqual([
      "config/agents/all.yaml:5:30 items[1].spce: expected spec, got the unknown key spce (did you mean spec?)",
    ]);
  });
});

describe("references between files", () => {
  it("refuses a route to an agent that nobody described", () => {
    const gateway = "spec:\n  routes:\n    - { agent: asistant }\n";
    expect(problemsOf(load({ "gateway.yaml": gateway, "agents/a.yaml": AGENT }))).toEqual([
      "config/gateway.yaml:3:16 spec.routes[0].agent: expected the name of an agent (assistant), got asistant (did you mean assistant?)",
    ]);
  });

  it("refuses a hand-over to an agent that nobody described, and to itself", () => {
    const agent = (name: string, to: string) =>
      `metadata: { name: ${name} }\nspec:\n  model: { provider: demo }\n  hand_over: ${to}\n`;
    const ops = agent("ops", "[ops]");
    const assistant = agent("assistant", "[ops, { agent: opps, when: servers }]");
    expect(problemsOf(load({ "agents/a.yaml": assistant, "agents/b.yaml": ops }))).toEqual([
      "config/agents/a.yaml:4:29 spec.hand_over[1].agent: expected the name of another agent (ops), got opps (did you mean ops?)",
      "config/agents/b.yaml:4:15 spec.hand_over[0]: expected the name of another agent (assistant), got ops",
    ]);
  });

  it("refuses a tool that asks an agent which nobody described", () => {
    const tools = "[{ name: servers, type: agent, agent: opps }]";
    const text = `metadata: { name: assistant }\nspec:\n  model: { provider: demo }\n  tools: ${tools}\n`;
    const ops = "metadata: { name: ops }\nspec: { model: { provider: demo } }\n";
    expect(problemsOf(load({ "agents/a.yaml": text, "agents/b.yaml": ops }))).toEqual([
      "config/agents/a.yaml:4:48 spec.tools[0].agent: expected the name of another agent (ops), got opps (did you mean ops?)",
    ]);
  });

  it("refuses a hand-over beside a tool of that name, and of a remote agent", () => {
    const spec = (model: string, more: string) =>
      `metadata: { name: assistant }\nspec:\n  model: ${model}\n  hand_over: [ops]\n${more}`;
    const ops = "metadata: { name: ops }\nspec: { model: { provider: demo } }\n";
    const tool = "  tools: [{ name: hand_over, type: builtin, builtin: time }]\n";
    const remote =
      "{ provider: http, url: 'https://a.example', secret: whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0 }";
    const problems = [spec("{ provider: demo }", tool), spec(remote, "")].map((text) =>
      problemsOf(load({ "agents/a.yaml": text, "agents/b.yaml": ops })).join("\n"),
    );
    expect(problems[0]).toContain("expected another name: with hand_over, the agent has a tool of that name");
    expect(problems[1]).toContain("expected none with provider: http");
  });

  it("explains the default route when no agent has the default name", () => {
    expect(problemsOf(load({ "agents/a.yaml": AGENT.replace("assistant", "deployer") }))).toEqual([
      "gateway.yaml spec.routes: expected the name of an agent (deployer), got assistant; without routes, everything goes to assistant",
    ]);
  });

  it("refuses two agents of one name", () => {
    expect(problemsOf(load({ "agents/a.yaml": AGENT, "agents/b.yaml": AGENT }))).toEqual([
      "config/agents/b.yaml:1:19 metadata.name: expected a name of its own, got assistant, which config/agents/a.yaml has too",
    ]);
  });

  it("refuses a route that can never be reached", () => {
    const gateway =
      "spec:\n  routes:\n    - agent: assistant\n    - { match: { platform: slack }, agent: assistant }\n";
    expect(problemsOf(load({ "gateway.yaml": gateway }))).toEqual([
      "config/gateway.yaml:3:7 spec.routes[0]: expected the route for everything to be the last, got 1 more after it",
    ]);
  });

  it("refuses a model whose price nobody knows, also as a fallback, unless the file gives one", () => {
    const isPriced = (provider: string, model: string) =>
      provider === "anthropic" && model === "claude-sonnet-5";
    const agent = (model: string) => `metadata: { name: assistant }\nspec:\n  model: ${model}\n`;
    const unknown = agent(
      "{ provider: anthropic, model: claude-next, fallback: [{ provider: anthropic, model: claude-old }], cheaper: { provider: anthropic, model: claude-tiny } }",
    );
    expect(problemsOf(load({ "agents/a.yaml": unknown }, { isPriced }))).toEqual([
      expect.stringContaining(
        "config/agents/a.yaml:3:40 spec.model.model: expected a model whose price is known, got claude-next;",
      ),
      expect.stringContaining("config/agents/a.yaml:3:94 spec.model.fallback[0].model: expected a model"),
      expect.stringContaining(
        "spec.model.cheaper.model: expected a model whose price is known, got claude-tiny",
      ),
    ]);
    const known = agent(
      "{ provider: anthropic, model: claude-sonnet-5, fallback: [{ provider: demo, model: demo }, { provider: anthropic, model: x, price: { input_per_million: 1, output_per_million: 2 } }] }",
    );
    expect(problemsOf(load({ "agents/a.yaml": known }, { isPriced }))).toEqual([]);
  });

  it("offers the name of a model that was probably meant", () => {
    const misspelt =
      "metadata: { name: a }\nspec: { model: { provider: anthropic, model: claude-sonet-5 } }\n";
    const files = { "agents/a.yaml": misspelt, "gateway.yaml": "spec: { routes: [{ agent: a }] }" };
    expect(problemsOf(load(files, { isPriced, pricedModels }))).toEqual([
      expect.stringContaining("got claude-sonet-5 (did you mean claude-sonnet-5?); add price:"),
    ]);
  });
});

describe("variables in files", () => {
  it("are expanded after parsing, and keep their type only outside quotes", () => {
    const env = { N: "7", T: "true", TEXT: "a: b # c", G: "1100000000000000001" };
    const loaded = load(
      {
        "gateway.yaml":
          "spec:\n  kill_switch: ${T}\n  queue:\n    waiting: ${N}\n    concurrency: ${M:-5}\n  platforms:\n    slack:\n      access:\n        tenants:\n          - ${G}\n          - '${N}'\n",
        "agents/a.yaml":
          "metadata: { name: assistant }\nspec:\n  model: { provider: demo, model: demo }\n  system_prompt: |\n    ${TEXT} costs $${N} or $5\n",
      },
      { env },
    );
    if (!loaded.ok) expect.fail(problemsOf(loaded).join("\n"));
    const { gateway, agents } = loaded.config;
    expect(gateway.kill_switch).toBe(true);
    expect(gateway.queue).toMatchObject({ waiting: 7, concurrency: 5 });
    expect(gateway.platforms.slack?.access.tenants).toEqual(["1100000000000000001", "7"]);
    expect(agents.get("assistant")?.system_prompt).toBe("a: b # c costs ${N} or $5\n");
  });

  it("never show what they hold in an error", () => {
    const gateway = 'spec:\n  queue:\n    waiting: ${HIDDEN}\n    concurrency: "${N}"\n';
    const loaded = load({ "gateway.yaml": gateway }, { env: { HIDDEN: "hunter2", N: "5" } });
    expect(problemsOf(loaded)).toEqual([
      "config/gateway.yaml:3:14 spec.queue.waiting: expected a number, got what ${HIDDEN} holds",
      "config/gateway.yaml:4:18 spec.queue.concurrency: expected a number, got what ${N} holds (in quotes it is always text)",
    ]);
  });

  it("may not be one of Parley's own secrets", () => {
    const agent = AGENT.replace("spec: {", "spec: { system_prompt: 'token ${SLACK_BOT_TOKEN}', ");
    const loaded = load({ "agents/a.yaml": agent }, { env: { SLACK_BOT_TOKEN: "xoxb-hidden" } });
    expect(problemsOf(loaded)).toEqual([
      "config/agents/a.yaml:2:24 spec.system_prompt: expected no secret in a file, got ${SLACK_BOT_TOKEN}; Parley reads this variable by itself",
    ]);
  });

  it("may be one of AWS, which tools are called with, too", () => {
    const env = { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "aws-secret-key" };
    const tool =
      "{ name: aws, type: command, command: /usr/bin/aws, env: { AWS_SECRET_ACCESS_KEY: '${AWS_SECRET_ACCESS_KEY}' } }";
    const loaded = load({ "agents/a.yaml": AGENT.replace("spec: {", `spec: { tools: [${tool}], `) }, { env });
    if (!loaded.ok) return expect.fail(problemsOf(loaded).join());
    expect(JSON.stringify([...loaded.config.agents])).not.toContain("aws-secret-key");
  });

  it("must be well formed", () => {
    const agent = AGENT.replace("spec: {", "spec: { system_prompt: 'echo ${a.b}', ");
    expect(problemsOf(load({ "agents/a.yaml": agent }))).toEqual([
      'config/agents/a.yaml:2:24 spec.system_prompt: expected ${NAME} or ${NAME:-default}, got "${a.b}"; $${ stands for ${',
    ]);
  });
});

describe("the configuration folder", () => {
  it("is not left through a link", () => {
    const cwd = folderWith({ "secret.yaml": AGENT, "config/agents/a.yaml": AGENT });
    symlinkSync(join(cwd, "secret.yaml"), join(cwd, "config/agents/b.yaml"));
    expect(problemsOf(loadConfig({ modules: MODULES, env: {}, cwd }))).toEqual([
      "config/agents/b.yaml: expected a file in the configuration folder, got a link that leads out of it",
    ]);
  });

  it("may hold links inside itself, as Kubernetes mounts it", () => {
    const cwd = folderWith({ "config/..data/a.yaml": AGENT });
    mkdirSync(join(cwd, "config/agents"));
    symlinkSync("../..data/a.yaml", join(cwd, "config/agents/a.yaml"));
    const loaded = loadConfig({ modules: MODULES, env: {}, cwd });
    if (!loaded.ok) expect.fail(problemsOf(loaded).join("\n"));
    expect(loaded.config.agents.get("assistant")?.model.provider).toBe("demo");
  });

  it("holds one gateway.yaml, files of a bounded size, in UTF-8", () => {
    const cwd = folderWith({ "config/gateway.yaml": "", "config/gateway.yml": "" });
    mkdirSync(join(cwd, "config/agents/d.yaml"), { recursive: true });
    writeFileSync(join(cwd, "config/agents/big.yaml"), "#".repeat(1024 * 1024 + 1));
    writeFileSync(join(cwd, "config/agents/latin.yaml"), Buffer.from([0x61, 0xff]));
    expect(problemsOf(loadConfig({ modules: MODULES, env: {}, cwd }))).toEqual([
      "config: expected one gateway.yaml, got gateway.yaml and gateway.yml",
      "config/agents/big.yaml: expected a file of at most 1048576 bytes, got 1048577 bytes",
      "config/agents/d.yaml: expected a file of at most 1048576 bytes, got something else",
      "config/agents/latin.yaml: expected a readable file in UTF-8, got other bytes",
    ]);
  });

  it("notes a file in the wrong place and leaves hidden ones alone", () => {
    const loaded = load({ "assistant.yaml": AGENT, "agents/a.yaml": AGENT, "agents/.a.yaml.swp": "{" });
    if (!loaded.ok) expect.fail(problemsOf(loaded).join("\n"));
    expect(loaded.config.notes).toEqual([
      "config/assistant.yaml is not read; agents belong into config/agents",
    ]);
  });
});

describe("hostile YAML", () => {
  it.each([
    ["a bomb of aliases", `a: &a [1,1,1,1,1,1,1,1,1,1]\n${bomb()}`],
    ["an alias of itself", "spec: &x [*x]"],
    ["deep nesting", "[".repeat(5_000)],
    ["a prototype", "__proto__: { kind: Gateway }\nconstructor: 1"],
    ["an unknown alias", "spec: *nope"],
    ["a tag", "spec: !!js/function 'x'"],
    ["two documents", "kind: Gateway\n---\nkind: Gateway"],
    ["a key that is no text", "? [a]\n: b"],
    ["a key twice", "kind: Gateway\nkind: Gateway"],
    ["a list", "- 1"],
    ["NUL", "\0"],
  ])("%s is a problem and no crash", (_, text) => {
    const problems = problemsOf(load({ "gateway.yaml": text }));
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.every((problem) => /^config\/gateway\.yaml:\d+:\d+[: ].*expected .*/.test(problem))).toBe(
      true,
    );
  });

  it("never makes the loader throw", { timeout: 120_000 }, () => {
    const key = fc.constantFrom(
      "spec",
      "limits",
      "user",
      "routes",
      "match",
      "kind",
      "<<",
      "*a",
      "&a x",
      "${X}",
    );
    const bit = fc.oneof(
      fc.string(),
      fc.constantFrom(
        ": ",
        "\n",
        "\n  ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        "|\n",
        "'",
        '"',
        "# ",
        "off",
        "1e999",
        "\t",
      ),
      key,
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(bit, { maxLength: 30 }).map((bits) => bits.join("")),
    );
    const cwd = folderWith({ "config/agents/a.yaml": AGENT });
    fc.assert(
      fc.property(text, (yaml) => {
        writeFileSync(join(cwd, "config/gateway.yaml"), yaml.toWellFormed());
        const loaded = loadConfig({ modules: MODULES, env: { X: "1" }, cwd });
        if (!loaded.ok) {
          expect(loaded.problems.length).toBeGreaterThan(0);
          for (const problem of loaded.problems) expect(problem.message).toMatch(/^expected /);
        }
      }),
      { numRuns: 300 },
    );
  });
});

function bomb(): string {
  const names = "abcdefghij".split("");
  return names
    .slice(1)
    .map((name, i) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${names[i]}`).join(", ")}]`)
    .join("\n");
}
