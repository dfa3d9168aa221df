import { describe, expect, it } from "vitest";
import { RunAborted } from "../../src/domain/abort.ts";
import { ModelError } from "../../src/domain/errors.ts";
import type { Step } from "../../src/domain/run.ts";
import { agentOf, benchFor, call, calm, eventOf, fakeModel, fakeTool, HELD, usage } from "./support.ts";

const overloaded = new ModelError("MODEL_OVERLOADED", "529", { retryable: true });

describe("a run", () => {
  it("answers, having recorded the answer first", async () => {
    const bench = benchFor(agentOf(fakeModel([{ text: "Hi.", usage: usage(12, 3, 0.5) }])));
    expect(await bench.run()).toEqual({
      outcome: "answered",
      text: "Hi.",
      usage: usage(12, 3, 0.5),
      modelCalls: 1,
      model: "fake-1",
    });
    expect(bench.records).toEqual([
      [
        {
          ...{ kind: "model", text: "Hi.", toolCalls: [], usage: usage(12, 3, 0.5), stop: "end" },
          model: "fake/fake-1",
        },
      ],
    ]);
    expect(bench.modelCalls).toEqual([
      {
        agent: "assistant",
        provider: "fake",
        model: "fake-1",
        outcome: "ok",
        durationMs: 0,
        usage: usage(12, 3, 0.5),
      },
    ]);
    expect(bench.clock.sleeping).toBe(0);
  });

  it("uses tools in order and gives their results to the model", async () => {
    const model = fakeModel([
      {
        text: "Let me look.",
        calls: [call("1", "read", { a: 1 }), call("2", "write")],
        usage: usage(10, 5, 1),
      },
      { text: "Done.", usage: usage(30, 5, 2) },
    ]);
    const order: string[] = [];
    const tools = ["read", "write"].map((name) =>
      fakeTool(name, () => {
        order.push(name);
        return `${name} ran`;
      }),
    );
    const bench = benchFor(agentOf(model, { tools }));
    expect(await bench.run()).toMatchObject({
      outcome: "answered",
      text: "Done.",
      usage: usage(40, 10, 3),
      modelCalls: 2,
    });
    expect(order).toEqual(["read", "write"]);
    expect(tools[0]?.inputs).toEqual([{ a: 1 }]);
    expect(model.prompts[1]?.messages.slice(1)).toEqual([
      {
        role: "assistant",
        text: "Let me look.",
        toolCalls: [call("1", "read", { a: 1 }), call("2", "write")],
      },
      { role: "tool", callId: "1", result: "read ran", isError: false },
      { role: "tool", callId: "2", result: "write ran", isError: false },
    ]);
    expect(bench.records.at(-1)?.map(({ kind }) => kind)).toEqual([
      "model",
      "tool-started",
      "tool",
      "tool-started",
      "tool",
      "model",
    ]);
  });

  it("records that a tool is called before it is called", async () => {
    const tool = fakeTool("write");
    const bench = benchFor(
      agentOf(fakeModel([{ calls: [call("1", "write")] }, { text: "ok" }]), { tools: [tool] }),
    );
    const callsAtRecord: number[] = [];
    await bench.run({
      record: async () => {
        callsAtRecord.push(tool.inputs.length);
      },
    });
    expect(callsAtRecord).toEqual([0, 0, 1, 1]);
  });

  it("goes on after a pause, and says both halves", async () => {
    const model = fakeModel([{ text: "First half, ", stop: "pause" }, { text: "second half." }]);
    expect(await benchFor(agentOf(model)).run()).toMatchObject({
      text: "First half, second half.",
      modelCalls: 2,
    });
    expect(model.prompts[1]?.messages.at(-1)?.role).toBe("user");
  });

  it("hands over what it says so far: anew after a failure and a tool, further after a pause", async () => {
    const shown: string[] = [];
    const model = fakeModel([
      { text: "Half a", error: overloaded },
      { text: "Let me look.", calls: [call("1", "look")] },
      { text: "It rains, ", stop: "pause" },
      { text: "and will." },
    ]);
    const bench = benchFor(agentOf(model, { tools: [fakeTool("look")] }));
    await bench.run({ showing: (text) => shown.push(text) });
    expect(shown).toEqual(["", "Half a", "", "Let me look.", "", "It rains, ", "", "It rains, and will."]);
  });

  it("says that the model declined, and none of what it had said before", async () => {
    const bench = benchFor(agentOf(fakeModel([{ text: "Sure, first you", stop: "refusal" }])));
    const { outcome, text } = await bench.run();
    expect(outcome).toBe("refused");
    expect(text).not.toContain("Sure");
  });

  it("says that an answer was cut by its length", async () => {
    const bench = benchFor(
      agentOf(fakeModel([{ text: "Half an", calls: [call("1", "rm")], stop: "length" }]), {
        tools: [fakeTool("rm")],
      }),
    );
    expect(await bench.run()).toMatchObject({
      outcome: "out-of-tokens",
      text: "My answer reached its length limit, so it is not complete. This is what I have so far:\n\nHalf an",
    });
    expect(bench.toolCalls).toEqual([]);
  });

  it("fails honestly on an answer without words", async () => {
    const result = await benchFor(agentOf(fakeModel([{ text: " \n" }]))).run();
    expect(result).toMatchObject({ outcome: "failed", cause: "the model gave an empty answer" });
    expect(result.text).not.toBe("");
  });

  it("keeps no more of an endless answer than fits", async () => {
    const bench = benchFor(agentOf(fakeModel([{ text: "x".repeat(250_000) }])));
    const { outcome, text } = await bench.run();
    expect(outcome).toBe("out-of-tokens");
    expect(text.length).toBeLessThan(200_200);
  });

  it("fails without a call when its agent is gone", async () => {
    const model = fakeModel([]);
    const bench = benchFor(agentOf(model));
    const run = { id: "r", agent: "other", event: eventOf("x"), history: [], steps: [], startedAtMs: 0 };
    const result = await bench.runtime.run(run, HELD, new AbortController().signal);
    expect(result).toMatchObject({ outcome: "failed", cause: "no agent is named other" });
    expect(model.prompts).toHaveLength(0);
  });
});

