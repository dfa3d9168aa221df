import { describe, expect, it } from "vitest";
import { createBedrockModel } from "../../src/models/bedrock.ts";
import type { BedrockAccess } from "../../src/shared/bedrock-access.ts";
import { Secret } from "../../src/shared/secret.ts";
import { systemClock } from "../../src/system/clock.ts";
import { type BedrockScript, bedrockServer } from "./bedrock-server.ts";
import { messageEnd, messageStart, textBlock, toolBlock } from "./sse-server.ts";
import { chunksOf, failureOf, promptOf, textOf } from "./support.ts";

const price = { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5, tiers: [] };
const MODEL = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0";
const KEYS = {
  accessKeyId: new Secret("AKIAEXAMPLE"),
  secretAccessKey: new Secret("aws-secret-key"),
  sessionToken: new Secret("aws-session-token"),
};

async function modelFor(script: BedrockScript, access: Partial<BedrockAccess> = {}) {
  const server = await bedrockServer(script);
  const model = createBedrockModel({
    access: { region: "eu-central-1", baseUrl: server.url, apiKey: null, keys: KEYS, ...access },
    ...{ model: MODEL, maxTokens: 4096, timeoutMs: 60_000, price, clock: systemClock },
  });
  return { server, model, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const ANSWER = [
  messageStart({ input_tokens: 12 }),
  ...textBlock(0, "Hi, ", "there."),
  ...messageEnd("end_turn", { output_tokens: 7 }),
];

describe("Claude on Amazon Bedrock", () => {
  it("streams an answer, and counts what it used", async () => {
    await using there = await modelFor({ events: ANSWER });
    const chunks = await chunksOf(there.model, promptOf("hello", { system: "Be brief." }));
    expect(textOf(chunks)).toBe("Hi, there.");
    expect(chunks.at(-1)).toMatchObject({
      kind: "end",
      stop: "end",
      usage: { inputTokens: 12, outputTokens: 7, costCents: (12 * 2 + 7 * 10) / 10_000 },
    });
    const [request] = there.server.requests;
    expect(request?.path).toBe(`/model/${MODEL}/invoke-with-response-stream`);
    expect(request?.body).toMatchObject({
      anthropic_version: expect.any(String),
      messages: [{ role: "user", content: [{ type: "text", text: "hello" }] }],
    });
    expect(request?.body).not.toHaveProperty("model");
  });

  it("is asked as whoever the keys of AWS are of, for its region", async () => {
    await using there = await modelFor({ events: ANSWER });
    await chunksOf(there.model, promptOf("hello"));
    const headers = there.server.requests[0]?.headers;
    expect(headers?.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE\/\d{8}\/eu-central-1\/bedrock\/aws4_request, /,
    );
    expect(headers?.["x-amz-security-token"]).toBe("aws-session-token");
    expect(JSON.stringify(headers)).not.toContain("aws-secret-key");
  });

  it("is asked with a key of its own where there is one", async () => {
    await using there = await modelFor({ events: ANSWER }, { apiKey: new Secret("bedrock-key") });
    await chunksOf(there.model, promptOf("hello"));
    expect(there.server.requests[0]?.headers.authorization).toBe("Bearer bedrock-key");
  });

  it("hands over tool calls", async () => {
    await using there = await modelFor({
      events: [messageStart(), ...toolBlock(0, "get_pods", '{"ns":', '"web"}'), ...messageEnd("tool_use")],
    });
    const tools = [{ name: "get_pods", description: "Lists pods.", inputSchema: { properties: {} } }];
    expect(await chunksOf(there.model, promptOf("pods", { tools }))).toMatchObject([
      { kind: "tool-call", call: { id: "toolu_0", name: "get_pods", input: { ns: "web" } } },
      { kind: "end", stop: "tools" },
    ]);
  });

  it.each([
    [403, "AccessDeniedException", "MODEL_AUTH", false],
    [404, "ResourceNotFoundException", "MODEL_NOT_FOUND", false],
    [429, "ThrottlingException", "MODEL_RATE_LIMITED", true],
    [503, "ServiceUnavailableException", "MODEL_OVERLOADED", true],
    [400, "ValidationException", "MODEL_REQUEST_REJECTED", false],
  ])("tells %i %s apart", async (status, type, code, retryable) => {
    await using there = await modelFor({ status, body: { message: `${type}: it quotes the prompt` } });
    const failure = await failureOf(chunksOf(there.model, promptOf("hello")));
    expect(failure).toMatchObject({ code, retryable });
    expect(String(failure)).not.toContain("quotes");
    expect(there.server.requests).toHaveLength(1);
  });

  it("tells of an answer that was cut", async () => {
    await using there = await modelFor({ events: ANSWER.slice(0, 3), isCut: true });
    await expect(chunksOf(there.model, promptOf("hello"))).rejects.toMatchObject({
      code: "MODEL_STREAM_CUT",
    });
  });
});
