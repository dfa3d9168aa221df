import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAgentRuntime } from "../../src/agent/runtime.ts";
import { Dispatcher } from "../../src/dispatch/dispatcher.ts";
import { recallFor } from "../../src/dispatch/memory.ts";
import { Breakers } from "../../src/domain/breaker.ts";
import type { BusyMode } from "../../src/domain/busy.ts";
import { createAnthropicModel } from "../../src/models/anthropic.ts";
import type { ChatModel, Prompt } from "../../src/ports/model.ts";
import type { Job } from "../../src/ports/queue.ts";
import type { Store } from "../../src/ports/store.ts";
import type { Tool } from "../../src/ports/tool.ts";
import { Secret } from "../../src/shared/secret.ts";
import { systemClock } from "../../src/system/clock.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import type { WorkerDeps } from "../../src/worker/deps.ts";
import { work } from "../../src/worker.ts";
import { agentOf, fakeModel, fakeTool, type Scripted } from "../agent/support.ts";
import {
  messageEnd,
  messageStart,
  type SseServer,
  sseServer,
  textBlock,
  toolBlock,
} from "../models/sse-server.ts";
import { FakeAdapter } from "../support/adapter.ts";
import { FakeClock } from "../support/clock.ts";
import { NO_DESK } from "../support/desk.ts";
import { A_STOP, anEvent } from "../support/event.ts";
import { eventually } from "../support/eventually.ts";
import { guideWith } from "../support/guide.ts";
import { selectionOf } from "../support/selection.ts";
import { anOffer, LEASE_MS, openTestStore } from "../support/store.ts";

let clock: FakeClock;
let store: Store;
let slack: FakeAdapter;
let dispatcher: Dispatcher;
/** What each call of the model was shown, and what it gives. */
let answers: ((prompt: Prompt) => Scripted | Promise<Scripted>)[];
let prompts: string[][];
let tool: () => Promise<string>;
/** What a person is asked before the tool is used; null: nobody is. */
let question: string | null;
let quietMs: number;
let toolEffect: Tool["effect"];
beforeEach(async () => {
  clock = new FakeClock();
  store = await openTestStore(clock);
  slack = new FakeAdapter();
  answers = [];
  prompts = [];
  tool = async () => "seen";
  question = null;
  quietMs = 0;
  toolEffect = "read";
});
afterEach(() => dispatcher.stop(0));

const say = (prompt: Prompt): Scripted => ({ text: `heard ${wordsOf(prompt).length}` });
const hang = (): Scripted => ({ hang: "heeding" });

function wordsOf({ messages }: Prompt): string[] {
  return messages.map((message) => (message.role === "tool" ? `tool: ${message.result}` : message.text));
}

function scripted(): ChatModel {
  return fakeModel((prompt, index) => {
    prompts.push(wordsOf(prompt));
    return (answers[index] ?? say)(prompt) as Scripted;
  });
}

function start(model = scripted()): void {
  const asks = question;
  const tools = [
    {
      ...fakeTool("look", () => tool()),
      effect: toolEffect,
      repeatable: toolEffect === "read",
      ...(asks !== null && { asks: () => asks }),
    },
  ];
  const agents = new Map([["assistant", agentOf(model, { tools })]]);
  const observe = { modelCall: () => {}, retry: () => {}, toolCall: () => {} };
  const memory = new Map([["assistant", { turnsMax: 10, ttlMs: 3_600_000 }]]);
  const [log, metrics] = [silentLogger(), createMetrics()];
  const deps: WorkerDeps = {
    queue: store.queue,
    memory: store.memory,
    adapters: new Map([["slack", slack]]),
    runtime: createAgentRuntime({ agents, clock, random: () => 0, observe }),
    routes: [{ match: {}, agent: "assistant" }],
    selection: selectionOf(),
    agents: memory,
    guide: guideWith(),
    control: {
      memory: store.memory,
      lanes: store.lanes,
      describeAgent: (name) => ({ name, model: "a model" }),
      approversOf: () => null,
      clock,
      desk: NO_DESK,
      isPaused: () => false,
      version: "1",
    },
    render: (adapter, markdown, to) => adapter.render(markdown, to),
    delivery: { outbox: store.outbox, breakers: new Breakers(clock), inDoubt: "leave", log, metrics },
    attemptsMax: 3,
    quietMsOf: () => quietMs,
    isPaused: () => false,
    clock,
    newId: (prefix) => `${prefix}_1`,
    log,
    metrics,
  };
  dispatcher = new Dispatcher({
    queue: store.queue,
    bus: store.bus,
    clock,
    random: () => 0.5,
    work: (job, signals) => work(job, deps, signals),
    retry: { attemptsMax: 3, baseMs: 1_000 },
    concurrency: 4,
    leaseMs: LEASE_MS,
    memory: recallFor(memory),
    log,
    metrics,
  });
  dispatcher.start();
}

