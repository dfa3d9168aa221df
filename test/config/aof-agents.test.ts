import { expect, it } from "vitest";
import { load, problemsOf } from "./helpers.ts";

const SPEC = `metadata: { name: assistant, labels: { team: platform, tier: 2 } }
spec:
  model: { provider: anthropic, model: claude-sonnet-5, temperature: 0.3, max_tokens: 1000 }
  system_prompt: Look after the clusters.
  memory: { backend: redis, ttl_seconds: 3600, max_messages: 20 }
  limits: { max_iterations: 10 }
`;
const loaded = (text: string, env: Readonly<Record<string, string>> = {}) => {
  const result = load({ "agents/ops.yaml": text }, { env });
  if (!result.ok) expect.fail(problemsOf(result).join("\n"));
  return result.config;
};

it("loads an agent of AOF that says nothing but what means the same here", () => {
  const { agents } = loaded(`apiVersion: aof.dev/v1\nkind: Agent\n${SPEC}`);
  expect(agents.get("assistant")).toMatchObject({
    model: { temperature: 0.3, max_tokens: 1000 },
    memory: { ttl_seconds: 3600, max_messages: 20 },
  });
  expect(agents).toEqual(loaded(SPEC).agents);
});

const IN_AOF = `metadata: { name: assistant, labels: { team: platform, tier: 2 } }
spec:
  model: "anthropic:claude-sonnet-5"
  instructions: Look after the clusters.
  temperature: 0.3
  max_tokens: 1000
  max_iterations: 10
  memory: { backend: redis, ttl_seconds: 3600, max_messages: 20 }
`;

it("loads one that says the same under the names of AOF, also in a list", () => {
  const head = "apiVersion: aof.dev/v1\nkind: Agent\n";
  const { agents, notes } = loaded(head + IN_AOF);
  expect(agents).toEqual(loaded(SPEC).agents);
  expect(notes).toContainEqual(
    expect.stringMatching(/^config\/agents\/ops\.yaml:7:16 spec\.temperature: 0\.3 has no effect/),
  );
  const item = IN_AOF.replaceAll(/^/gm, "    ").replace("    metadata", "  - metadata");
  const list = `apiVersion: aof.dev/v1\nkind: AgentList\nitems:\n${item.trimEnd()}\n`;
  expect(loaded(list).agents).toEqual(loaded(SPEC).agents);
});

it.each([
  ["a key stands in both forms", IN_AOF.replace("  temp", "  system_prompt: Something else.\n  temp")],
  ["a provider goes by another name", IN_AOF.replace("anthropic:", "google:")],
  ["a tool is a function of AOF", `${IN_AOF}  tools: [shell]\n`],
])("is none of ours where %s, and says all that it takes", (_, text) => {
  const problems = problemsOf(load({ "agents/ops.yaml": `apiVersion: aof.dev/v1\nkind: Agent\n${text}` }));
  expect(problems[0]).toContain("this is a file of AOF");
  expect(problems.join()).toContain("spec.instructions: expected one of");
});

it("is not taken for one of AOF unless it says so", () => {
  expect(problemsOf(load({ "agents/ops.yaml": IN_AOF }))[0]).toContain("spec.model: expected a mapping");
});

it("notes a temperature where models take none, and a backend that is not the one in use", () => {
  const { notes } = loaded(SPEC);
  expect(notes).toContainEqual(
    "config/agents/ops.yaml:3:70 spec.model.temperature: 0.3 has no effect with provider: anthropic",
  );
  expect(notes).toContainEqual(
    "config/agents/ops.yaml:5:22 spec.memory.backend: redis has no effect: memory is kept with the events in SQLite; set REDIS_URL for Redis",
  );
  const REDIS = { REDIS_URL: "redis://127.0.0.1:6379" };
  expect(loaded(SPEC, REDIS).notes.join()).not.toContain("memory.backend");
  expect(loaded(SPEC.replace("redis", "sled"), REDIS).notes).toContainEqual(
    expect.stringContaining("sled has no effect: memory is kept with the events in Redis"),
  );
  expect(loaded(SPEC.replace("redis", "sqlite")).notes.join()).not.toContain("memory.backend");
  const openai = SPEC.replace(
    "provider: anthropic, model: claude-sonnet-5",
    "provider: openai, model: gpt-5",
  );
  expect(loaded(openai).notes.join()).not.toContain("temperature");
});

it("refuses what is no label, no temperature and no backend", () => {
  const wrong = SPEC.replace("tier: 2", "tier: [2]").replace("0.3", "3").replace("redis", "etcd");
  expect(problemsOf(load({ "agents/ops.yaml": wrong }))).toEqual([
    "config/agents/ops.yaml:1:62 metadata.labels.tier: expected text or a number or true or false, got a list",
    "config/agents/ops.yaml:3:70 spec.model.temperature: expected a number of at most 2, got 3",
    'config/agents/ops.yaml:5:22 spec.memory.backend: expected memory or in_memory or redis or sqlite or sled or file, got "etcd"',
  ]);
});
