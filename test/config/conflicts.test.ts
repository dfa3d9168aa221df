import { describe, expect, it } from "vitest";
import { load, problemsOf } from "./helpers.ts";

function loaded(files: Readonly<Record<string, string>>, options?: Parameters<typeof load>[1]) {
  const result = load(files, options);
  if (!result.ok) expect.fail(problemsOf(result).join("\n"));
  return result.config;
}

const agent = (spec: string) =>
  loaded({
    "agents/a.yaml": `metadata: { name: assistant }\nspec:\n  model: { provider: demo }\n${spec}`,
  });
const timesOf = (spec: string) => {
  const found = agent(spec).agents.get("assistant");
  return [found?.limits.max_execution_time_seconds, found?.budgets.time_seconds];
};

describe("the time of a run, which has two names", () => {
  it("is the one that was set, and 300 s where none was", () => {
    expect(timesOf("")).toEqual([300, 300]);
    expect(timesOf("  limits: { max_execution_time_seconds: 1800 }")).toEqual([1800, 1800]);
    expect(timesOf("  budgets: { time_seconds: 1800 }")).toEqual([1800, 1800]);
    expect(timesOf("  limits: { max_execution_time_seconds: 20 }\n  budgets: { tokens: 5 }")).toEqual([
      20, 20,
    ]);
    expect(agent("  limits: { max_execution_time_seconds: 1800 }").notes).toEqual([]);
  });

  it("is the shorter where both were set, which is noted at its place", () => {
    const both = (limit: number, budget: number) =>
      `  limits: { max_execution_time_seconds: ${limit} }\n  budgets: { time_seconds: ${budget} }`;
    expect(agent(both(1800, 300)).notes).toEqual([
      "config/agents/a.yaml:4:41 spec.limits.max_execution_time_seconds: 1800 has no effect, because budgets.time_seconds is 300: the shorter holds",
    ]);
    expect(agent(both(60, 90)).notes).toEqual([
      "config/agents/a.yaml:5:28 spec.budgets.time_seconds: 90 has no effect, because limits.max_execution_time_seconds is 60: the shorter holds",
    ]);
    expect(agent(both(90, 90)).notes).toEqual([]);
  });
});