/** As the gateway does it. */
async function send(text: string, busy: BusyMode, sender = "ann"): Promise<void> {
  const event = anEvent({
    id: `slack:${text}`,
    text,
    isDirect: true,
    sender: { id: sender, name: sender, isBot: false },
    occurredAtMs: clock.nowMs(),
  });
  await store.inbox.accept(anOffer(event, { busy }));
  if (busy === "interrupt")
    await store.lanes.signal(event.conversation, { kind: "interrupt", byEvent: event.id });
}

const soon = (check: () => void | Promise<void>) => eventually(async () => await check(), 20_000);
const asked = (count: number) => soon(() => expect(prompts).toHaveLength(count));
const said = (...texts: string[]) => soon(() => expect(slack.said).toEqual(texts));
const stateOf = async (text: string) => {
  const record = await store.journal.find(`slack:${text}`);
  return [record?.state, record?.mergedInto];
};
const done = (text: string) => soon(async () => expect((await stateOf(text))[0]).toMatch(/^(done|merged)$/));
const remembered = async () =>
  (await store.memory.recall(anEvent().conversation, { turnsMax: 99, sinceMs: 0 })).map(({ text }) => text);

it("what waits when a run begins is answered by it together, and remembered in order", async () => {
  for (const text of ["one", "two", "three"]) await send(text, "collect");
  start();
  await said("heard 3");
  await done("three");
  expect(prompts).toEqual([["one", "two", "three"]]);
  expect(await stateOf("one")).toEqual(["done", null]);
  expect(await stateOf("three")).toEqual(["merged", "slack:one"]);
  expect(await remembered()).toEqual(["one", "two", "three", "heard 3"]);
});

it("what comes while a run that collects is in hand is answered by the next, together", async () => {
  const gate = Promise.withResolvers<string>();
  tool = () => gate.promise;
  answers = [() => ({ calls: [{ id: "1", name: "look", input: {} }] })];
  await send("one", "collect");
  start();
  await asked(1);
  for (const text of ["two", "three"]) await send(text, "collect");
  gate.resolve("seen");
  await said("heard 3", "heard 4");
  expect(prompts.slice(1)).toEqual([
    ["one", "", "tool: seen"],
    ["one", "heard 3", "two", "three"],
  ]);
});

describe("a quiet time", () => {
  let defers: number;
  beforeEach(() => {
    quietMs = 1_000;
    defers = 0;
    const inner = store.queue;
    const queue: Store["queue"] = {
      ...inner,
      async settle(job, settlement) {
        const isHeld = await inner.settle(job, settlement);
        if (settlement.kind === "defer") defers++;
        return isHeld;
      },
    };
    store = { ...store, queue };
    start();
  });

  it("is waited for, and all that came in a burst is answered together", async () => {
    await send("one", "collect");
    await soon(() => expect(defers).toBe(1));
    clock.advance(700);
    await send("two", "collect");
    clock.advance(300);
    await soon(() => expect(defers).toBe(2));
    clock.advance(699);
    await store.journal.stats();
    expect(prompts).toEqual([]);
    clock.advance(1);
    await said("heard 2");
    expect(prompts).toEqual([["one", "two"]]);
  });

  it("is waited for ten times at most", async () => {
    await send("word-0", "collect");
    for (let n = 1; n < 10; n++) {
      await soon(() => expect(defers).toBe(n));
      clock.advance(500);
      await send(`word-${n}`, "collect");
      clock.advance(500);
    }
    await soon(() => expect(defers).toBe(10));
    expect(prompts).toEqual([]);
    clock.advance(500);
    await send("last", "collect");
    clock.advance(500);
    await said("heard 11");
  });

  it("is over for what is delivered late", async () => {
    const late = anEvent({ text: "late", occurredAtMs: clock.nowMs() - 1_000 });
    await store.inbox.accept(anOffer(late, { busy: "collect" }));
    await said("heard 1");
    expect(defers).toBe(0);
  });

  it("is not waited for where a message does not collect", async () => {
    await send("one", "queue");
    await said("heard 1");
    expect(defers).toBe(0);
  });
});

it("a message that interrupts ends the run, and the next answers both", async () => {
  answers = [hang];
  await send("one", "interrupt");
  start();
  await asked(1);
  await send("two", "interrupt");
  await said("heard 2");
  await done("two");
  expect(prompts).toEqual([["one"], ["one", "two"]]);
  expect(await stateOf("two")).toEqual(["merged", "slack:one"]);
  expect((await store.journal.find("slack:one"))?.attempt).toBe(1);
  expect(await remembered()).toEqual(["one", "two", "heard 2"]);
});

