import { LLMock } from "@copilotkit/aimock";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createOpenAiModel, type OpenAiOptions } from "../../src/models/openai.ts";
import { Secret } from "../../src/shared/secret.ts";
import { systemClock } from "../../src/system/clock.ts";
import { sseServer } from "./sse-server.ts";
import { chunksOf, failureOf, promptOf, StillClock, textOf } from "./support.ts";

const price = { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5, tiers: [] };

function modelAt(baseUrl: string, more: Partial<OpenAiOptions> = {}) {
  return createOpenAiModel({
    apiKey: new Secret("sk-openai-secret"),
    baseUrl,
    api: "responses",
    model: "gpt-5",
    maxTokens: 4096,
    timeoutMs: 60_000,
    price,
    clock: systemClock,
    ...more,
  });
}

const TOOLS = [{ name: "get_pods", description: "Lists pods.", inputSchema: { properties: {} } }];

describe.each(["responses", "chat"] as const)(
  "an OpenAI model by %s against a fake of the provider",
  (api) => {
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
    const model = () => modelAt(`${mock.url}/v1`, { api });

    it("streams an answer and counts what it used", async () => {
      mock.onMessage("hello", {
        content: "Hi, how can I help you with that today?",
        usage: { input_tokens: 12, output_tokens: 7 },
      });
      const chunks = await chunksOf(model(), promptOf("hello", { system: "Be brief." }));
      expect(textOf(chunks)).toBe("Hi, how can I help you with that today?");
      expect(chunks.filter(({ kind }) => kind === "text").length).toBeGreaterThan(1);
      expect(chunks.at(-1)).toMatchObject({
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

    it("sends a temperature where one is set, and none else", async () => {
      mock.onMessage("hello", { content: "Hi" });
      await chunksOf(model(), promptOf("hello"));
      expect(mock.getLastRequest()?.body?.temperature).toBeUndefined();
      await chunksOf(modelAt(`${mock.url}/v1`, { api, temperature: 0 }), promptOf("hello"));
      expect(mock.getLastRequest()?.body).toHaveProperty("temperature", 0);
    });

    it("hands over tool calls, several at once, and their results back", async () => {
      mock.on(
        { userMessage: "pods", hasToolResult: false },
        {
          toolCalls: [
            { id: "call_7", name: "get_pods", arguments: '{"ns":"web"}' },
            { id: "call_8", name: "get_pods", arguments: '{"ns":"db"}' },
          ],
        },
      );
      mock.on({ toolCallId: "call_8" }, { content: "There are two." });
      const calls = [
        { id: "call_7", name: "get_pods", input: { ns: "web" } },
        { id: "call_8", name: "get_pods", input: { ns: "db" } },
      ];
      const asked = await chunksOf(model(), promptOf("pods", { tools: TOOLS }));
      expect(asked.filter((chunk) => chunk.kind === "tool-call").map(({ call }) => call)).toEqual(calls);
      expect(asked.at(-1)).toMatchObject({ kind: "end", stop: "tools" });

      const prompt = promptOf("pods", { tools: TOOLS });
      const answered = await chunksOf(model(), {
        ...prompt,
        messages: [
          ...prompt.messages,
          { role: "assistant", text: "", toolCalls: calls },
          { role: "tool", callId: "call_7", result: "web-1", isError: false },
          { role: "tool", callId: "call_8", result: "db-1", isError: false },
        ],
      });
      expect(textOf(answered)).toBe("There are two.");
    });

    it.each([
      [401, "MODEL_AUTH", false],
      [404, "MODEL_NOT_FOUND", false],
      [429, "MODEL_RATE_LIMITED", true],
      [500, "MODEL_OVERLOADED", true],
      [503, "MODEL_OVERLOADED", true],
      [400, "MODEL_REQUEST_REJECTED", false],
      [302, "MODEL_UNREACHABLE", true],
    ])("maps the status %i to %s", async (status, code, retryable) => {
      const error = { message: "the words of the prompt", type: "some_error", code: null };
      await using server = await sseServer({
        status,
        body: { error },
        headers: { location: "http://127.0.0.1:1/" },
      });
      const failure = await failureOf(chunksOf(modelAt(server.url, { api }), promptOf("hello")));
      expect(failure).toMatchObject({ code, retryable });
      expect(String(failure)).not.toContain("words");
      expect(server.requests).toHaveLength(1);
    });

    it("knows an empty account from a limit of the rate", async () => {
      const error = {
        message: "You exceeded your current quota",
        type: "insufficient_quota",
        code: "insufficient_quota",
      };
      await using server = await sseServer({ status: 429, body: { error } });
      expect(await failureOf(chunksOf(modelAt(server.url, { api }), promptOf("hello")))).toMatchObject({
        code: "MODEL_BILLING",
        retryable: false,
      });
    });

    it("is cut where the stream ends before the answer does, and stopped where it hangs", async () => {
      const begun =
        api === "chat"
          ? { choices: [{ index: 0, delta: { content: "Hal" }, finish_reason: null }] }
          : { type: "response.output_text.delta", delta: "Hal" };
      for (const ending of ["close", "cut"] as const) {
        await using server = await sseServer({ events: [begun], ending });
        expect(await failureOf(chunksOf(modelAt(server.url, { api }), promptOf("hello")))).toMatchObject({
          code: "MODEL_STREAM_CUT",
          retryable: true,
        });
      }
      await using server = await sseServer({ events: [begun], ending: "hang" });
      const clock = new StillClock();
      const chunks = modelAt(server.url, { api, clock, timeoutMs: 5_000 }).generate(
        promptOf("hello"),
        new AbortController().signal,
      );
      const heard: string[] = [];
      await expect(
        (async () => {
          for await (const chunk of chunks) {
            if (chunk.kind === "text") heard.push(chunk.text);
            clock.wake();
          }
        })(),
      ).rejects.toMatchObject({ code: "MODEL_STREAM_CUT" });
      expect(heard).toEqual(["Hal"]);
      await server.gone(1);
    });

    it("sends no key to a server that asks for none, and no organisation of the environment", async () => {
      await using server = await sseServer({ status: 500, body: {} });
      await failureOf(chunksOf(modelAt(server.url, { api, apiKey: null }), promptOf("hello")));
      await failureOf(chunksOf(modelAt(server.url, { api }), promptOf("hello")));
      const [open, keyed] = server.requests.map(({ headers }) => headers);
      expect(open).not.toHaveProperty("authorization");
      expect(keyed?.authorization).toBe("Bearer sk-openai-secret");
      expect(keyed).not.toHaveProperty("openai-organization");
    });

    it("what a call can cost at most is more than what it does cost", async () => {
      mock.onMessage("hello", { content: "Hi", usage: { input_tokens: 30, output_tokens: 1_000 } });
      const prompt = promptOf("hello", { system: "Be brief.", tools: TOOLS });
      const [end] = (await chunksOf(model(), prompt)).slice(-1);
      if (end?.kind !== "end") throw new Error("Expected an end");
      expect(model().costCeilingCents(prompt)).toBeGreaterThan(end.usage.costCents);
      const dearer = {
        ...prompt,
        messages: [...prompt.messages, { role: "user" as const, text: "x".repeat(50_000) }],
      };
      expect(model().costCeilingCents(dearer) - model().costCeilingCents(prompt)).toBeCloseTo(
        (50_000 * 2.5) / 10_000,
        0,
      );
    });
  },
);

/** A whole answer as the Responses API ends it. */
function completed(output: object[], more: object = {}): object {
  const usage = {
    input_tokens: 100,
    input_tokens_details: { cached_tokens: 60, cache_write_tokens: 10 },
    output_tokens: 20,
    output_tokens_details: { reasoning_tokens: 15 },
  };
  return {
    type: "response.completed",
    response: { id: "resp_1", status: "completed", output, usage, ...more },
  };
}
const REASONING = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "sealed" };
const CALL = { type: "function_call", id: "fc_1", call_id: "call_1", name: "get_pods", arguments: "{}" };
const SAID = {
  type: "message",
  id: "msg_1",
  role: "assistant",
  content: [{ type: "output_text", text: "Hi" }],
};

describe("the Responses API", () => {
  it("keeps nothing on the provider's side, and gives reasoning back with the next step, item for item", async () => {
    await using server = await sseServer(
      { events: [completed([REASONING, CALL])] },
      { events: [completed([SAID])] },
    );
    const model = modelAt(server.url);
    const chunks = await chunksOf(model, promptOf("pods", { tools: TOOLS }));
    expect(chunks).toMatchObject([
      { kind: "tool-call", call: { id: "call_1", name: "get_pods", input: {} } },
      {
        kind: "end",
        stop: "tools",
        usage: { inputTokens: 100, outputTokens: 20, cacheReadTokens: 60, cacheWriteTokens: 10 },
      },
    ]);
    const end = chunks.at(-1);
    if (end?.kind !== "end" || end.opaque === undefined) throw new Error("Expected something to give back");
    const prompt = promptOf("pods", { tools: TOOLS });
    const toolCalls = [{ id: "call_1", name: "get_pods", input: {} }];
    const messages = [
      ...prompt.messages,
      { role: "assistant" as const, text: "", toolCalls, opaque: end.opaque },
      { role: "tool" as const, callId: "call_1", result: "web-1", isError: false },
    ];
    await chunksOf(model, { ...prompt, messages });
    const [first, second] = server.requests.map(({ body }) => body);
    expect(first).toMatchObject({ store: false, stream: true, include: ["reasoning.encrypted_content"] });
    expect(second?.input).toEqual([
      ...((first?.input ?? []) as object[]),
      REASONING,
      CALL,
      { type: "function_call_output", call_id: "call_1", output: "web-1" },
    ]);
    // Another model gets what can be rebuilt.
    await chunksOf(modelAt(server.url, { model: "gpt-4.1" }), { ...prompt, messages });
    const third = server.requests[2]?.body;
    expect(JSON.stringify(third)).not.toContain("sealed");
    expect(third).not.toHaveProperty("include");
    expect(third?.input).toContainEqual({
      type: "function_call",
      call_id: "call_1",
      name: "get_pods",
      arguments: "{}",
    });
  });

  it.each([
    ["length", { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }, [CALL]],
    ["refusal", { status: "incomplete", incomplete_details: { reason: "content_filter" } }, []],
    ["refusal", {}, [{ ...SAID, content: [{ type: "refusal", refusal: "I will not." }] }]],
    ["end", {}, [SAID]],
  ])("stops with %s", async (stop, more, output) => {
    await using server = await sseServer({ events: [completed(output, more)] });
    const chunks = await chunksOf(modelAt(server.url), promptOf("hello"));
    expect(chunks).toEqual([expect.objectContaining({ kind: "end", stop })]);
  });

  it.each([
    ["server_error", "MODEL_STREAM_CUT", true],
    ["invalid_prompt", "MODEL_REQUEST_REJECTED", false],
  ])("an answer that fails with %s is %s", async (code, expected, retryable) => {
    const failed = {
      type: "response.failed",
      response: { status: "failed", error: { code, message: "words" } },
    };
    await using server = await sseServer({ events: [failed] });
    const failure = await failureOf(chunksOf(modelAt(server.url), promptOf("hello")));
    expect(failure).toMatchObject({ code: expected, retryable });
    expect(String(failure)).not.toContain("words");
  });

  it("shows pictures", async () => {
    await using server = await sseServer({ events: [completed([SAID])] });
    const pictures = [
      { kind: "image" as const, mime: "image/png" as const, bytes: 3, tokensMax: 10, base64: () => "AAAA" },
    ];
    await chunksOf(modelAt(server.url), {
      ...promptOf("hello"),
      messages: [{ role: "user", name: "Ann", text: "what is it?", pictures }],
    });
    expect(server.requests[0]?.body.input).toEqual([
      {
        role: "user",
        content: [
          { type: "input_image", detail: "auto", image_url: "data:image/png;base64,AAAA" },
          { type: "input_text", text: "Ann: what is it?" },
        ],
      },
    ]);
  });
});

describe("pictures of a tool", () => {
  const pictures = [
    { kind: "image" as const, mime: "image/png" as const, bytes: 3, tokensMax: 10, base64: () => "AAAA" },
  ];
  const messages = [{ role: "tool" as const, callId: "t1", result: "[image]", isError: false, pictures }];
  const askedOf = async (model: string) => {
    await using server = await sseServer({ events: [completed([SAID])] });
    await chunksOf(modelAt(server.url, { model }), { ...promptOf("hello"), messages });
    return server.requests[0]?.body.input;
  };

  it("stand in its result, by the Responses API", async () => {
    expect(await askedOf("gpt-5")).toEqual([
      {
        type: "function_call_output",
        call_id: "t1",
        output: [
          { type: "input_text", text: "[image]" },
          { type: "input_image", detail: "auto", image_url: "data:image/png;base64,AAAA" },
        ],
      },
    ]);
  });

  it("are not sent to who may refuse the request for them, and the model is told", async () => {
    const output = "[image]\n⟦the images cannot be shown⟧";
    expect(await askedOf("qwen")).toEqual([{ type: "function_call_output", call_id: "t1", output }]);
    await using server = await sseServer({ events: [] });
    await failureOf(chunksOf(modelAt(server.url, { api: "chat" }), { ...promptOf("hello"), messages }));
    expect(server.requests[0]?.body.messages).toContainEqual({
      ...{ role: "tool", tool_call_id: "t1" },
      content: output,
    });
  });
});

describe("PDFs", () => {
  const pdf = { kind: "pdf", name: "pump.pdf", bytes: 3, pages: 2, base64: () => "JVBERi0=" } as const;
  const messages = [{ role: "user", text: "what is it?", pdfs: [pdf] }] as const;

  it("are shown by the Responses API", async () => {
    await using server = await sseServer({ events: [completed([SAID])] });
    await chunksOf(modelAt(server.url), { ...promptOf("hello"), messages });
    expect(server.requests[0]?.body.input).toEqual([
      {
        role: "user",
        content: [
          {
            type: "input_file",
            filename: "pump.pdf",
            file_data: "data:application/pdf;base64,JVBERi0=",
          },
          { type: "input_text", text: "what is it?" },
        ],
      },
    ]);
  });

  it("are held as an image and a full text for each page", () => {
    const model = modelAt("http://127.0.0.1:9");
    const prompt = promptOf("", { messages: [{ role: "user", text: "what is it?" }] });
    const more = model.costCeilingCents({ ...prompt, messages }) - model.costCeilingCents(prompt);
    expect(more).toBeCloseTo((2 * 43_000 * 2.5) / 10_000, 6);
  });

  it.each([
    ["responses", "gpt-5", true],
    ["responses", "gpt-4o-mini", true],
    ["responses", "gpt-4.1", true],
    ["responses", "o4-mini", true],
    ["responses", "ft:gpt-4o:us::1", true],
    ["responses", "gpt-4", undefined],
    ["responses", "gpt-4-turbo", undefined],
    ["responses", "llama-3.3-70b", undefined],
    ["responses", "gpt-4-0613", undefined],
    ["responses", "gpt-3.5-turbo", undefined],
    ["responses", "o3-mini", undefined],
    ["chat", "gpt-5", undefined],
  ] as const)("by %s, of %s: %s", (api, model, expected) => {
    expect(modelAt("http://127.0.0.1:9", { api, model }).readsPdfs).toBe(expected);
  });
});

describe("chat completions of compatible servers", () => {
  const said = (delta: object, finish_reason: string | null = null) => ({
    choices: [{ index: 0, delta, finish_reason }],
  });

  it("that do not say what they used are counted by bytes", async () => {
    await using server = await sseServer({ events: [said({ content: "Grüße" }), said({}, "stop")] });
    const prompt = promptOf("hello");
    const [end] = (await chunksOf(modelAt(server.url, { api: "chat" }), prompt)).slice(-1);
    if (end?.kind !== "end") throw new Error("Expected an end");
    expect(end.usage.outputTokens).toBe(7);
    expect(end.usage.inputTokens).toBeGreaterThan(
      Buffer.byteLength(JSON.stringify(server.requests[0]?.body)),
    );
  });

  it("that give a call whole, without index and id, and stop with `stop`", async () => {
    const call = { function: { name: "get_pods", arguments: '{"ns":"web"}' } };
    await using server = await sseServer({ events: [said({ tool_calls: [call, call] }), said({}, "stop")] });
    const chunks = await chunksOf(modelAt(server.url, { api: "chat" }), promptOf("pods", { tools: TOOLS }));
    expect(chunks).toMatchObject([
      { kind: "tool-call", call: { id: "call_0", name: "get_pods", input: { ns: "web" } } },
      { kind: "tool-call", call: { id: "call_1", name: "get_pods", input: { ns: "web" } } },
      { kind: "end", stop: "tools" },
    ]);
  });

  it("that write arguments which are no JSON: the tool is to refuse them", async () => {
    const part = { index: 0, id: "c", function: { name: "get_pods", arguments: "{ns:" } };
    await using server = await sseServer({ events: [said({ tool_calls: [part] }), said({}, "tool_calls")] });
    const [chunk] = await chunksOf(modelAt(server.url, { api: "chat" }), promptOf("pods", { tools: TOOLS }));
    expect(chunk).toEqual({ kind: "tool-call", call: { id: "c", name: "get_pods", input: "{ns:" } });
  });

  it("that begin calls without end are left", async () => {
    const flood = Array.from({ length: 200 }, (_, index) => ({
      index,
      function: { name: "x", arguments: "" },
    }));
    await using server = await sseServer({ events: [said({ tool_calls: flood }), said({}, "tool_calls")] });
    const far = said({ tool_calls: [{ index: 2 ** 31, function: { name: "x" } }] });
    await using other = await sseServer({ events: [far, said({}, "tool_calls")] });
    for (const { url } of [server, other])
      expect(await failureOf(chunksOf(modelAt(url, { api: "chat" }), promptOf("pods")))).toMatchObject({
        code: "MODEL_REQUEST_REJECTED",
      });
  });

  it("are told the longest answer by its old name, and OpenAI by its new one", async () => {
    await using server = await sseServer({ events: [said({}, "length")] });
    const chunks = await chunksOf(modelAt(server.url, { api: "chat", maxTokens: 77 }), promptOf("hello"));
    expect(chunks).toMatchObject([{ kind: "end", stop: "length" }]);
    expect(server.requests[0]?.body).toMatchObject({
      max_tokens: 77,
      stream_options: { include_usage: true },
    });
  });
});
