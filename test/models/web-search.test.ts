import { describe, expect, it } from "vitest";
import { createAnthropicModel } from "../../src/models/anthropic.ts";
import { Citations, type WebSearch } from "../../src/models/web-search.ts";
import { Secret } from "../../src/shared/secret.ts";
import { systemClock } from "../../src/system/clock.ts";
import { agentOf, benchFor } from "../agent/support.ts";
import { load, problemsOf } from "../config/helpers.ts";
import {
  block,
  messageEnd,
  messageStart,
  type Script,
  sseServer,
  textBlock,
  toolBlock,
} from "./sse-server.ts";
import { chunksOf, promptOf, textOf } from "./support.ts";

const price = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75, tiers: [] };
const SEARCH: WebSearch = { usesMax: 3, dollarsPerThousand: 10, allowedDomains: ["example.com"] };

function modelAt(baseUrl: string, webSearch?: WebSearch) {
  return createAnthropicModel({
    ...{ apiKey: new Secret("sk-ant-secret"), baseUrl, model: "claude-sonnet-5", maxTokens: 4096 },
    ...{ timeoutMs: 60_000, price, clock: systemClock },
    ...(webSearch && { webSearch }),
  });
}

const USE = { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} };
const FOUND = {
  type: "web_search_tool_result",
  tool_use_id: "srvtoolu_1",
  content: [
    {
      type: "web_search_result",
      url: "https://docs.example.com/a",
      title: "A",
      encrypted_content: "x".repeat(100_000),
    },
  ],
};
const cites = (url: string) => ({
  type: "citations_delta",
  citation: {
    ...{ type: "web_search_result_location", url, title: "[evil](https://evil.example)" },
    ...{ encrypted_index: "abc", cited_text: "so" },
  },
});
const searching = [
  ...textBlock(0, "I look."),
  ...block(1, USE, { type: "input_json_delta", partial_json: '{"query":"weather"}' }),
];
const SEARCHED: Script = {
  events: [
    messageStart({ input_tokens: 10 }),
    ...searching,
    ...block(2, FOUND),
    ...textBlock(3, ""),
    ...block(
      4,
      { type: "text", text: "", citations: [] },
      { type: "text_delta", text: "It rains." },
      cites("https://docs.example.com/a_(b)"),
      cites("https://docs.example.com/a_(b)"),
    ),
    ...textBlock(5, " Good night."),
    ...messageEnd("end_turn", {
      ...{ input_tokens: 6_000, output_tokens: 200 },
      server_tool_use: { web_search_requests: 2, web_fetch_requests: 0 },
    }),
  ],
};

