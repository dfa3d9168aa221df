import { describe, expect, it } from "vitest";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { filesMadeIn, type Step } from "../../src/domain/run.ts";
import { REMOTE_ASK } from "../../src/models/remote/ask.ts";
import { createRemoteModel } from "../../src/models/remote/index.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Message, Prompt } from "../../src/ports/model.ts";
import type { FoundFile, LeftFile } from "../../src/ports/tool.ts";
import { HERE_IT_IS } from "../../src/reply/texts.ts";
import { Secret } from "../../src/shared/secret.ts";
import { systemClock } from "../../src/system/clock.ts";
import { agentOf, benchFor, eventOf, SimClock } from "../agent/support.ts";
import { pageAgent } from "./page-agent.ts";
import { exampleServer, LANGUAGES, SECRET } from "./remote-server.ts";
import { type Script, type SseServer, sseServer } from "./sse-server.ts";
import { chunksOf, failureOf, promptOf, StillClock, textOf } from "./support.ts";

const modelAt = (url: string, clock: Clock = systemClock) =>
  createRemoteModel({ url, secret: new Secret(SECRET), timeoutMs: 60_000, clock });

function turn(text: string, more: Partial<Prompt> & { event?: Partial<TriggerEvent> } = {}): Prompt {
  const { event, ...rest } = more;
  const about = {
    runId: "run_1",
    agent: "own",
    event: eventOf(text, event),
    budget: { cents: 40, seconds: 12.3 },
  };
  return promptOf(text, { about, ...rest });
}

const text = (words: string) => ({ type: "text", text: words });
const END = { type: "end", stop: "end" };
const ASKED: Message = {
  role: "assistant",
  text: "",
  toolCalls: [{ id: "deploy", name: "ask", input: { question: "Deploy?", choices: ["Yes", "No"] } }],
};
const answered = (result: object): Message => ({
  role: "tool",
  callId: "deploy",
  result: JSON.stringify(result),
  isError: false,
});
const by = { id: "U1", name: "Ann" };

describe.each(LANGUAGES)("the example of a remote agent in %s", (language) => {
  it("answers, asks, and goes on with what was decided", async () => {
    const model = modelAt(await exampleServer(language));
    const chunks = await chunksOf(model, turn("good morning, ☕"));
    expect(textOf(chunks)).toBe("Hello Ann, you said: good morning, ☕");
    expect(chunks.at(-1)).toMatchObject({
      kind: "end",
      stop: "end",
      usage: { inputTokens: 10, costCents: 0 },
    });
    expect(await chunksOf(model, turn("report"))).toContainEqual({
      kind: "file",
      file: { name: "report.csv", mime: "text/csv", data: Buffer.from("who,how many\nAnn,3\n") },
    });
    const asked = await chunksOf(model, turn("deploy"));
    expect(asked).toMatchObject([
      { kind: "tool-call", call: { id: "deploy", input: { choices: ["Deploy", "Not now"] } } },
      { kind: "end", stop: "tools", usage: { costCents: 0 } },
    ]);
    const messages = [{ role: "user" as const, text: "deploy" }, ASKED, answered({ choice: "Not now", by })];
    expect(textOf(await chunksOf(model, turn("deploy", { messages })))).toBe("Ann chose Not now.");
  });

  it("refuses another key", async () => {
    const url = await exampleServer(language);
    const secret = new Secret(`whsec_${Buffer.alloc(24).toString("base64")}`);
    const model = createRemoteModel({ url, secret, timeoutMs: 60_000, clock: systemClock });
    expect(await failureOf(chunksOf(model, turn("hello")))).toMatchObject({
      code: "MODEL_REQUEST_REJECTED",
      message: "Remote agent: answered 401; look at model.secret",
    });
  });
});