it.each([
  ["reads", "read", "tool: interrupted: a newer message came"],
  ["writes", "write", "tool: interrupted, outcome unknown"],
] as const)(
  "what interrupts a tool that %s has it not called again, nor what was to come behind it",
  async (_what, effect, told) => {
    const begun = Promise.withResolvers<void>();
    let uses = 0;
    toolEffect = effect;
    tool = () => {
      uses++;
      begun.resolve();
      return new Promise<never>(() => {});
    };
    const call = (id: string) => ({ id, name: "look", input: {} });
    answers = [() => ({ calls: [call("1"), call("2")] })];
    await send("one", "interrupt");
    start();
    await begun.promise;
    await send("two", "interrupt");
    await done("two");
    expect(uses).toBe(1);
    expect(prompts[1]).toEqual(["one", "", told, "tool: interrupted: a newer message came", "two"]);
    expect(slack.said).toHaveLength(1);
  },
);

it("a message of somebody else interrupts nothing, and waits its turn", async () => {
  const gate = Promise.withResolvers<string>();
  tool = () => gate.promise;
  answers = [() => ({ calls: [{ id: "1", name: "look", input: {} }] })];
  await send("one", "interrupt");
  start();
  await asked(1);
  await send("two", "interrupt", "bob");
  gate.resolve("seen");
  await done("two");
  expect(prompts[1]).not.toContain("two");
  expect(await stateOf("two")).toEqual(["done", null]);
});

it("what comes with the last word of the model is answered too, before anything is said", async () => {
  const model = Promise.withResolvers<void>();
  const inner = store.queue;
  // The run ends between the word of the message and the look at what waits.
  const queue = {
    ...inner,
    async join(job: Job) {
      const joined = await inner.join(job);
      if (joined.length > 0) model.resolve();
      return joined;
    },
  };
  store = { ...store, queue };
  tool = async () => {
    await model.promise;
    return "seen";
  };
  answers = [() => ({ calls: [{ id: "1", name: "look", input: {} }] })];
  await send("one", "interrupt");
  start();
  await asked(1);
  await send("two", "interrupt");
  await done("two");
  expect(slack.said).toHaveLength(1);
  expect(prompts.at(-1)).toContain("two");
});

it("what interrupts a run that is parked takes its question back, and both are answered", async () => {
  question = "May I look?";
  tool = () => Promise.reject(new Error("Expected nobody to use it"));
  answers = [() => ({ calls: [{ id: "1", name: "look", input: {} }] })];
  await send("one", "interrupt");
  start();
  await soon(async () => expect((await stateOf("one"))[0]).toBe("parked"));
  expect(slack.said).toEqual([expect.stringContaining("May I look?")]);
  await send("two", "interrupt");
  await done("two");
  expect(await stateOf("one")).toEqual(["done", null]);
  expect(prompts).toHaveLength(2);
  expect(prompts[1]).toEqual(
    expect.arrayContaining(["one", "tool: withdrawn: a newer message came before anybody decided", "two"]),
  );
  expect(slack.said).toHaveLength(2);
});

it("a run is steered by what comes while it works, before its next call of the model", async () => {
  const gate = Promise.withResolvers<string>();
  tool = () => gate.promise;
  answers = [() => ({ calls: [{ id: "1", name: "look", input: {} }] })];
  await send("one", "steer");
  start();
  await asked(1);
  await send("two", "steer");
  gate.resolve("seen");
  await said("heard 4");
  await done("two");
  expect(prompts[1]).toEqual(["one", "", "tool: seen", "two"]);
  expect(await remembered()).toEqual(["one", "two", "heard 4"]);
});

it("what comes too late to steer a run is answered next", async () => {
  slack.fate = async ({ index }) => {
    if (slack.sends.length === 1) await send("two", "steer");
    return { messageId: `m${index}`, via: "fake" };
  };
  await send("one", "steer");
  start();
  await said("heard 1", "heard 3");
  await done("two");
  expect(await stateOf("two")).toEqual(["done", null]);
});

it("/stop ends a run that several messages wait for, and all of them with it", async () => {
  answers = [hang];
  for (const text of ["one", "two"]) await send(text, "collect");
  start();
  await asked(1);
  await store.lanes.signal(anEvent().conversation, A_STOP);
  await said("Stopped.");
  await done("two");
  expect(await stateOf("two")).toEqual(["merged", "slack:one"]);
});

it("what was joined is shown again in its place when the run is taken up by another", async () => {
  const away = { error: Object.assign(new Error("gone"), {}) };
  answers = [() => ({ calls: [{ id: "1", name: "look", input: {} }] }), () => away];
  await send("one", "steer");
  tool = async () => {
    await send("two", "steer");
    return "seen";
  };
  start();
  await asked(2);
  await soon(async () => {
    clock.advance(1_000);
    expect(prompts).toHaveLength(3);
  });
  await done("two");
  expect(prompts[2]).toEqual(prompts[1]);
  expect(prompts[1]).toEqual(["one", "", "tool: seen", "two"]);
});