describe("the limits of a run", () => {
  const looking = { text: "Looking.", calls: [call("1", "look")], usage: usage(100, 50, 10) };
  const tools = () => [fakeTool("look")];

  it("ends it out of steps, before tools whose results nobody would see", async () => {
    const bench = benchFor(
      agentOf(
        fakeModel(() => looking),
        { tools: tools(), limits: { maxIterations: 3 } },
      ),
    );
    expect(await bench.run()).toMatchObject({
      outcome: "out-of-steps",
      text: "I ran out of steps (3) before finishing. This is what I have so far:\n\nLooking.",
      modelCalls: 3,
    });
    expect(bench.toolCalls).toHaveLength(2);
  });

  it("ends it out of time in the middle of an answer, with what was said", async () => {
    const bench = benchFor(agentOf(fakeModel([{ text: "So far so", hang: "heeding" }])));
    expect(await bench.run()).toMatchObject({
      outcome: "out-of-time",
      text: "I ran out of time (300 s) before finishing. This is what I have so far:\n\nSo far so",
      modelCalls: 0,
    });
    expect(bench.clock.nowMs() - bench.startedAtMs).toBe(300_000);
    expect(bench.modelCalls).toMatchObject([{ outcome: "aborted", durationMs: 300_000 }]);
  });

  it("ends it out of time even when model or tool heed no signal", async () => {
    const deafModel = benchFor(agentOf(fakeModel([{ hang: "deaf" }])));
    expect(await deafModel.run()).toMatchObject({ outcome: "out-of-time" });

    const deafTool = fakeTool("look", () => new Promise(() => {}));
    const limits = { toolTimeoutMs: 1e9 };
    const bench = benchFor(agentOf(fakeModel([looking]), { tools: [deafTool], limits }));
    expect(await bench.run()).toMatchObject({ outcome: "out-of-time" });
  });

  it("counts its time from its first start, over restarts", async () => {
    const model = fakeModel([]);
    const bench = benchFor(agentOf(model));
    const result = await bench.run({ startedAtMs: bench.startedAtMs - 300_000 });
    expect(result.outcome).toBe("out-of-time");
    expect(model.prompts).toHaveLength(0);
  });

  it("does not count the time for which it rested", async () => {
    const bench = benchFor(agentOf(fakeModel([{ text: "So far", hang: "heeding" }])));
    const run = { startedAtMs: bench.startedAtMs - 900_000, restedMs: 800_000 };
    expect(await bench.run(run)).toMatchObject({ outcome: "out-of-time" });
    expect(bench.clock.nowMs() - bench.startedAtMs).toBe(200_000);
  });

  it("ends it out of tokens before a call that would use too many", async () => {
    const used = { ...looking, usage: usage(4000, 1000) };
    const model = fakeModel(() => used);
    const bench = benchFor(agentOf(model, { tools: tools(), limits: { tokensMax: 10_000 } }));
    expect(await bench.run()).toMatchObject({ outcome: "out-of-tokens", modelCalls: 2 });
  });

  it("shortens the answer to what is left of the tokens", async () => {
    const model = fakeModel([{ text: "ok" }]);
    await benchFor(agentOf(model, { limits: { tokensMax: 1000 } })).run();
    expect(model.prompts[0]?.maxTokens).toBeGreaterThan(800);
    expect(model.prompts[0]?.maxTokens).toBeLessThan(1000);
  });

  it("ends it out of money before a call that could cost too much", async () => {
    const model = fakeModel(() => looking, { ceilingCents: () => 40 });
    const bench = benchFor(agentOf(model, { tools: tools(), limits: { costCentsMax: 65 } }));
    expect(await bench.run()).toMatchObject({
      outcome: "out-of-money",
      text: "I ran out of budget (65 cents) before finishing. This is what I have so far:\n\nLooking.",
      modelCalls: 3,
    });
  });

  it("lets a cheaper fallback answer where the first model is too dear", async () => {
    const dear = fakeModel([], { ceilingCents: () => 101 });
    const cheap = fakeModel([{ text: "ok" }], { name: "cheap", ceilingCents: () => 1 });
    expect(await benchFor(agentOf(dear, { fallbacks: [cheap] })).run()).toMatchObject({ text: "ok" });
  });

  it("can be switched off one by one", async () => {
    const limits = {
      maxIterations: Infinity,
      maxExecutionMs: Infinity,
      tokensMax: Infinity,
      costCentsMax: Infinity,
    };
    const model = fakeModel([{ ...looking, usage: usage(1e9, 1e9, 1e9) }, { text: "ok" }], {
      ceilingCents: () => 1e9,
    });
    const bench = benchFor(agentOf(model, { tools: tools(), limits }));
    expect(await bench.run()).toMatchObject({ outcome: "answered" });
  });
});