describe("a setting that another one makes void", () => {
  const notesOf = (spec: string, model = "{ provider: demo }") =>
    loaded({ "agents/a.yaml": `metadata: { name: assistant }\nspec:\n  model: ${model}\n${spec}` }).notes;

  it("may be summaries, where nobody knows how much the model can read, or nothing is remembered", () => {
    const contextTokensOf = (_: string, model: string) => (model === "known" ? 1_000 : undefined);
    const notes = (memory: string, model: string) => {
      const file = `metadata: { name: assistant }\nspec:\n  memory: ${memory}\n  model: ${model}\n`;
      return loaded({ "agents/a.yaml": file }, { contextTokensOf }).notes;
    };
    const local = (name: string) =>
      `{ provider: openai, model: ${name}, base_url: "http://127.0.0.1:1/v1", price: free }`;
    expect(notes("{ compact_at: 0.5 }", local("mine"))).toEqual([
      "config/agents/a.yaml:3:25 spec.memory.compact_at: 0.5 has no effect, because the context window of mine is not known: set memory.context_tokens",
    ]);
    expect(notes("{ compact_at: 0.5 }", "{ provider: demo }")).toEqual([
      expect.stringContaining("the context window of the demo model is not known"),
    ]);
    expect(notes("{ compact_at: 0.5 }", local("known"))).toEqual([]);
    expect(notes("{ compact_at: 0.5, context_tokens: 1000 }", local("mine"))).toEqual([]);
    expect(notes("{}", local("mine"))).toEqual([]);
    expect(notes("{ context_tokens: 1000, max_messages: 0 }", local("mine"))).toEqual([
      expect.stringContaining("nothing is remembered"),
    ]);
    const remote = `{ provider: http, url: "https://a.example", secret: whsec_${Buffer.alloc(24).toString("base64")} }`;
    expect(notes("{ compact_at: 0.5 }", remote)).toEqual([
      expect.stringContaining("0.5 has no effect with provider: http"),
    ]);
  });

  it("may be that nobody could approve: then a call that needs it ends at once", () => {
    const others = "  approvals: { self_approval: false";
    expect(notesOf(`${others} }`, "{ provider: demo }")).toEqual([
      expect.stringMatching(
        /^config\/agents\/a\.yaml:4:31 spec\.approvals\.self_approval: .* ends at once with `no/,
      ),
    ]);
    expect(notesOf(`${others}, approvers: ["slack:T1:U1"] }`, "{ provider: demo }")).toEqual([]);
    expect(notesOf(`${others}, place: { platform: test, channel: C9 } }`)).toEqual([]);
    expect(notesOf("", "{ provider: demo }")).toEqual([]);
  });

  it.each([
    [
      "",
      "{ provider: demo, max_tokens: 20000 }",
      "max_tokens: 20000 has no effect, because a run may use 10000 tokens",
    ],
    [
      "  budgets: { time_seconds: 60 }",
      "{ provider: demo, timeout_seconds: 90 }",
      "timeout_seconds: 90 has no effect",
    ],
    [
      "  retry: { backoff_seconds: 61 }",
      "{ provider: demo }",
      "backoff_seconds: 61 leaves every retry to the queue",
    ],
    [
      "  tools: [{ name: d, type: command, command: /bin/true, timeout_seconds: 500 }]",
      "{ provider: demo }",
      "spec.tools[0].timeout_seconds: 500 has no effect, because a run may take 300 s",
    ],
  ])("is noted in an agent: %s %s", (spec, model, note) => {
    expect(notesOf(spec, model)).toEqual([expect.stringContaining(note)]);
  });

  it("is not noted when it is only a default", () => {
    expect(notesOf("  budgets: { tokens: 100, time_seconds: 5 }")).toEqual([]);
  });

  it("is noted in the gateway, with what it leads to", () => {
    const notes = (spec: string) =>
      loaded({
        "gateway.yaml": `spec:\n${spec}`,
        "agents/a.yaml": "metadata: { name: assistant }\nspec: { model: { provider: demo } }",
      }).notes;
    expect(notes("  queue: { waiting: 10, waiting_per_conversation: 20 }")).toEqual([
      "config/gateway.yaml:2:51 spec.queue.waiting_per_conversation: 20 has no effect, because queue.waiting is 10",
    ]);
    expect(notes("  platforms: { telegram: { dedup_seconds: 60 } }")).toEqual([
      expect.stringContaining(
        "one up to 86400 s old (max_age_seconds) that is delivered again after that runs twice",
      ),
    ]);
    expect(notes("  max_age_seconds: off\n  platforms: { whatsapp: { dedup_seconds: 60 } }")).toEqual([
      expect.stringContaining("one of any age"),
    ]);
    expect(notes("  max_age_seconds: 60\n  platforms: { slack: { dedup_seconds: 60 } }")).toEqual([]);
  });
});

it("that keeps longer than anything is remembered is noted, of files and of workspaces", () => {
  const notes = (spec: string, memory = "") =>
    loaded({
      "gateway.yaml": `spec:\n${spec}`,
      "agents/a.yaml": `metadata: { name: assistant }\nspec: { model: { provider: demo }${memory} }`,
    }).notes;
  expect(notes("  media: { kept_seconds: 700000 }")).toEqual([
    "config/gateway.yaml:2:26 spec.media.kept_seconds: 700000 has no effect, because no agent remembers longer than 604800 s (memory.ttl_seconds)",
  ]);
  expect(notes("  media: { kept_seconds: 700000 }", ", memory: { ttl_seconds: 700000 }")).toEqual([]);
  expect(notes('  retention: { tenants: { "slack:T1": 2592000, "slack:T2": 2591999 } }')).toEqual([
    expect.stringContaining(
      "spec.retention.tenants.slack:T1: 2592000 has no effect, because nothing is kept longer than 2592000 s anyway",
    ),
  ]);
});

describe("a key of a model that no agent asks", () => {
  const notes = (model: string, env: Readonly<Record<string, string>>) =>
    loaded(
      { "agents/a.yaml": `metadata: { name: assistant }\nspec: { model: ${model} }` },
      { env: { ...env } },
    ).notes;
  const claude = "{ provider: anthropic, model: claude-sonnet-5";

  it("is noted, with what to set instead", () => {
    expect(notes(`${claude} }`, { OPENAI_API_KEY: "sk-1" })).toEqual([
      "OPENAI_API_KEY has no effect: no agent asks a model of openai; set model: { provider: openai, model: … } in its file",
    ]);
    expect(notes("{ provider: demo }", { ANTHROPIC_API_KEY: "sk-2" })).toEqual([
      expect.stringContaining("ANTHROPIC_API_KEY has no effect"),
    ]);
  });

  it("is not where a fallback or the cheaper model is", () => {
    const env = { ANTHROPIC_API_KEY: "sk-1", OPENAI_API_KEY: "sk-2" };
    expect(notes(`${claude}, fallback: [{ provider: openai, model: gpt-5 }] }`, env)).toEqual([]);
    expect(notes(`${claude}, cheaper: { provider: openai, model: gpt-5 } }`, env)).toEqual([]);
  });
});

describe("a model", () => {
  it("needs no name when it is the demo, in an agent and as a fallback", () => {
    const { agents } = agent("");
    expect(agents.get("assistant")?.model).toMatchObject({ provider: "demo", model: "demo" });
    const list = loaded({
      "agents/all.yaml":
        "kind: AgentList\nitems:\n  - metadata: { name: assistant }\n    spec: { model: { provider: anthropic, model: claude-sonnet-5, fallback: [{ provider: demo }] } }",
    });
    expect(list.agents.get("assistant")?.model.fallback).toEqual([{ provider: "demo", model: "demo" }]);
  });

  it("of any other provider needs one", () => {
    const problems = (spec: string) =>
      problemsOf(load({ "agents/a.yaml": `metadata: { name: assistant }\nspec: { model: ${spec} }` }));
    expect(problems("{ provider: anthropic }")).toEqual([
      "config/agents/a.yaml:2:16 spec.model.model: expected text, got nothing",
    ]);
    expect(problems("{ provider: demo, fallback: [{ provider: anthropic }] }")).toEqual([
      "config/agents/a.yaml:2:45 spec.model.fallback[0].model: expected text, got nothing",
    ]);
  });
});

describe("the place of approvals of one tool", () => {
  it("is looked at as that of the agent is", () => {
    const tool = `{ name: t, type: command, command: /bin/true, approve: ["*"], approvals: { place: { platform: whatsapp, channel: 4 } } }`;
    const result = load({
      "agents/a.yaml": `metadata: { name: assistant }\nspec:\n  model: { provider: demo }\n  tools: [${tool}]`,
    });
    expect(result.ok ? [] : problemsOf(result).join()).toMatch(
      /spec\.tools\[0\]\.approvals\.place\.platform: expected a platform on which a bot may speak first/,
    );
    const others = tool.replace("platform: whatsapp, channel: 4", "platform: test, channel: C4");
    expect(
      loaded({
        "agents/a.yaml": `metadata: { name: assistant }\nspec:\n  model: { provider: demo }\n  tools: [${others}]`,
      }).notes,
    ).toEqual([]);
  });
});

describe("the place of approvals", () => {
  const placed = (place: string) => ({
    "agents/a.yaml": `metadata: { name: assistant }\nspec:\n  model: { provider: demo }\n  approvals: { place: ${place} }`,
  });

  it("is noted where its platform is off, for nothing can be asked there", () => {
    expect(loaded(placed("{ platform: slack, channel: C9 }")).notes).toEqual([
      expect.stringMatching(
        /^config\/agents\/a\.yaml:4:35 spec\.approvals\.place\.platform: slack is not configured \(SLACK_SIGNING_SECRET/,
      ),
    ]);
  });

  it.each([
    [
      "{ platform: whatsapp, channel: 49 }",
      "place.platform: expected a platform on which a bot may speak first: ",
    ],
    ["elsewhere", "place: expected conversation, or a place: { platform, channel }"],
    ["{ platform: slack, chanel: C9 }", "place.chanel"],
  ])("is refused as %s", (place, words) => {
    const result = load(placed(place));
    expect(result.ok ? [] : problemsOf(result).join("\n")).toContain(words);
  });
});