describe("a remote agent", () => {
  it("is given the turn as data", async () => {
    await using server = await sseServer({ events: [text("Hi."), END] });
    const messages: Message[] = [
      { role: "user", text: "first", name: "Bob" },
      { role: "assistant", text: "one", toolCalls: [] },
      { role: "user", text: "second", name: "Ann" },
      ASKED,
      answered({ choice: "No", by }),
    ];
    const file = {
      id: "F1",
      kind: "document",
      name: "a.pdf",
      mime: "application/pdf",
      sizeBytes: 9,
    } as const;
    const chunks = await chunksOf(
      modelAt(server.url),
      turn("second", { messages, event: { attachments: [file] } }),
    );
    expect(chunks.at(-1)).toMatchObject({ usage: { costCents: 40 } });
    expect(server.requests[0]?.body).toEqual({
      ...{ turn_id: "test:1", run_id: "run_1", agent: "own", platform: "test" },
      ...{ conversation: eventOf("x").conversation, tenant: eventOf("x").tenant },
      sender: { id: eventOf("x").sender.id, name: "Ann" },
      text: "second",
      history: [
        { role: "user", name: "Bob", text: "first" },
        { role: "assistant", name: null, text: "one" },
      ],
      attachments: [{ id: "F1", kind: "document", name: "a.pdf", mime: "application/pdf", size_bytes: 9 }],
      budget: { cents: 40, seconds: 13 },
      decision: { id: "deploy", choice: "No", by },
      decisions: [{ id: "deploy", choice: "No", by }],
    });
  });

  const events = (...all: object[]): Script => ({ events: all });
  it.each<[string, Script, object]>([
    ["a stream without an end", events(text("Hi")), { code: "MODEL_STREAM_CUT", retryable: true }],
    [
      "a connection that is cut",
      { ...events(text("Hi")), ending: "cut" },
      { code: "MODEL_STREAM_CUT", retryable: true },
    ],
    ["busy", { status: 503 }, { code: "MODEL_OVERLOADED", retryable: true }],
    [
      "too many",
      { status: 429, headers: { "retry-after": "7" } },
      { code: "MODEL_RATE_LIMITED", retryable: true, retryAfterMs: 7000 },
    ],
    ["refused", { status: 422 }, { code: "MODEL_REQUEST_REJECTED", retryable: false }],
    [
      "a redirect",
      { status: 307, headers: { location: "http://127.0.0.1:9/" } },
      { code: "MODEL_REQUEST_REJECTED", retryable: false },
    ],
    ["no stream", { body: { text: "Hi" } }, { code: "MODEL_REQUEST_REJECTED", retryable: false }],
    [
      "an error that passes",
      events({ type: "error", code: "busy", message: "secret words", retryable: true }),
      { message: "Remote agent: busy", retryable: true },
    ],
    [
      "an error that stays",
      events({ type: "error", code: "no such <b>", message: "secret words" }),
      { message: "Remote agent: no code", retryable: false },
    ],
    [
      "text that is none",
      events({ type: "text", text: 7 }, END),
      { code: "MODEL_STREAM_CUT", retryable: false },
    ],
    [
      "a cost below nothing",
      events({ type: "usage", cost_cents: -1 }, END),
      { message: "Remote agent: event usage: expected cost_cents as a number from 0 up" },
    ],
    [
      "a question with too many answers",
      events({ type: "ask", id: "1", question: "?", choices: Array.from({ length: 11 }, String) }, END),
      { message: expect.stringContaining("expected choices as at most 10 strings") },
    ],
    [
      "a file without a name",
      events({ type: "file", text: "a" }, END),
      { message: expect.stringContaining("expected name as a string of 1 to 200 characters") },
    ],
    [
      "a file of which the bytes are no base64",
      events({ type: "file", name: "a", data_base64: "a b" }, END),
      { message: expect.stringContaining("expected text as a string, or data_base64 as base64") },
    ],
    [
      "more files than anyone reads",
      events(...Array.from({ length: 21 }, () => ({ type: "file", name: "a", text: "a" })), END),
      { message: "Remote agent: event file: expected at most 20, got more" },
    ],
  ])("that answers with %s is an error that says so", async (_, script, error) => {
    await using server = await sseServer(script);
    expect(await failureOf(chunksOf(modelAt(server.url), turn("hello")))).toMatchObject(error);
  });

  it("is told the trace that it is part of, where there is one", async () => {
    await using server = await sseServer({ events: [text("Hi"), END] });
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const prompt = turn("hello");
    const { about } = prompt;
    if (about === undefined) expect.fail("Expected to be told of the turn");
    await chunksOf(modelAt(server.url), { ...prompt, about: { ...about, traceparent } });
    await chunksOf(modelAt(server.url), prompt);
    expect(server.requests.map(({ headers }) => headers.traceparent)).toEqual([traceparent, undefined]);
  });

  it("is left when the run is stopped, and after its time", async () => {
    await using server = await sseServer({ events: [text("Hi")], ending: "hang" });
    const stop = new AbortController();
    const stopped = failureOf(
      (async () => {
        for await (const chunk of modelAt(server.url).generate(turn("hello"), stop.signal))
          if (chunk.kind === "text") stop.abort(new Error("stopped"));
      })(),
    );
    expect(await stopped).toMatchObject({ message: "stopped" });
    await server.gone(1);
    const clock = new StillClock();
    const late = failureOf(
      (async () => {
        for await (const chunk of modelAt(server.url, clock).generate(
          turn("hello"),
          new AbortController().signal,
        ))
          if (chunk.kind === "text") clock.wake();
      })(),
    );
    expect(await late).toMatchObject({ code: "MODEL_STREAM_CUT", retryable: true });
    await server.gone(2);
  });
});