describe("a failing model", () => {
  it("is asked again after a pause that grows", async () => {
    const bench = benchFor(
      agentOf(fakeModel([{ error: overloaded }, { error: overloaded }, { text: "ok" }])),
    );
    expect(await bench.run()).toMatchObject({ outcome: "answered", text: "ok" });
    expect(bench.retries.map(({ attempt, delayMs, code }) => ({ attempt, delayMs, code }))).toEqual([
      { attempt: 1, delayMs: 2500, code: "MODEL_OVERLOADED" },
      { attempt: 2, delayMs: 5000, code: "MODEL_OVERLOADED" },
    ]);
    expect(bench.clock.nowMs() - bench.startedAtMs).toBe(7500);
    expect(bench.modelCalls.map(({ outcome }) => outcome)).toEqual([
      "MODEL_OVERLOADED",
      "MODEL_OVERLOADED",
      "ok",
    ]);
  });

  it("is not asked before it said", async () => {
    const limited = new ModelError("MODEL_RATE_LIMITED", "429", { retryable: true, retryAfterMs: 17_000 });
    const bench = benchFor(agentOf(fakeModel([{ error: limited }, { text: "ok" }])));
    await bench.run();
    expect(bench.retries).toMatchObject([{ delayMs: 17_000 }]);
  });

  it.each([
    ["longer than a minute", 61_000, 300_000],
    ["longer than the run has time", 20_000, 15_000],
  ])("leaves a wait %s to the queue", async (_name, retryAfterMs, maxExecutionMs) => {
    const limited = new ModelError("MODEL_RATE_LIMITED", "429", { retryable: true, retryAfterMs });
    const bench = benchFor(agentOf(fakeModel([{ error: limited }]), { limits: { maxExecutionMs } }));
    await expect(bench.run()).rejects.toBe(limited);
    expect(bench.retries).toEqual([]);
  });

  it("is left to the queue when its attempts are used up", async () => {
    const model = fakeModel(() => ({ error: overloaded }));
    await expect(benchFor(agentOf(model)).run()).rejects.toBe(overloaded);
    expect(model.prompts).toHaveLength(3);
  });

  it("is replaced by the next in line, whatever was wrong with it", async () => {
    const denied = new ModelError("MODEL_AUTH", "401", { retryable: false });
    const first = fakeModel([{ error: denied }]);
    const second = fakeModel(() => ({ error: overloaded }), { name: "second" });
    const third = fakeModel([{ text: "Here I am." }], { name: "third" });
    const bench = benchFor(agentOf(first, { fallbacks: [second, third] }));
    expect(await bench.run()).toMatchObject({ text: "Here I am." });
    expect([first, second, third].map(({ prompts }) => prompts.length)).toEqual([1, 3, 1]);
  });

  it("is tried again later when one of several might answer then", async () => {
    const denied = new ModelError("MODEL_AUTH", "401", { retryable: false });
    const second = fakeModel(() => ({ error: overloaded }), { name: "second" });
    const bench = benchFor(agentOf(fakeModel([{ error: denied }]), { fallbacks: [second] }));
    await expect(bench.run()).rejects.toBe(overloaded);
  });

  it("ends the run when it never will answer, and says what is true", async () => {
    const code = "MODEL_REQUEST_REJECTED";
    const error = new ModelError(code, "secret inner detail", { retryable: false });
    const result = await benchFor(agentOf(fakeModel([{ error }]))).run();
    expect(result).toMatchObject({ outcome: "failed", cause: `${code}: secret inner detail` });
    expect(result.text).toBe(
      "I cannot answer this: the model rejected the request. It is kept for the operator to look at.",
    );
  });

  it("that stops without an end is one that was cut", async () => {
    const model = fakeModel([{ text: "ok" }]);
    const cut = { ...model, generate: async function* () {} };
    await expect(benchFor(agentOf(cut)).run()).rejects.toMatchObject({
      code: "MODEL_STREAM_CUT",
      retryable: true,
    });
  });

  it("with a bug of its own is not mistaken for one that is busy", async () => {
    const bug = new TypeError("x is not a function");
    const bench = benchFor(agentOf(fakeModel([{ error: bug }])));
    await expect(bench.run()).rejects.toBe(bug);
  });

  it("counts what was set aside as spent when an answer is cut", async () => {
    const cut = new ModelError("MODEL_STREAM_CUT", "cut", { retryable: true });
    const model = fakeModel(() => ({ error: cut }), { ceilingCents: () => 60 });
    expect(await benchFor(agentOf(model)).run()).toMatchObject({ outcome: "out-of-money" });
    expect(model.prompts).toHaveLength(1);
  });

  it("is left alone once it has failed too often, and asked again after a minute", async () => {
    let isIll = true;
    const model = fakeModel(() => (isIll ? { error: overloaded } : { text: "ok" }));
    const bench = benchFor(
      agentOf(model, { retry: { maxAttempts: 1, backoffSeconds: 1, exponential: false } }),
    );
    for (let n = 0; n < 10; n++) await expect(bench.run()).rejects.toBe(overloaded);
    expect(bench.runtime.breakers()).toMatchObject([
      { name: "fake/fake-1", state: "open", cause: { code: "MODEL_OVERLOADED", message: "529" } },
    ]);

    await expect(bench.run()).rejects.toMatchObject({
      name: "BreakerOpen",
      retryable: true,
      retryAfterMs: 60_000,
    });
    expect(model.prompts).toHaveLength(10);

    isIll = false;
    bench.clock.advance(60_000);
    expect(bench.runtime.breakers()).toMatchObject([{ state: "half-open" }]);
    expect(await bench.run()).toMatchObject({ text: "ok" });
    expect(bench.runtime.breakers()).toMatchObject([{ state: "closed" }]);
  });

  it.each(["MODEL_AUTH", "MODEL_BILLING", "MODEL_NOT_FOUND"] as const)(
    "that refuses us (%s) fails no message: it is asked once, and left alone",
    async (code) => {
      const refused = new ModelError(code, "401", { retryable: false });
      const model = fakeModel(() => ({ error: refused }));
      const bench = benchFor(agentOf(model));
      await expect(bench.run()).rejects.toBe(refused);
      await expect(bench.run()).rejects.toMatchObject({ name: "BreakerOpen", retryAfterMs: 15_000 });
      expect(model.prompts).toHaveLength(1);
    },
  );

  it("that refuses us keeps a message waiting although the next in line rejects it", async () => {
    const refused = new ModelError("MODEL_AUTH", "401", { retryable: false });
    const rejected = new ModelError("MODEL_REQUEST_REJECTED", "400", { retryable: false });
    const fallback = fakeModel([{ error: rejected }], { name: "fake-2" });
    const agent = agentOf(fakeModel([{ error: refused }]), { fallbacks: [fallback] });
    await expect(benchFor(agent).run()).rejects.toBe(refused);
  });

  it("does not trip the breaker by refusing single requests", async () => {
    const rejected = new ModelError("MODEL_REQUEST_REJECTED", "400", { retryable: false });
    const bench = benchFor(agentOf(fakeModel(() => ({ error: rejected }))));
    for (let n = 0; n < 15; n++) expect(await bench.run()).toMatchObject({ outcome: "failed" });
    expect(bench.runtime.breakers()).toMatchObject([{ state: "closed" }]);
  });
});

