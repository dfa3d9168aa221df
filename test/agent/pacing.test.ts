import { describe, expect, it } from "vitest";
import { RunAborted } from "../../src/domain/abort.ts";
import { Accounts } from "../../src/models/account.ts";
import { createAnthropicModel } from "../../src/models/anthropic.ts";
import { createOpenAiModel } from "../../src/models/openai.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { ChatModel } from "../../src/ports/model.ts";
import { Secret } from "../../src/shared/secret.ts";
import { messageEnd, messageStart, type Script, sseServer, textBlock } from "../models/sse-server.ts";
import { failureOf } from "../models/support.ts";
import { agentOf, benchFor, SimClock } from "./support.ts";

const SAID = [messageStart({ input_tokens: 3 }), ...textBlock(0, "Hi."), ...messageEnd("end_turn")];
const said = (headers: Record<string, string> = {}): Script => ({ events: SAID, headers });
const price = { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5, tiers: [] };
const UNSEEN = { inFlight: () => {}, waiting: () => {}, waited: () => {} };

function optionsOf(baseUrl: string, clock: Clock, concurrentMax?: number) {
  const gate = new Accounts(clock, UNSEEN).of("anthropic", "a key").gateOf("claude", concurrentMax);
  const apiKey = new Secret("sk-ant-secret");
  return { apiKey, baseUrl, model: "claude", maxTokens: 100, timeoutMs: 600_000, price, clock, gate };
}

function benchOf(model: ChatModel, clock: SimClock, seconds = 300) {
  return benchFor(agentOf(model, { limits: { maxExecutionMs: seconds * 1_000 } }), clock);
}

/** Whoever waits, and when it begins to. */
function patience() {
  const { promise: troubled, resolve } = Promise.withResolvers<void>();
  return { troubled, waiting: { asked: () => {}, heard: () => {}, inTrouble: resolve } };
}

const usedUp = (clock: Clock, ms: number) => ({
  "anthropic-ratelimit-output-tokens-remaining": "0",
  "anthropic-ratelimit-output-tokens-reset": new Date(clock.nowMs() + ms).toISOString(),
});

describe("runs whose provider says what it allows", () => {
  it("wait until the reset, hold no money meanwhile, and are answered", async () => {
    const clock = new SimClock();
    await using server = await sseServer(said(usedUp(clock, 30_000)), said());
    const bench = benchOf(createAnthropicModel(optionsOf(server.url, clock)), clock);
    expect(await bench.begin()).toMatchObject({ outcome: "answered" });
    const recordedFirst = bench.records.length;

    const { troubled, waiting } = patience();
    const second = bench.begin({ waiting });
    await troubled;
    clock.advance(29_000);
    expect(bench.records).toHaveLength(recordedFirst);
    expect(server.requests).toHaveLength(1);
    clock.advance(1_000);
    expect(await second).toMatchObject({ outcome: "answered", text: "Hi." });
    expect(server.requests).toHaveLength(2);
    expect(bench.modelCalls.map(({ outcome }) => outcome)).toEqual(["ok", "ok"]);
    expect(bench.retries).toEqual([]);
  });

  it("do not wait for what nobody understands", async () => {
    const clock = new SimClock();
    const garbage = {
      "anthropic-ratelimit-requests-remaining": "none, sorry",
      "anthropic-ratelimit-requests-reset": "whenever",
      "anthropic-ratelimit-tokens-remaining": "0",
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "-1",
    };
    await using server = await sseServer(said(garbage));
    const bench = benchOf(createAnthropicModel(optionsOf(server.url, clock)), clock);
    await bench.begin();
    expect(await bench.begin()).toMatchObject({ outcome: "answered" });
  });

  it("go back to the queue, unasked, when OpenAI's reset is minutes away", async () => {
    const clock = new SimClock();
    const limited = { "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "4m0s" };
    const body = { error: { message: "no", type: "x", code: "y" } };
    await using server = await sseServer({ status: 400, body, headers: limited });
    const bench = benchOf(createOpenAiModel({ ...optionsOf(server.url, clock), api: "chat" }), clock);
    expect(await bench.begin()).toMatchObject({ outcome: "failed" });
    const failure = await failureOf(bench.begin());
    expect(failure).toMatchObject({ name: "ModelBusy", retryAfterMs: 240_000 });
    expect(server.requests).toHaveLength(1);
  });

  it("all keep to the Retry-After of one", async () => {
    const clock = new SimClock();
    const body = { type: "error", error: { type: "rate_limit_error", message: "slow down" } };
    await using server = await sseServer({ status: 429, body, headers: { "retry-after": "20" } }, said());
    const bench = benchOf(createAnthropicModel(optionsOf(server.url, clock)), clock);
    const [one, other] = [patience(), patience()];
    const first = bench.begin(one);
    await one.troubled;
    const second = bench.begin(other);
    await other.troubled;
    expect(server.requests).toHaveLength(1);
    clock.advance(20_000);
    expect(await Promise.all([first, second])).toMatchObject([{ text: "Hi." }, { text: "Hi." }]);
    expect(server.requests).toHaveLength(3);
  });

  it("end honestly when they have waited for others as long as they have time, and at once when stopped", async () => {
    const clock = new SimClock();
    await using server = await sseServer({ events: [messageStart()], ending: "hang" }, said());
    const bench = benchOf(createAnthropicModel(optionsOf(server.url, clock, 1)), clock, 40);
    const [stopFirst, stopSecond] = [new AbortController(), new AbortController()];
    const first = bench.begin({ signal: stopFirst.signal });
    await server.asked(1);
    const stopped = bench.begin({ signal: stopSecond.signal });
    const late = bench.begin();
    stopSecond.abort(new RunAborted("stopped"));
    expect(await stopped).toMatchObject({ outcome: "stopped" });
    // The first has begun to answer, and has its grace.
    clock.advance(40_000);
    expect(await late).toMatchObject({
      outcome: "out-of-time",
      text: "I ran out of time (40 s) before finishing.",
      modelCalls: 0,
    });
    stopFirst.abort(new RunAborted("stopped"));
    await first;
    expect(server.requests).toHaveLength(1);
    expect(bench.retries).toEqual([]);
  });
});
