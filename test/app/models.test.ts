import { describe, expect, it } from "vitest";
import { modelAccounts } from "../../src/app/agents.ts";
import { modelsOf } from "../../src/app/models.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { eventOf } from "../agent/support.ts";
import { load, problemsOf } from "../config/helpers.ts";
import { bedrockServer } from "../models/bedrock-server.ts";
import { sseServer } from "../models/sse-server.ts";
import { chunksOf, failureOf, promptOf, textOf } from "../models/support.ts";

const agent = (model: string) => `metadata: { name: assistant }\nspec: { model: ${model} }\n`;

function loaded(model: string, env: Record<string, string> = {}) {
  const result = load({ "agents/a.yaml": agent(model) }, { env });
  if (!result.ok) expect.fail(problemsOf(result).join("\n"));
  return result.config;
}

async function modelFor(model: string, env: Record<string, string> = {}) {
  const config = loaded(model, env);
  const spec = config.agents.get("assistant")?.model;
  if (spec === undefined) expect.fail("Expected an agent");
  return (await modelsOf(config, systemClock, modelAccounts(systemClock, createMetrics())))(spec, spec);
}

const SAID = [
  { choices: [{ index: 0, delta: { content: "from elsewhere" }, finish_reason: null }] },
  { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
];

describe("models of OpenAI and of servers that are compatible", () => {
  it.each([
    ["the key of its agent", "api_key: sk-own, ", "Bearer sk-own"],
    ["the key of the environment", "", "Bearer sk-environment"],
  ])("asks the server of its agent with %s, and counts nothing where it is free", async (_, key, bearer) => {
    await using server = await sseServer({ events: SAID });
    const model = await modelFor(
      `{ provider: openai, model: qwen, base_url: "${server.url}/v1/", api: chat, ${key}price: free }`,
      { OPENAI_API_KEY: "sk-environment" },
    );
    const chunks = await chunksOf(model, promptOf("hello"));
    expect(textOf(chunks)).toBe("from elsewhere");
    expect(chunks.at(-1)).toMatchObject({ kind: "end", usage: { costCents: 0 } });
    expect(model.costCeilingCents(promptOf("hello"))).toBe(0);
    expect(server.requests[0]?.headers.authorization).toBe(bearer);
  });

  it("asks the server of the environment, without a key where there is none", async () => {
    await using server = await sseServer({ status: 500 });
    const env = { OPENAI_BASE_URL: server.url };
    const model = await modelFor("{ provider: openai, model: gpt-5 }", env);
    await failureOf(chunksOf(model, promptOf("hello")));
    expect(server.requests[0]?.headers).not.toHaveProperty("authorization");
    expect(model.costCeilingCents(promptOf("hello"))).toBeGreaterThan(0);
  });

  it("asks Bedrock as the environment has it", async () => {
    await using server = await bedrockServer({ status: 403, body: {} });
    const env = {
      ...{ AWS_DEFAULT_REGION: "eu-central-1", AWS_ENDPOINT_URL_BEDROCK_RUNTIME: `${server.url}/` },
      ...{ AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "aws-secret-key" },
    };
    const spec = "{ provider: bedrock, model: global.anthropic.claude-sonnet-5-v1:0 }";
    const model = await modelFor(spec, env);
    expect(await failureOf(chunksOf(model, promptOf("hello")))).toMatchObject({ code: "MODEL_AUTH" });
    expect(server.requests[0]?.headers.authorization).toContain("AKIAEXAMPLE/");
    expect([...loaded(spec).agents.keys()]).toEqual(["assistant"]);
    const half = load({ "agents/a.yaml": agent(spec) }, { env: { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE" } });
    expect(problemsOf(half)).toEqual([
      expect.stringContaining("expected AWS_SECRET_ACCESS_KEY, because AWS_ACCESS_KEY_ID is set"),
    ]);
  });

  it("leaves out a fallback whose key is not set, and says so", () => {
    const model =
      "{ provider: anthropic, model: claude-sonnet-5, fallback: [{ provider: openai, model: gpt-5 }] }";
    const note = "the fallback gpt-5 of the agent assistant is left out: OPENAI_API_KEY is not set";
    expect(loaded(model, { ANTHROPIC_API_KEY: "sk-ant" }).notes).toContain(note);
    expect(loaded(model, { ANTHROPIC_API_KEY: "sk-ant", OPENAI_API_KEY: "sk" }).notes).not.toContain(note);
  });

  it("a key of an agent is told to nobody who prints the configuration", () => {
    const { agents } = loaded("{ provider: openai, model: gpt-5, api_key: sk-own-secret }");
    expect(JSON.stringify([...agents])).not.toContain("sk-own-secret");
  });

  it("asks a remote agent where its file says, signed with its secret, which is told to nobody", async () => {
    await using server = await sseServer({ events: [{ type: "text", text: "Hi." }, { type: "end" }] });
    const secret = `whsec_${Buffer.alloc(24, 3).toString("base64")}`;
    const spec = `{ provider: http, url: "${server.url}/agent", secret: "\${AGENT_SECRET}" }`;
    const model = await modelFor(spec, { AGENT_SECRET: secret });
    expect([model.provider, model.name]).toEqual(["http", server.url.replace("http://", "")]);
    const about = { runId: "run_1", agent: "assistant", event: eventOf("hello") };
    const budget = { cents: 5, seconds: 1 };
    const chunks = await chunksOf(model, promptOf("hello", { about: { ...about, budget } }));
    expect(textOf(chunks)).toBe("Hi.");
    expect(server.requests[0]?.headers).toMatchObject({
      "webhook-id": expect.stringMatching(/^msg_[\w-]{32}$/),
      "webhook-signature": expect.stringMatching(/^v1,/),
    });
    expect(JSON.stringify([...loaded(spec, { AGENT_SECRET: secret }).agents])).not.toContain(secret);
  });

  it.each([
    ["{ provider: http }", "spec.model.url: expected url with provider: http, got none"],
    ["{ provider: http, url: 'http://x' }", "expected secret with provider: http, got none"],
    [
      "{ provider: http, url: 'ftp://x', secret: short }",
      "spec.model.secret: expected whsec_ and at least 16 bytes in base64",
    ],
    ["{ provider: demo, url: 'http://x' }", "expected url with provider: http alone, got it with demo"],
    [
      "{ provider: http, url: 'http://x', secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, price: free }",
      "expected no price with provider: http, got one",
    ],
    [
      "{ provider: http, url: 'http://x', secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, fallback: [{ provider: demo }] }",
      "expected no fallback with provider: http",
    ],
    [
      "{ provider: http, url: 'http://x', secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw }, tools: [{ name: t, type: builtin, builtin: time }]",
      "spec.tools: expected no tools with provider: http",
    ],
  ])("refuses a remote agent that is not whole: %s", (spec, problem) => {
    const result = load({ "agents/a.yaml": agent(spec) });
    expect(problemsOf(result).join("\n")).toContain(problem);
  });

  it.each([
    ["{ provider: openai }", "spec.model.model: expected text"],
    [
      "{ provider: openai, model: x, base_url: ftp://x }",
      "spec.model.base_url: expected an http:// or https:// address",
    ],
    ["{ provider: openai, model: x, api: completions }", "spec.model.api"],
    [
      "{ provider: anthropic, model: x, base_url: http://x }",
      "spec.model.base_url: expected base_url with provider: openai alone, got it with anthropic; set ANTHROPIC_BASE_URL",
    ],
    [
      "{ provider: openai, model: x, price: cheap }",
      "spec.model.price: expected input_per_million and output_per_million",
    ],
  ])("refuses %s", (model, problem) => {
    const result = load({ "agents/a.yaml": agent(model) });
    expect(problemsOf(result).join("\n")).toContain(problem);
  });
});