describe("tools", () => {
  const asking = (name: string) => fakeModel([{ calls: [call("1", name)] }, { text: "ok" }]);
  const resultOf = (model: ReturnType<typeof fakeModel>) => model.prompts[1]?.messages.at(-1);

  it("that do not exist are told to the model", async () => {
    const model = asking("fly");
    const bench = benchFor(agentOf(model, { tools: [fakeTool("walk"), fakeTool("run")] }));
    expect(await bench.run()).toMatchObject({ outcome: "answered" });
    expect(resultOf(model)).toMatchObject({
      isError: true,
      result: "Expected one of these tools: walk, run. Got: fly",
    });
  });

  it.each([
    ["throws", () => Promise.reject(new Error("no such pod"))],
    [
      "throws at once",
      () => {
        throw new Error("no such pod");
      },
    ],
  ])("whose call %s give an error to the model", async (_name, fail) => {
    const model = asking("look");
    const bench = benchFor(agentOf(model, { tools: [fakeTool("look", fail)] }));
    await bench.run();
    expect(resultOf(model)).toMatchObject({ isError: true, result: "no such pod" });
    expect(bench.toolCalls).toMatchObject([{ tool: "look", outcome: "error" }]);
  });

  it("that take too long are given up, and their signal is aborted", async () => {
    const model = asking("look");
    let signal: AbortSignal | null = null;
    const slow = fakeTool("look", (_input, given) => {
      signal = given;
      return new Promise(() => {});
    });
    const bench = benchFor(agentOf(model, { tools: [slow] }));
    await bench.run();
    expect(resultOf(model)).toMatchObject({ isError: true, result: "timed out after 30 s" });
    expect(bench.toolCalls).toMatchObject([{ outcome: "timeout", durationMs: 30_000 }]);
    expect(signal).toMatchObject({ aborted: true });
  });

  it("that say too much are cut short", async () => {
    const model = asking("look");
    const limits = { tokensMax: 1e6 };
    await benchFor(agentOf(model, { tools: [fakeTool("look", () => "x".repeat(50_000))], limits })).run();
    const message = resultOf(model);
    expect(message?.role === "tool" && message.result.length).toBeLessThan(30_100);
    expect(message).toMatchObject({
      isError: false,
      result: expect.stringMatching(/x\n\[truncated: 30000 of 50000 characters\]$/),
    });
  });

  it("are called once for each id, and not without end", async () => {
    const calls = Array.from({ length: 100 }, (_, n) => call(`${n % 50}`, "look"));
    const tool = fakeTool("look");
    await benchFor(agentOf(fakeModel([{ calls }, { text: "ok" }]), { tools: [tool] })).run();
    expect(tool.inputs).toHaveLength(32);
  });
});

