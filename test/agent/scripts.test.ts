import { LLMock } from "@copilotkit/aimock";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAgentRuntime } from "../../src/agent/runtime.ts";
import { createAnthropicModel } from "../../src/models/anthropic.ts";
import { createOpenAiModel } from "../../src/models/openai.ts";
import type { ChatModel } from "../../src/ports/model.ts";
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
} from "../models/sse-server.ts";
import { type Asking, openAsking } from "../support/asking.ts";
import { FakeClock } from "../support/clock.ts";
import { agentOf, type FakeTool, fakeTool } from "./support.ts";

const COMMON = {
  apiKey: new Secret("sk-secret"),
  maxTokens: 4_096,
  timeoutMs: 60_000,
  price: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, tiers: [] },
  clock: systemClock,
};
const anthropic = (baseUrl: string) => createAnthropicModel({ ...COMMON, baseUrl, model: "claude-sonnet-5" });
const openai = (api: "responses" | "chat") => (url: string) =>
  createOpenAiModel({ ...COMMON, baseUrl: `${url}/v1`, model: "gpt-5", api });
const PROVIDERS = [
  ["Anthropic", anthropic],
  ["OpenAI by responses", openai("responses")],
  ["OpenAI by chat", openai("chat")],
] as const;

/** Nobody waits for no time. */
class ReadyClock extends FakeClock {
  override sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return durationMs === 0 ? Promise.resolve() : super.sleep(durationMs, signal);
  }
}

let pods: FakeTool;
let restart: FakeTool;
beforeEach(() => {
  pods = fakeTool("get_pods", () => "a, b", true);
  restart = fakeTool("restart", () => "restarted");
});

/** A conversation with memory: the real store, worker and client of the provider. */
async function conversation(model: ChatModel, fallbacks: readonly ChatModel[] = []): Promise<Asking["say"]> {
  const asking = await openAsking();
  const retry = { maxAttempts: 2, backoffSeconds: 0, exponential: false };
  const assistant = agentOf(model, {
    ...{ fallbacks, retry, systemPrompt: "", tools: [pods, restart] },
    limits: { tokensMax: 1_000_000 },
  });
  const runtime = createAgentRuntime({
    agents: new Map([["assistant", assistant]]),
    clock: new ReadyClock(),
    random: () => 0,
    observe: { modelCall: () => {}, retry: () => {} },
  });
  asking.deps = { ...asking.deps, runtime };
  return (text) => asking.say(text, { isDirect: true });
}

interface Shown {
  readonly role: string;
  readonly content: unknown;
  readonly tool_calls?: readonly { readonly id: string; readonly function: { readonly name: string } }[];
  readonly tool_call_id?: string;
}

