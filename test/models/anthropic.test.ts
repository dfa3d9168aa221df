import { LLMock } from "@copilotkit/aimock";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type AnthropicOptions, createAnthropicModel } from "../../src/models/anthropic.ts";
import { Secret } from "../../src/shared/secret.ts";
import { systemClock } from "../../src/system/clock.ts";
import {
  block,
  messageEnd,
  messageStart,
  type Script,
  sseServer,
  textBlock,
  toolBlock,
} from "./sse-server.ts";
import { chunksOf, failureOf, promptOf, StillClock, textOf } from "./support.ts";

const price = { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5, tiers: [] };

function modelAt(baseUrl: string, more: Partial<AnthropicOptions> = {}) {
  return createAnthropicModel({
    apiKey: new Secret("sk-ant-secret"),
    baseUrl,
    model: "claude-sonnet-5",
    maxTokens: 4096,
    timeoutMs: 60_000,
    price,
    clock: systemClock,
    ...more,
  });
}

describe("the Anthropic model against a fake of the provider", () => {
  const mock = new LLMock({ port: 0 });
  beforeAll(async () => {
    await mock.start();
  });
  afterAll(async () => {
    await mock.stop();
  });
  beforeEach(() => {
    mock.reset();
  });

  it("streams an answer and counts what it used", async () => {
    mock.onMessage("hello", {
      content: "Hi, how can I help?",
      usage: { input_tokens: 12, output_tokens: 7 },
    });
    const chunks = await chunksOf(modelAt(mock.url), promptOf("hello", { system: "Be brief." }));
    expect(textOf(chunks)).toBe("Hi, how can I help?");
    expect(chunks.at(-1)).toEqual({
      kind: "end",
      stop: "end",
      usage: {
        inputTokens: 12,
        outputTokens: 7,
        cacheReadTokens: 0,
        cacheWriteTokens: 0,
        costCents: (12 * 2 + 7 * 10) / 10_000,
      },
    });
  });

  it("hands over a tool call, and its result back", async () => {
    mock.on(
      { userMessage: "pods", hasToolResult: false },
      { toolCalls: [{ id: "toolu_7", name: "get_pods", arguments: '{"ns":"web"}' }] },
    );
    mock.on({ toolCallId: "toolu_7" }, { content: "There are two." });
    const model = modelAt(mock.url);
    const tools = [{ name: "get_pods", description: "Lists pods.", inputSchema: { properties: {} } }];

    const asked = await chunksOf(model, promptOf("pods", { tools }));
    const call = { id: "toolu_7", name: "get_pods", input: { ns: "web" } };
    expect(asked).toMatchObject([
      { kind: "tool-call", call },
      { kind: "end", stop: "tools" },
    ]);

    const answered = await chunksOf(
      model,
      promptOf("", {
        tools,
        messages: [
          { role: "user", text: "pods" },
          { role: "assistant", text: "", toolCalls: [call] },
          { role: "tool", callId: "toolu_7", result: "a, b", isError: false },
        ],
      }),
    );
    expect(textOf(answered)).toBe("There are two.");
  });

  it.each([
    [429, { type: "rate_limit_error" }, 7, "MODEL_RATE_LIMITED", true, 7000],
    [529, { type: "overloaded_error" }, undefined, "MODEL_OVERLOADED", true, null],
    [500, { type: "api_error" }, undefined, "MODEL_OVERLOADED", true, null],
    [503, { type: "api_error" }, undefined, "MODEL_OVERLOADED", true, null],
    [401, { type: "authentication_error" }, undefined, "MODEL_AUTH", false, null],
    [403, { type: "permission_error" }, undefined, "MODEL_AUTH", false, null],
    [402, { type: "billing_error" }, undefined, "MODEL_BILLING", false, null],
    [400, { type: "invalid_request_error" }, undefined, "MODEL_REQUEST_REJECTED", false, null],
    [404, { type: "not_found_error" }, undefined, "MODEL_NOT_FOUND", false, null],
    [413, { type: "request_too_large" }, undefined, "MODEL_REQUEST_REJECTED", false, null],
    [422, { type: "invalid_request_error" }, undefined, "MODEL_REQUEST_REJECTED", false, null],
  ])(
    "takes a %i for what it is, and asks once only",
    async (status, error, retryAfter, code, retryable, waitMs) => {
      const message = "the words of the prompt, and sk-ant-secret";
      mock.onMessage("hello", { error: { ...error, message }, status, ...(retryAfter && { retryAfter }) });
      const failure = await failureOf(chunksOf(modelAt(mock.url), promptOf("hello")));
      expect(failure).toMatchObject({ name: "ModelError", code, retryable, retryAfterMs: waitMs });
      expect(String(failure)).toContain(String(status));
      expect(String(failure)).not.toContain("words");
      expect(String(failure)).not.toContain("sk-ant");
      expect(mock.getRequests()).toHaveLength(1);
    },
  );

  it("knows a stream that was cut in the middle", async () => {
    mock.onMessage(
      "hello",
      { content: "a long answer ".repeat(20) },
      { truncateAfterChunks: 4, chunkSize: 5, latency: 25 },
    );
    const failure = await failureOf(chunksOf(modelAt(mock.url), promptOf("hello")));
    expect(failure).toMatchObject({ code: "MODEL_STREAM_CUT", retryable: true });
  });
});