describe("an aborted run", () => {
  async function abortWhile(abortWith: unknown, during: "model" | "tool" | "backoff") {
    const abort = new AbortController();
    const never = fakeTool("look", () => new Promise(() => {}));
    const script = {
      model: fakeModel([{ text: "So", hang: "heeding" }]),
      tool: fakeModel([{ calls: [call("1", "look")] }]),
      backoff: fakeModel([{ error: overloaded }]),
    }[during];
    const bench = benchFor(agentOf(script, { tools: [never] }));
    const result = bench.begin({ signal: abort.signal });
    result.catch(() => {});
    await calm();
    abort.abort(abortWith);
    return { bench, result };
  }

  it.each(["model", "tool", "backoff"] as const)("by a person during %s says so", async (during) => {
    const { bench, result } = await abortWhile(new RunAborted("stopped"), during);
    expect(await result).toMatchObject({ outcome: "stopped", text: "Stopped." });
    expect(bench.clock.sleeping).toBe(0);
  });

  it.each(["model", "tool", "backoff"] as const)(
    "by a drain or a lost lease during %s gives no result",
    async (during) => {
      for (const why of ["draining", "lease-lost"] as const) {
        const { result } = await abortWhile(new RunAborted(why), during);
        await expect(result).rejects.toMatchObject({ name: "RunAborted", why });
      }
    },
  );

  it("for a reason unknown gives that reason", async () => {
    const { result } = await abortWhile(new Error("else"), "model");
    await expect(result).rejects.toThrow("else");
  });

  it("is not begun", async () => {
    const model = fakeModel([]);
    const signal = AbortSignal.abort(new RunAborted("stopped"));
    expect(await benchFor(agentOf(model)).run({ signal })).toMatchObject({ outcome: "stopped" });
    expect(model.prompts).toHaveLength(0);
  });

  it("still gives the answer that was paid for", async () => {
    const steps: Step[] = [{ kind: "model", text: "Paid.", toolCalls: [], usage: usage(1, 1), stop: "end" }];
    const signal = AbortSignal.abort(new RunAborted("stopped"));
    expect(await benchFor(agentOf(fakeModel([]))).run({ signal, steps })).toMatchObject({ text: "Paid." });
  });

  it("ends with the failure of its record, also when it was stopped meanwhile", async () => {
    const abort = new AbortController();
    const bench = benchFor(agentOf(fakeModel([{ text: "ok", stop: "pause" }, { text: "and more" }])));
    const result = bench.run({
      signal: abort.signal,
      record: async () => {
        abort.abort(new RunAborted("stopped"));
        throw new RunAborted("lease-lost");
      },
    });
    await expect(result).rejects.toMatchObject({ why: "lease-lost" });
  });

  it("does not wait for the record of its last step: the answer goes right behind it", async () => {
    const recorded: number[] = [];
    const bench = benchFor(agentOf(fakeModel([{ text: "First, ", stop: "pause" }, { text: "second." }])));
    const result = bench.run({
      record: (steps) => {
        recorded.push(steps.length);
        return steps.length === 1 ? Promise.resolve() : new Promise(() => {});
      },
    });
    expect(await result).toMatchObject({ outcome: "answered", text: "First, second." });
    expect(recorded).toEqual([1, 2]);
  });
});