it("a message that is taken back while its run is in hand ends it, and nothing is said", async () => {
  answers = [hang];
  await send("one", "queue");
  start();
  await asked(1);
  await send("two", "queue");
  await store.memory.withdraw("slack:one");
  await said("heard 1");
  await done("two");
  expect(await store.journal.find("slack:one")).toMatchObject({ state: "dropped", cause: "withdrawn" });
  expect(await remembered()).toEqual(["two", "heard 1"]);
});

it("a message that is taken back while it waits, or while its run waits for a person, is not run", async () => {
  question = "May I look?";
  answers = [() => ({ calls: [{ id: "1", name: "look", input: {} }] })];
  await send("one", "queue");
  start();
  await soon(async () => expect((await stateOf("one"))[0]).toBe("parked"));
  await send("two", "queue");
  await send("three", "queue");
  await store.memory.withdraw("slack:two");
  await store.memory.withdraw("slack:one");
  await done("three");
  expect(prompts).toEqual([["one"], ["three"]]);
  expect([await stateOf("one"), await stateOf("two")]).toEqual([
    ["dropped", null],
    ["dropped", null],
  ]);
  expect(slack.said).toEqual([expect.stringContaining("May I look?"), "heard 1"]);
});

it("what was joined to a message that is taken back is answered all the same, and not remembered", async () => {
  answers = [hang];
  for (const text of ["one", "two"]) await send(text, "collect");
  start();
  await asked(1);
  await store.memory.withdraw("slack:one");
  await send("three", "interrupt");
  await done("two");
  expect(await stateOf("two")).toEqual(["merged", "slack:one"]);
  expect(slack.said).toHaveLength(1);
  expect(await remembered()).toEqual([]);
});

it("what is joined in the very moment in which its message is taken back is answered", async () => {
  const inner = store.queue;
  const queue = {
    ...inner,
    async join(job: Job) {
      const joined = await inner.join(job);
      if (joined.length > 0) await store.memory.withdraw("slack:one");
      return joined;
    },
  };
  store = { ...store, queue };
  for (const text of ["one", "two"]) await send(text, "collect");
  start();
  await done("two");
  expect(slack.said).toEqual(["heard 2"]);
  expect(await remembered()).toEqual([]);
});

/** The real client of the provider, and a server that plays it. */
const anthropicAt = (baseUrl: string) =>
  createAnthropicModel({
    apiKey: new Secret("sk-ant-secret"),
    baseUrl,
    model: "claude-sonnet-5",
    maxTokens: 4_096,
    timeoutMs: 60_000,
    price: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0, tiers: [] },
    clock: systemClock,
  });
const ANSWER = [messageStart(), ...textBlock(0, "heard"), ...messageEnd("end_turn")];
const requested = (provider: SseServer, count: number) =>
  soon(() => expect(provider.requests).toHaveLength(count));
const shownTo = (provider: SseServer, index: number) =>
  JSON.stringify(provider.requests[index]?.body.messages);

it("Anthropic is asked once for all that a run collects", async () => {
  await using provider = await sseServer({ events: ANSWER });
  for (const text of ["one", "two"]) await send(text, "collect");
  start(anthropicAt(provider.url));
  await done("two");
  await said("heard");
  expect(provider.requests).toHaveLength(1);
  expect(shownTo(provider, 0)).toMatch(/one.*two/);
});

it("Anthropic's stream is broken off by a message that interrupts, and asked anew for both", async () => {
  const begun = { events: [messageStart(), ...textBlock(0, "half an answ")], ending: "hang" } as const;
  await using provider = await sseServer(begun, { events: ANSWER });
  await send("one", "interrupt");
  start(anthropicAt(provider.url));
  await requested(provider, 1);
  await send("two", "interrupt");
  await provider.gone(1);
  await done("two");
  await said("heard");
  expect(provider.requests).toHaveLength(2);
  expect(shownTo(provider, 1)).toMatch(/one.*two/);
});

it("Anthropic is shown what comes during a tool call in its next request", async () => {
  const look = [messageStart(), ...toolBlock(0, "look", "{}"), ...messageEnd("tool_use")];
  await using provider = await sseServer({ events: look }, { events: ANSWER });
  const gate = Promise.withResolvers<string>();
  const isUsed = Promise.withResolvers<void>();
  tool = () => {
    isUsed.resolve();
    return gate.promise;
  };
  await send("one", "steer");
  start(anthropicAt(provider.url));
  await isUsed.promise;
  await send("two", "steer");
  gate.resolve("seen");
  await done("two");
  expect(provider.requests).toHaveLength(2);
  expect(shownTo(provider, 1)).toMatch(/one.*seen.*two/);
});