describe("the Anthropic model, event by event", () => {
  async function ask(script: Script, prompt = promptOf("hello"), more: Partial<AnthropicOptions> = {}) {
    await using server = await sseServer(script);
    const chunks = await chunksOf(modelAt(server.url, more), prompt);
    return { chunks, request: server.requests[0] };
  }

  async function refused(script: Script): Promise<unknown> {
    await using server = await sseServer(script);
    const failure = await failureOf(chunksOf(modelAt(server.url), promptOf("hello")));
    expect(server.requests).toHaveLength(1);
    return failure;
  }

  it("counts cached input as input, at its own price", async () => {
    const { chunks } = await ask({
      events: [
        messageStart({ input_tokens: 100, cache_creation_input_tokens: 20, cache_read_input_tokens: 1000 }),
        ...textBlock(0, "ok"),
        ...messageEnd("end_turn", { output_tokens: 50 }),
      ],
    });
    expect(chunks.at(-1)).toMatchObject({
      usage: {
        inputTokens: 1120,
        outputTokens: 50,
        cacheReadTokens: 1000,
        cacheWriteTokens: 20,
        costCents: (100 * 2 + 1000 * 0.2 + 20 * 2.5 + 50 * 10) / 10_000,
      },
    });
  });

  it("counts what is kept for an hour at twice the price of input", async () => {
    const { chunks } = await ask({
      events: [
        messageStart({
          ...{ input_tokens: 100, cache_creation_input_tokens: 30, cache_read_input_tokens: 0 },
          cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
        }),
        ...textBlock(0, "ok"),
        ...messageEnd("end_turn", { output_tokens: 50 }),
      ],
    });
    expect(chunks.at(-1)).toMatchObject({
      usage: { cacheWriteTokens: 30, costCents: (100 * 2 + 10 * 2.5 + 20 * 4 + 50 * 10) / 10_000 },
    });
  });

  it.each([
    ["end_turn", "end"],
    ["stop_sequence", "end"],
    ["tool_use", "tools"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["pause_turn", "pause"],
    ["refusal", "refusal"],
    ["a_reason_of_tomorrow", "end"],
  ])("takes the stop reason %s for %s", async (reason, stop) => {
    const { chunks } = await ask({
      events: [messageStart(), ...textBlock(0, "a", "b"), ...messageEnd(reason)],
    });
    expect(chunks).toMatchObject([{ text: "a" }, { text: "b" }, { kind: "end", stop }]);
  });

  it("drops the tool calls of an answer that was cut by its length", async () => {
    const { chunks } = await ask({
      events: [messageStart(), ...toolBlock(0, "rm", '{"path":"/ho'), ...messageEnd("max_tokens")],
    });
    expect(chunks).toMatchObject([{ kind: "end", stop: "length" }]);
  });

  it("puts the pieces of several tool inputs together", async () => {
    const { chunks } = await ask({
      events: [
        messageStart(),
        ...textBlock(0, "Let me look."),
        ...toolBlock(1, "a", '{"x":', '[1,{"y":"é"}]}'),
        ...toolBlock(2, "b"),
        ...messageEnd("tool_use"),
      ],
    });
    expect(chunks).toMatchObject([
      { text: "Let me look." },
      { call: { id: "toolu_1", name: "a", input: { x: [1, { y: "é" }] } } },
      { call: { id: "toolu_2", name: "b", input: {} } },
      { kind: "end", stop: "tools" },
    ]);
  });

  it("sends what the provider expects: names, results in one message, a cached system prompt and transcript, no sampling knobs", async () => {
    const { request } = await ask(
      { events: [messageStart(), ...messageEnd("end_turn")] },
      promptOf("", {
        system: "Be brief.",
        tools: [{ name: "t", description: "d", inputSchema: { type: "object", properties: {} } }],
        messages: [
          { role: "user", text: "hi \uD800", name: "Ann" },
          { role: "assistant", text: "  ", toolCalls: [] },
          { role: "user", text: " " },
          {
            role: "assistant",
            text: "Looking.",
            toolCalls: [
              { id: "1", name: "t", input: {} },
              { id: "2", name: "t", input: { a: 1 } },
            ],
          },
          { role: "tool", callId: "1", result: "one", isError: false },
          { role: "tool", callId: "2", result: "two", isError: true },
        ],
      }),
    );
    expect(request?.body).toEqual({
      model: "claude-sonnet-5",
      max_tokens: 1000,
      stream: true,
      system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }],
      tools: [{ name: "t", description: "d", input_schema: { type: "object", properties: {} } }],
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "Ann: hi \uFFFD" },
            { type: "text", text: "(no text)" },
          ],
        },
        {
          role: "assistant",
          content: [
            { type: "text", text: "Looking." },
            { type: "tool_use", id: "1", name: "t", input: {} },
            { type: "tool_use", id: "2", name: "t", input: { a: 1 } },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "1", content: "one", is_error: false },
            {
              ...{ type: "tool_result", tool_use_id: "2", content: "two", is_error: true },
              cache_control: { type: "ephemeral" },
            },
          ],
        },
      ],
    });
    expect(JSON.stringify(request?.headers)).toContain("sk-ant-secret");
  });

  it("gives signed reasoning back as it came, to the model that it came from", async () => {
    const signed = [
      ...block(
        0,
        { type: "thinking", thinking: "", signature: "" },
        { type: "thinking_delta", thinking: "hm" },
        { type: "signature_delta", signature: "sig" },
      ),
      ...toolBlock(1, "t", '{"a":1}'),
    ];
    const { chunks } = await ask({ events: [messageStart(), ...signed, ...messageEnd("tool_use")] });
    const end = chunks.at(-1);
    const opaque = end?.kind === "end" ? end.opaque : undefined;
    expect(opaque).toBeTypeOf("string");
    const messages = [
      { role: "user" as const, text: "hi" },
      {
        role: "assistant" as const,
        text: "",
        toolCalls: [{ id: "toolu_1", name: "t", input: { a: 1 } }],
        opaque: opaque ?? "",
      },
      { role: "tool" as const, callId: "toolu_1", result: "r", isError: false },
    ];
    const plain = { events: [messageStart(), ...messageEnd("end_turn")] };
    const use = { type: "tool_use", id: "toolu_1", name: "t", input: { a: 1 } };

    const same = await ask(plain, promptOf("", { messages }));
    expect(same.request?.body).toMatchObject({
      messages: [{}, { content: [{ type: "thinking", thinking: "hm", signature: "sig" }, use] }, {}],
    });
    // A call that was dropped, because there were too many, has no result, which the provider demands for each.
    const dropped = messages.map((message) =>
      message.role === "assistant" ? { ...message, toolCalls: [] } : { role: "user" as const, text: "go on" },
    );
    const fewer = await ask(plain, promptOf("", { messages: dropped }));
    expect(fewer.request?.body).toMatchObject({
      messages: [{}, { content: [{ type: "thinking", thinking: "hm", signature: "sig" }] }, {}],
    });
    const other = await ask(plain, promptOf("", { messages }), { model: "claude-opus-5" });
    expect(other.request?.body).toMatchObject({ messages: [{}, { content: [use] }, {}] });
  });

  it.each([
    ["a connection cut", { ending: "cut" as const }],
    ["an end without a last event", { ending: "close" as const }],
  ])("takes %s after the first words as a cut stream", async (_name, more) => {
    const events = [messageStart(), ...textBlock(0, "half an")];
    expect(await refused({ events, ...more })).toMatchObject({ code: "MODEL_STREAM_CUT", retryable: true });
  });

  it("takes an overload in the middle of a stream as a cut, since it may be charged", async () => {
    const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    const failure = await refused({ events: [messageStart(), ...textBlock(0, "half"), error] });
    expect(failure).toMatchObject({ code: "MODEL_STREAM_CUT", retryable: true });
    expect(String(failure)).toContain("overloaded_error");
  });

  it.each([
    [429, { error: { type: "rate_limit_error", details: { error_code: "enforced_spend_limit_reached" } } }],
    [400, { error: { type: "invalid_request_error", message: "Your credit balance is too low" } }],
  ])("knows a %i that is about money", async (status, body) => {
    expect(await refused({ status, body })).toMatchObject({ code: "MODEL_BILLING", retryable: false });
  });

  it.each([301, 302, 303, 307, 308])("follows no redirect (%i), and says that it was one", async (status) => {
    await using elsewhere = await sseServer({});
    const failure = await refused({ status, headers: { location: `${elsewhere.url}/v1/messages` } });
    expect(failure).toMatchObject({
      code: "MODEL_UNREACHABLE",
      message: `Anthropic: redirected (${status}), which is not followed; look at ANTHROPIC_BASE_URL`,
      retryable: true,
    });
    expect(elsewhere.requests).toHaveLength(0);
  });

  it("knows that nobody listens", async () => {
    const server = await sseServer({});
    await server[Symbol.asyncDispose]();
    const failure = await failureOf(chunksOf(modelAt(server.url), promptOf("hello")));
    expect(failure).toMatchObject({ code: "MODEL_UNREACHABLE", retryable: true });
    expect(String(failure)).toContain("ECONNREFUSED");
  });

  it("ends the call with the reason of the abort, and leaves the connection", async () => {
    await using server = await sseServer({
      events: [messageStart(), ...textBlock(0, "and")],
      ending: "hang",
    });
    const abort = new AbortController();
    const chunks = modelAt(server.url).generate(promptOf("hello"), abort.signal)[Symbol.asyncIterator]();
    expect(await chunks.next()).toMatchObject({ value: { text: "and" } });
    const rest = failureOf(chunks.next());
    abort.abort("enough");
    expect(await rest).toBe("enough");
    await server.gone(1);
  });

  it("leaves the connection when nobody wants the rest", async () => {
    await using server = await sseServer({
      events: [messageStart(), ...textBlock(0, "and")],
      ending: "hang",
    });
    for await (const chunk of modelAt(server.url).generate(promptOf("hello"), new AbortController().signal)) {
      expect(chunk).toMatchObject({ text: "and" });
      break;
    }
    await server.gone(1);
  });

  it("tells that the provider is at work by its first event, long before there is a chunk", async () => {
    await using server = await sseServer({ events: [messageStart()], ending: "hang" });
    const abort = new AbortController();
    const heard = Promise.withResolvers<void>();
    const model = modelAt(server.url);
    const chunks = model.generate(promptOf("hello"), abort.signal, heard.resolve)[Symbol.asyncIterator]();
    const first = failureOf(chunks.next());
    await heard.promise;
    abort.abort("enough");
    expect(await first).toBe("enough");
  });

  it("tells of nothing where there is a status and no event", async () => {
    await using server = await sseServer({ events: [], ending: "cut" });
    let heard = 0;
    const model = modelAt(server.url);
    const chunks = model.generate(promptOf("hello"), new AbortController().signal, () => heard++);
    await failureOf(chunks[Symbol.asyncIterator]().next());
    expect([heard, server.requests.length]).toEqual([0, 1]);
  });

  it("gives up after its time when no answer comes", async () => {
    await using server = await sseServer({ ending: "silent" });
    const clock = new StillClock();
    const failure = failureOf(chunksOf(modelAt(server.url, { clock, timeoutMs: 5000 }), promptOf("hello")));
    await clock.asleep();
    clock.wake();
    expect(await failure).toMatchObject({ code: "MODEL_UNREACHABLE", retryable: true });
  });

  it("gives up after its time when the answer never ends", async () => {
    await using server = await sseServer({
      events: [messageStart(), ...textBlock(0, "and")],
      ending: "hang",
    });
    const clock = new StillClock();
    const model = modelAt(server.url, { clock, timeoutMs: 5000 });
    const chunks = model.generate(promptOf("hello"), new AbortController().signal)[Symbol.asyncIterator]();
    await chunks.next();
    const failure = failureOf(chunks.next());
    clock.wake();
    expect(await failure).toMatchObject({ code: "MODEL_STREAM_CUT", retryable: true });
    await server.gone(1);
  });

  it("knows a ceiling of the cost that no answer within its limits can pass", () => {
    const model = modelAt("http://127.0.0.1:9");
    const text = "é".repeat(1000);
    const ceiling = model.costCeilingCents(promptOf(text, { maxTokens: 500 }));
    expect(ceiling).toBeGreaterThan((2000 * 2.5 + 500 * 10) / 10_000);
    expect(ceiling).toBeLessThan((5000 * 2.5 + 500 * 10) / 10_000);
    expect(model.costCeilingCents(promptOf(text, { maxTokens: 1e9 }))).toBeLessThan(
      (5000 * 2.5 + 4096 * 10) / 10_000,
    );
  });

  it("shows images before the words that they came with", async () => {
    await using server = await sseServer({
      events: [
        messageStart({ input_tokens: 10 }),
        ...textBlock(0, "A pump."),
        ...messageEnd("end_turn", { output_tokens: 5 }),
      ],
    });
    const picture = {
      kind: "image",
      mime: "image/png",
      bytes: 3,
      tokensMax: 5_000,
      base64: () => "AAEC",
    } as const;
    const messages = [
      { role: "user", text: "[image]", name: "Ann", pictures: [picture] },
      { role: "user", text: "what is it?" },
    ] as const;
    await chunksOf(modelAt(server.url), promptOf("", { messages }));
    expect(server.requests[0]?.body).toMatchObject({
      messages: [
        {
          role: "user",
          content: [
            { type: "image", source: { type: "base64", media_type: "image/png", data: "AAEC" } },
            { type: "text", text: "Ann: [image]" },
            { type: "text", text: "what is it?" },
          ],
        },
      ],
    });
  });

  it("shows the pictures of a tool within its result", async () => {
    await using server = await sseServer({
      events: [
        messageStart({ input_tokens: 10 }),
        ...textBlock(0, "A pump."),
        ...messageEnd("end_turn", { output_tokens: 5 }),
      ],
    });
    const picture = {
      kind: "image",
      mime: "image/png",
      bytes: 3,
      tokensMax: 5_000,
      base64: () => "AAEC",
    } as const;
    const messages = [
      { role: "user", text: "look" },
      { role: "assistant", text: "", toolCalls: [{ id: "t1", name: "look", input: {} }] },
      { role: "tool", callId: "t1", result: "[image]", isError: false, pictures: [picture] },
    ] as const;
    await chunksOf(modelAt(server.url), promptOf("", { messages }));
    expect(server.requests[0]?.body).toMatchObject({
      messages: [
        { role: "user" },
        { role: "assistant" },
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: "t1",
              content: [
                { type: "text", text: "[image]" },
                { type: "image", source: { type: "base64", media_type: "image/png", data: "AAEC" } },
              ],
            },
          ],
        },
      ],
    });
  });

  it("shows PDFs before images and words", async () => {
    await using server = await sseServer({
      events: [
        messageStart({ input_tokens: 10 }),
        ...textBlock(0, "A pump."),
        ...messageEnd("end_turn", { output_tokens: 5 }),
      ],
    });
    const pdf = { kind: "pdf", name: "pump.pdf", bytes: 3, pages: 2, base64: () => "JVBERi0=" } as const;
    const messages = [{ role: "user", text: "what is it?", pdfs: [pdf] }] as const;
    await chunksOf(modelAt(server.url), promptOf("", { messages }));
    expect(server.requests[0]?.body.messages).toEqual([
      {
        role: "user",
        content: [
          {
            type: "document",
            source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" },
            title: "pump.pdf",
          },
          { type: "text", text: "what is it?", cache_control: { type: "ephemeral" } },
        ],
      },
    ]);
  });

  it("counts for a PDF what its pages may cost at most, and not its bytes", () => {
    const model = modelAt("http://127.0.0.1:9");
    const base64 = () => {
      throw new Error("Nobody needs it for that");
    };
    const pdf = { kind: "pdf", name: "pump.pdf", bytes: 3_000_000, pages: 12, base64 } as const;
    const words = promptOf("hello", { maxTokens: 500 });
    const messages = [{ role: "user", text: "hello", pdfs: [pdf] }] as const;
    const more =
      model.costCeilingCents({ ...words, messages }) -
      model.costCeilingCents({ ...words, messages: [{ role: "user", text: "hello" }] });
    expect(more).toBeCloseTo((12 * 8_000 * 2.5) / 10_000, 6);
  });

  it("counts for an image what it may cost at most, and not its bytes", () => {
    const model = modelAt("http://127.0.0.1:9");
    const base64 = () => {
      throw new Error("Nobody needs it for that");
    };
    const picture = { kind: "image", mime: "image/png", bytes: 3_000_000, tokensMax: 5_000, base64 } as const;
    const words = promptOf("hello", { maxTokens: 500 });
    const messages = [{ role: "user", text: "hello", pictures: [picture] }] as const;
    const more =
      model.costCeilingCents({ ...words, messages }) -
      model.costCeilingCents({ ...words, messages: [{ role: "user", text: "hello" }] });
    expect(more).toBeCloseTo((5_000 * 2.5) / 10_000, 6);
  });
});