describe.each(PROVIDERS)("a script of %s, and the message after it", (_name, modelAt) => {
  const mock = new LLMock({ port: 0 });
  beforeAll(async () => {
    await mock.start();
  });
  afterAll(async () => {
    await mock.stop();
  });
  beforeEach(() => {
    mock.reset();
    mock.onMessage("and now?", { content: "As before." });
  });

  /** What the model was shown by one of its calls, each message in a line. */
  function shown(index: number): string[] {
    const body = mock.getRequests().at(index)?.body as { messages: readonly Shown[] } | null | undefined;
    const lines = (body?.messages ?? []).map(({ role, content, tool_calls = [], tool_call_id }) => {
      const text = typeof content === "string" ? content : "";
      const calls = tool_calls.map((call) => `[${call.id} ${call.function.name}]`);
      return [role, tool_call_id ?? "", text, ...calls].filter((part) => part !== "").join(" ");
    });
    // By responses, the words and each call of an answer are items of their own.
    return lines
      .join("\n")
      .replaceAll(/(?<=^assistant .*)\nassistant(?= \[)/gm, "")
      .split("\n");
  }

  it("calls tools step by step", async () => {
    mock.on(
      { userMessage: "restart", hasToolResult: false },
      { content: "Looking.", toolCalls: [{ id: "c1", name: "get_pods", arguments: "{}" }] },
    );
    mock.on({ toolCallId: "c1" }, { toolCalls: [{ id: "c2", name: "restart", arguments: '{"pod":"a"}' }] });
    mock.on({ toolCallId: "c2" }, { content: "Restarted a." });
    const say = await conversation(modelAt(mock.url));
    expect(await say("restart")).toEqual(["Restarted a."]);
    expect([pods.inputs, restart.inputs]).toEqual([[{}], [{ pod: "a" }]]);
    expect(shown(2)).toEqual([
      "user restart",
      "assistant Looking. [c1 get_pods]",
      "tool c1 a, b",
      "assistant [c2 restart]",
      "tool c2 restarted",
    ]);
    expect(await say("and now?")).toEqual(["As before."]);
    expect(shown(-1)).toEqual(["user restart", "assistant Restarted a.", "user and now?"]);
    expect(mock.getRequests()).toHaveLength(4);
  });

  it("calls several tools at once, and is given all that they say", async () => {
    const call = (id: string, name: string) => ({ id, name, arguments: "{}" });
    mock.on(
      { userMessage: "both", hasToolResult: false },
      { toolCalls: [call("c1", "get_pods"), call("c2", "get_pods"), call("c3", "restart")] },
    );
    mock.on({ toolCallId: "c3" }, { content: "Done." });
    const say = await conversation(modelAt(mock.url));
    expect(await say("both")).toEqual(["Done."]);
    expect(shown(1)).toEqual([
      "user both",
      "assistant [c1 get_pods] [c2 get_pods] [c3 restart]",
      "tool c1 a, b",
      "tool c2 a, b",
      "tool c3 restarted",
    ]);
    await say("and now?");
    expect(shown(-1)).toEqual(["user both", "assistant Done.", "user and now?"]);
  });

  it("is overloaded, and answers when it is asked again", async () => {
    mock.onMessage("hello", { content: "Hi." });
    mock.nextRequestError(503, { message: "overloaded", type: "overloaded_error" });
    const say = await conversation(modelAt(mock.url));
    expect(await say("hello")).toEqual(["Hi."]);
    await say("and now?");
    expect(shown(-1)).toEqual(["user hello", "assistant Hi.", "user and now?"]);
    expect(mock.getRequests()).toHaveLength(3);
  });

  it("is cut in the middle, and answers from the beginning when it is asked again", async () => {
    const cut = { truncateAfterChunks: 4, chunkSize: 5, latency: 5 };
    mock.on({ userMessage: "hello", sequenceIndex: 0 }, { content: "half an answer ".repeat(20) }, cut);
    mock.on({ userMessage: "hello", sequenceIndex: 1 }, { content: "A whole answer." });
    const say = await conversation(modelAt(mock.url));
    expect(await say("hello")).toEqual(["A whole answer."]);
    await say("and now?");
    expect(shown(-1)).toEqual(["user hello", "assistant A whole answer.", "user and now?"]);
  });

  it("fails for good where a tool was called already, and the tool is not called again", async () => {
    mock.on(
      { userMessage: "restart", hasToolResult: false },
      { toolCalls: [{ id: "c1", name: "restart", arguments: "{}" }] },
    );
    mock.on({ toolCallId: "c1" }, { error: { message: "no", type: "invalid_request_error" }, status: 400 });
    const say = await conversation(modelAt(mock.url));
    const [line] = await say("restart");
    expect(line).toContain("the model rejected the request");
    expect(restart.inputs).toHaveLength(1);
    await say("and now?");
    expect(shown(-1)).toEqual(["user and now?"]);
  });

  it("is replaced by the next in line, who is shown what it did", async () => {
    await using broken = await sseServer({ status: 529, body: { error: { type: "overloaded_error" } } });
    mock.on(
      { userMessage: "restart", hasToolResult: false },
      { toolCalls: [{ id: "c1", name: "restart", arguments: "{}" }] },
    );
    mock.on({ toolCallId: "c1" }, { content: "Restarted." });
    const say = await conversation(anthropic(broken.url), [modelAt(mock.url)]);
    expect(await say("restart")).toEqual(["Restarted."]);
    expect(restart.inputs).toHaveLength(1);
    await say("and now?");
    expect(shown(-1)).toEqual(["user restart", "assistant Restarted.", "user and now?"]);
  });
});

describe("a script of Anthropic that aimock has no words for, and the message after it", () => {
  const ANSWER = { events: [messageStart(), ...textBlock(0, "As before."), ...messageEnd("end_turn")] };

  async function play(...scripts: Script[]) {
    const server = await sseServer(...scripts, ANSWER);
    const say = await conversation(anthropic(server.url));
    const content = (index: number) => server.requests.at(index)?.body.messages as { content: unknown }[];
    return { server, say, content };
  }

  it("declines: nothing of it is said, nor remembered", async () => {
    const declined = [messageStart(), ...textBlock(0, "Well, "), ...messageEnd("refusal")];
    const { server, say, content } = await play({ events: declined });
    await using _ = server;
    const [line] = await say("how?");
    expect(line).not.toContain("Well");
    await say("and now?");
    expect(content(-1)).toEqual([
      { role: "user", content: [expect.objectContaining({ type: "text", text: "and now?" })] },
    ]);
  });

  it("thinks: what it thought goes back with the next step as it came, without its empty words, and nobody reads it", async () => {
    const thinking = { type: "thinking", thinking: "hm", signature: "sig" };
    const thought = [
      ...block(
        0,
        { type: "thinking", thinking: "", signature: "" },
        { type: "thinking_delta", thinking: "hm" },
        { type: "signature_delta", signature: "sig" },
      ),
      ...textBlock(1, "\n\n"),
      ...toolBlock(2, "get_pods", "{}"),
    ];
    const { server, say, content } = await play(
      { events: [messageStart(), ...thought, ...messageEnd("tool_use")] },
      { events: [messageStart(), ...textBlock(0, "Two."), ...messageEnd("end_turn")] },
    );
    await using _ = server;
    expect(await say("how many?")).toEqual(["Two."]);
    expect(content(1)[1]?.content).toEqual([
      thinking,
      { type: "tool_use", id: "toolu_2", name: "get_pods", input: {} },
    ]);
    await say("and now?");
    expect(JSON.stringify(content(-1))).not.toMatch(/hm|sig|toolu/);
    expect(content(-1)).toHaveLength(3);
  });

  it("pauses, is asked to go on, and both halves are one answer", async () => {
    const { server, say, content } = await play(
      { events: [messageStart(), ...textBlock(0, "First, "), ...messageEnd("pause_turn")] },
      { events: [messageStart(), ...textBlock(0, "then."), ...messageEnd("end_turn")] },
    );
    await using _ = server;
    expect(await say("how?")).toEqual(["First, then."]);
    await say("and now?");
    expect(content(-1)[1]?.content).toEqual([{ type: "text", text: "First, then." }]);
  });
});