describe("Claude's search of the web", () => {
  it("is asked for as configured, and never for a summary", async () => {
    await using server = await sseServer({ events: [messageStart(), ...messageEnd("end_turn")] });
    const model = modelAt(server.url, {
      ...SEARCH,
      allowedDomains: undefined,
      blockedDomains: ["evil.example"],
    });
    await chunksOf(model, promptOf("weather?"));
    await chunksOf(model, promptOf("weather?", { isForSummary: true }));
    await chunksOf(modelAt(server.url), promptOf("weather?"));
    const tool = {
      type: "web_search_20250305",
      name: "web_search",
      max_uses: 3,
      blocked_domains: ["evil.example"],
    };
    expect(server.requests.map(({ body }) => body.tools)).toEqual([[tool], undefined, undefined]);
  });

  it("is paid for, and shows by their hosts where what it says was found", async () => {
    await using server = await sseServer(SEARCHED);
    const model = modelAt(server.url, SEARCH);
    const prompt = promptOf("weather?");
    const chunks = await chunksOf(model, prompt);
    expect(textOf(chunks)).toBe(
      "I look.It rains. ([docs.example.com](https://docs.example.com/a_%28b%29)) Good night.",
    );
    const end = chunks.at(-1);
    const { usage } = end?.kind === "end" ? end : expect.fail("Expected an end");
    expect(usage.costCents).toBeCloseTo((6_000 * 3 + 200 * 15) / 10_000 + 2);
    expect(model.costCeilingCents(prompt)).toBeGreaterThan(usage.costCents + 1);
  });

  it("goes back with the next step as it was found, without blocks that say nothing", async () => {
    await using server = await sseServer(SEARCHED);
    const model = modelAt(server.url, SEARCH);
    const end = (await chunksOf(model, promptOf("weather?"))).at(-1);
    const opaque = end?.kind === "end" ? end.opaque : undefined;
    const messages = [
      { role: "user" as const, text: "weather?" },
      { role: "assistant" as const, text: "It rains.", toolCalls: [], opaque: opaque ?? "" },
      { role: "user" as const, text: "And tomorrow?" },
    ];
    await chunksOf(model, promptOf("", { messages }));
    const sent = server.requests[1]?.body.messages as
      | { content: { type: string; text?: string }[] }[]
      | undefined;
    const content = sent?.[1]?.content;
    expect(content?.map(({ type }) => type)).toEqual([
      ...["text", "server_tool_use", "web_search_tool_result", "text", "text"],
    ]);
    expect(content?.[1]).toMatchObject({ input: { query: "weather" } });
    expect(content?.[2]).toEqual(FOUND);
    expect(content?.[3]).toMatchObject({ text: "It rains.", citations: [{ encrypted_index: "abc" }, {}] });
    // What is sealed is long in bytes and short in tokens.
    const [before, with_] = [promptOf("weather?"), promptOf("", { messages })].map((prompt) =>
      modelAt(server.url).costCeilingCents(prompt),
    );
    expect(with_).toBeGreaterThan(before ?? 0);
    expect(with_).toBeLessThan((before ?? 0) + 10);
  });

  it("is gone on with by the same words when the provider has paused it", async () => {
    const paused = { events: [messageStart(), ...searching, ...messageEnd("pause_turn")] };
    await using server = await sseServer(paused, SEARCHED);
    const agent = agentOf(modelAt(server.url, SEARCH), { limits: { tokensMax: 100_000 } });
    expect(await benchFor(agent).begin()).toMatchObject({ outcome: "answered", modelCalls: 2 });
    const messages = server.requests[1]?.body.messages as { role: string; content: object[] }[];
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
    expect(messages[1]?.content).toEqual([
      { type: "text", text: "I look." },
      { ...USE, input: { query: "weather" } },
    ]);
  });

  it("goes on beside tools of the agent", async () => {
    const both = {
      events: [
        messageStart(),
        ...searching,
        ...block(2, FOUND),
        ...toolBlock(3, "t", "{}"),
        ...messageEnd("tool_use"),
      ],
    };
    await using server = await sseServer(both);
    const chunks = await chunksOf(modelAt(server.url, SEARCH), promptOf("weather?"));
    expect(chunks.filter(({ kind }) => kind === "tool-call")).toMatchObject([{ call: { name: "t" } }]);
  });

  it("costs no run more than what it may: a call that might is not made", async () => {
    await using server = await sseServer(SEARCHED);
    const limits = { tokensMax: 100_000, costCentsMax: 20 };
    const run = benchFor(agentOf(modelAt(server.url, SEARCH), { limits })).begin();
    expect(await run).toMatchObject({ outcome: "out-of-money", modelCalls: 0 });
    expect(server.requests).toEqual([]);
  });
});

describe("links to what was found", () => {
  it.each([
    ["javascript:alert(1)", ""],
    ["https://user:pass@evil.example/", ""],
    ["not an address", ""],
    [
      "https://a.example/x) [b](https://evil.example",
      " ([a.example](https://a.example/x%29%20[b]%28https://evil.example))",
    ],
    ["https://a.example/<>\\", " ([a.example](https://a.example/%3C%3E/))"],
  ])("of %s are %j", (url, text) => {
    const citations = new Citations();
    citations.add({ type: "web_search_result_location", url });
    citations.add({ type: "char_location" });
    expect(citations.taken()).toBe(text);
    expect(citations.taken()).toBe("");
  });
});

describe("server tools in the file of an agent", () => {
  const problems = (model: string, more = "") => {
    const file = `metadata: { name: assistant }\nspec: { model: ${model}${more} }\n`;
    const result = load({ "agents/a.yaml": file }, { env: { ANTHROPIC_API_KEY: "sk-ant" } });
    return result.ok ? [] : problemsOf(result);
  };
  const claude = (tools: string) => `{ provider: anthropic, model: claude-sonnet-5, server_tools: ${tools} }`;

  it.each([
    "{}",
    "{ web_search: {} }",
    "{ web_search: { max_uses: 1, allowed_domains: [docs.example.com/guide] } }",
  ])("may be %s", (tools) => {
    expect(problems(claude(tools))).toEqual([]);
  });

  it.each([
    ["{ web_search: { blocked_domains: [a.com], allowed_domains: [b.com] } }", "got both"],
    ["{ web_search: { allowed_domains: ['https://a.com'] } }", "without scheme and port"],
    ["{ web_search: { max_uses: 0 } }", "max_uses"],
    ["{ web_serch: {} }", "web_search"],
  ])("may not be %s", (tools, words) => {
    expect(problems(claude(tools)).join("\n")).toContain(words);
  });

  it("are Anthropic's alone, and their names are theirs", () => {
    expect(problems("{ provider: openai, model: gpt-5, server_tools: { web_search: {} } }").join()).toContain(
      "expected server_tools with provider: anthropic alone",
    );
    const tools = ", tools: [{ name: web_search, type: builtin, builtin: time }]";
    expect(problems(claude("{ web_search: {} }"), tools).join()).toContain("expected another name");
    expect(problems(claude("{}"), tools)).toEqual([]);
  });
});