/** Time stands still, and nobody waits for no time. */
class ReadyClock extends SimClock {
  override sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return durationMs === 0 ? Promise.resolve() : super.sleep(durationMs, signal);
  }
}

describe("a run of a remote agent", () => {
  const agentAt = (server: Pick<SseServer, "url">) => {
    return agentOf(modelAt(server.url), {
      tools: [REMOTE_ASK],
      limits: { costCentsMax: 100 },
      retry: { maxAttempts: 3, backoffSeconds: 0, exponential: false },
    });
  };
  const cost = (cost_cents: number) => ({ type: "usage", cost_cents });

  it("posts a broken turn again, and pays for it once", async () => {
    await using server = await sseServer(
      { events: [text("Hal")] },
      { events: [text("Hal")], ending: "cut" },
      { events: [text("Hallo."), cost(60), END] },
    );
    const bench = benchFor(agentAt(server), new ReadyClock());
    const result = await bench.attempt();
    expect(result).toMatchObject({ outcome: "answered", text: "Hallo.", usage: { costCents: 60 } });
    expect(new Set(server.requests.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(server.requests.map(({ body }) => body.turn_id)).toEqual(Array(3).fill("test:1"));
    expect(server.requests.map(({ body }) => (body.budget as { cents: number }).cents)).toEqual([
      100, 100, 100,
    ]);
    expect(bench.records.at(-1)?.map(({ kind }) => kind)).toEqual(["model-started", "model"]);
  });

  it("sends files with its answer, each once though the turn was posted again, and none of before a question", async () => {
    const file = (name: string) => ({ type: "file", name, mime: "image/png", data_base64: "AP8=" });
    const question = { type: "ask", id: "q1", question: "Which?" };
    await using server = await sseServer(
      { events: [file("half.png")], ending: "cut" },
      { events: [file("early.png"), question, END] },
      { events: [file("a.png"), file("b.png"), END] },
    );
    const bench = benchFor(agentAt(server), new ReadyClock());
    const kept: unknown[] = [];
    const keepFile = async ({ name, ...found }: FoundFile | LeftFile) => {
      kept.push("data" in found ? [name, found.mime, found.data.length] : name);
      return { id: name, name, mime: "image/png", bytes: 2 };
    };
    const parked = await bench.attempt({ keepFile });
    if (parked.outcome !== "parked") expect.fail("Expected it to wait");
    expect(kept).toEqual([]);
    const asked = parked.steps.find((step) => step.kind === "tool-asked");
    const decided: Step = {
      ...{ kind: "tool-decided", approvalId: asked?.kind === "tool-asked" ? asked.approvalId : "" },
      ...{ verdict: "approved", by },
    };
    const result = await bench.attempt({ steps: [...parked.steps, decided], keepFile });
    expect(result).toMatchObject({ outcome: "answered", text: HERE_IT_IS });
    expect(kept).toEqual([
      ["a.png", "image/png", 2],
      ["b.png", "image/png", 2],
    ]);
    expect(filesMadeIn(bench.records.at(-1) ?? []).map(({ name }) => name)).toEqual(["a.png", "b.png"]);
  });

  it("is out of money once all was spent, also where it does not tell", async () => {
    await using server = await sseServer({ events: [text("Hi."), END] });
    expect(await benchFor(agentAt(server), new ReadyClock()).attempt()).toMatchObject({
      outcome: "answered",
      usage: { costCents: 100 },
    });
  });

  it("waits for an answer to what it asks, and is told which it was", async () => {
    const question = { type: "ask", id: "q1", question: "Deploy?", choices: ["Deploy", "Not now"] };
    await using server = await sseServer(
      { events: [cost(10), question, END] },
      { events: [text("As you wish."), cost(20), END] },
    );
    const bench = benchFor(agentAt(server), new ReadyClock());
    const parked = await bench.attempt();
    if (parked.outcome !== "parked") expect.fail("Expected it to wait");
    const asked = parked.steps.find((step) => step.kind === "tool-asked");
    if (asked?.kind !== "tool-asked") expect.fail("Expected a question");
    expect(asked).toMatchObject({ question: "Deploy?", choices: ["Deploy", "Not now"] });
    const decided: Step = {
      ...{ kind: "tool-decided", approvalId: asked.approvalId, verdict: "approved" },
      ...{ by, choice: 2 },
    };
    const result = await bench.attempt({ steps: [...parked.steps, decided] });
    expect(result).toMatchObject({ outcome: "answered", text: "As you wish.", usage: { costCents: 30 } });
    expect(server.requests[1]?.body).toMatchObject({
      turn_id: "test:1",
      decision: { id: "q1", choice: "Not now", by },
      budget: { cents: 90 },
    });
    expect(server.requests[1]?.headers["webhook-id"]).not.toBe(server.requests[0]?.headers["webhook-id"]);
  });

  it("that was written from the page alone answers, breaks, asks, and hears what was decided", async () => {
    const agent = await pageAgent(SECRET, { breaksFirst: true });
    const bench = benchFor(agentAt(agent), new ReadyClock());
    expect(await bench.attempt({ event: eventOf("good morning") })).toMatchObject({
      outcome: "answered",
      text: 'You said "good morning", after 0 lines.',
      usage: { costCents: 1.5 },
    });
    const event = eventOf("please release", { id: "test:2" });
    const parked = await bench.attempt({ event });
    if (parked.outcome !== "parked") expect.fail("Expected it to wait");
    const asked = parked.steps.find((step) => step.kind === "tool-asked");
    if (asked?.kind !== "tool-asked") expect.fail("Expected a question");
    expect(asked.question).toBe("May Ann release?");
    const decided: Step = {
      ...{ kind: "tool-decided", approvalId: asked.approvalId, verdict: "denied", by, reason: "not now" },
    };
    expect(await bench.attempt({ event, steps: [...parked.steps, decided] })).toMatchObject({
      outcome: "answered",
      usage: { costCents: 3.5 },
    });
    expect(agent.posts.map(({ turn_id }) => turn_id)).toEqual([
      ...["test:1", "test:1"],
      ...["test:2", "test:2", "test:2"],
    ]);
    expect(agent.posts.at(-1)?.decision).toMatchObject({ id: "release-1", by: { name: "Ann" } });
    expect(agent.posts.at(-1)?.budget.cents).toBe(98);
  });
});
