import { beforeEach, describe, expect, it } from "vitest";
import { createAgentRuntime } from "../src/agent/runtime.ts";
import type { JobSignals } from "../src/dispatch/dispatcher.ts";
import { Deferred, settlementFor } from "../src/dispatch/settle.ts";
import { RunAborted } from "../src/domain/abort.ts";
import { CRASHES_MAX, CUT_OFFS_MAX, SUSPECTS_MAX } from "../src/domain/bounds.ts";
import { BreakerOpen, Breakers } from "../src/domain/breaker.ts";
import { controlLane } from "../src/domain/command.ts";
import { contextItem } from "../src/domain/context.ts";
import { DeliveryError, GatewayError, ModelError } from "../src/domain/errors.ts";
import type { TriggerEvent } from "../src/domain/event.ts";
import type { Remembering } from "../src/domain/memory-scope.ts";
import { NO_USAGE, type Step } from "../src/domain/run.ts";
import type { AgentRuntime, Run, RunResult } from "../src/ports/agent.ts";
import type { Offer } from "../src/ports/inbox.ts";
import type { ReplayMode } from "../src/ports/journal.ts";
import type { Job } from "../src/ports/queue.ts";
import { TYPING_AFTER_MS } from "../src/reply/typing.ts";
import { WaitNotices } from "../src/reply/waiting.ts";
import type { InlineStore } from "../src/store/sqlite/inline.ts";
import { silentLogger } from "../src/telemetry/log.ts";
import { createMetrics } from "../src/telemetry/metrics.ts";
import type { WorkerDeps } from "../src/worker/deps.ts";
import { work } from "../src/worker.ts";
import { agentOf, call, fakeModel, fakeTool } from "./agent/support.ts";
import { FakeAdapter, failing } from "./support/adapter.ts";
import { FakeClock } from "./support/clock.ts";
import { NO_DESK } from "./support/desk.ts";
import { A_STOP, anEvent } from "./support/event.ts";
import { guideWith } from "./support/guide.ts";
import { countOf, sumAndCount } from "./support/metrics.ts";
import { selectionOf } from "./support/selection.ts";
import { aJob, anOffer, claimAll, claimOne, LEASE_MS, nextAttempt, openTestStore } from "./support/store.ts";

const ATTEMPTS_MAX = 3;
const STEP: Step = { kind: "model", text: "half", toolCalls: [], usage: { ...NO_USAGE, outputTokens: 5 } };
const overloaded = new ModelError("MODEL_OVERLOADED", "529", { retryable: true });
const revoked = new DeliveryError("refused", "chat.postMessage: token_revoked");
const REVOKED = "PLATFORM_REFUSED: chat.postMessage: token_revoked";
const busy = new DeliveryError("retry", "busy", { status: 503 });

let clock: FakeClock;
let store: InlineStore;
let slack: FakeAdapter;
let runs: Run[];
/** What the agent does next time. */
let agent: AgentRuntime["run"];
let deps: WorkerDeps;
let abort: AbortController;
let stop: AbortController;
let isPaused: boolean;

beforeEach(async () => {
  clock = new FakeClock();
  store = await openTestStore(clock);
  slack = new FakeAdapter("slack");
  runs = [];
  agent = async ({ event }) => answered(`You said: ${event.text}`);
  abort = new AbortController();
  stop = new AbortController();
  isPaused = false;
  const log = silentLogger();
  const metrics = createMetrics();
  deps = {
    queue: store.queue,
    memory: store.memory,
    adapters: new Map([["slack", slack]]),
    runtime: {
      run(run, hold, signal) {
        runs.push(run);
        return agent(run, hold, signal);
      },
    },
    routes: [{ match: { platforms: new Set(["slack"]) }, agent: "assistant" }],
    selection: selectionOf(),
    agents: new Map([["assistant", { turnsMax: 4, ttlMs: 60_000 }]]),
    guide: guideWith(),
    control: {
      memory: store.memory,
      lanes: store.lanes,
      desk: NO_DESK,
      describeAgent: (name) => ({ name, model: "the demo model" }),
      approversOf: () => ({ only: null, self: true }),
      clock,
      isPaused: () => isPaused,
      version: "1.2.3",
    },
    render: (adapter, markdown, to) => adapter.render(markdown, to),
    delivery: {
      outbox: store.outbox,
      breakers: new Breakers(clock),
      inDoubt: "resend_marked",
      log,
      metrics,
    },
    attemptsMax: ATTEMPTS_MAX,
    isPaused: () => isPaused,
    clock,
    newId: (prefix) => `${prefix}_${runs.length + 1}`,
    log,
    metrics,
  };
});

function answered(text: string, changes: Partial<RunResult> = {}): RunResult {
  return { outcome: "answered", text, usage: NO_USAGE, modelCalls: 1, ...changes };
}

function signals(claimed: Job): JobSignals {
  const run = AbortSignal.any([abort.signal, stop.signal]);
  return {
    job: abort.signal,
    run,
    heard: () => claimed.signals,
    listen: () => () => {},
    isHeld: async () => true,
    leftMs: () => LEASE_MS,
  };
}

const job = (event: Partial<TriggerEvent> = {}, offer: Partial<Offer> = {}) => aJob(store, event, offer);
const doWork = (claimed: Job) => work(claimed, deps, signals(claimed));

/** As the dispatcher does it. */
async function workAndSettle(claimed: Job): Promise<void> {
  await store.queue.settle(claimed, await doWork(claimed));
}

/** As the dispatcher does it where there is one attempt, which an outage does not use up. */
async function attempted(claimed: Job) {
  const error: unknown = await doWork(claimed).catch((reason: unknown) => reason);
  const settlement = settlementFor(error, claimed, { attemptsMax: 1, baseMs: 1 }, () => 0);
  if (settlement !== null) await store.queue.settle(claimed, settlement);
  return { error, settlement };
}

async function recordOf({ event }: Job) {
  const record = await store.journal.find(event.id);
  if (record === null) throw new Error(`Expected ${event.id} in the journal, got nothing`);
  return record;
}

const turns = (conversation: string) => store.memory.recall(conversation, { turnsMax: 10, sinceMs: 0 });

/** The event at its n-th attempt, after failures only. */
async function atAttempt(n: number): Promise<Job> {
  let claimed = await job();
  while (claimed.attempt < n) {
    await store.queue.settle(claimed, { kind: "retry", afterMs: 0, cause: "failed" });
    claimed = await claimOne(store.queue);
  }
  return claimed;
}

/** The event after so many deaths of the process that held it alone. */
async function afterCrashes(n: number): Promise<Job> {
  let claimed = await job();
  while (claimed.attempt <= n) {
    clock.advance(LEASE_MS + 1);
    claimed = await claimOne(store.queue);
  }
  return claimed;
}

/** The event after so many deaths of the process that held it among others. */
async function afterCutOffs(n: number): Promise<Job> {
  for (let i = 0; i < SUSPECTS_MAX; i++) {
    await store.inbox.accept(anOffer(anEvent({ id: `slack:other ${i}`, conversation: `other ${i}` })));
  }
  await store.inbox.accept(anOffer(anEvent()));
  for (;;) {
    const jobs = await claimAll(store.queue);
    const claimed = jobs.find(({ event }) => event.id === anEvent().id);
    if (claimed === undefined) throw new Error("Expected the event among the claimed");
    if (claimed.attempt > n) return claimed;
    clock.advance(LEASE_MS + 1);
  }
}

describe("a message", () => {
  it("is run, answered, and remembered with its answer", async () => {
    const claimed = await job({ text: "hello" });
    clock.advance(2_000);
    const settlement = await doWork(claimed);
    expect(slack.said).toEqual(["You said: hello"]);
    expect(settlement).toEqual({
      kind: "done",
      outcome: "answered",
      turns: [
        { role: "user", name: "ann", text: "hello", atMs: claimed.event.occurredAtMs, by: "U1" },
        { role: "assistant", name: null, text: "You said: hello", atMs: clock.nowMs(), by: "U1" },
      ],
    });
    expect(runs).toEqual([
      {
        id: "run_1",
        agent: "assistant",
        event: claimed.event,
        history: [],
        steps: [],
        startedAtMs: clock.nowMs(),
      },
    ]);
    expect(await countOf(deps.metrics, "runs", { agent: "assistant", outcome: "answered" })).toBe(1);
  });

  it("is measured from its acceptance to its last part, and what the gateway took of that", async () => {
    const PLATFORM_MS = 30;
    slack.fate = async () => {
      const untilMs = performance.now() + PLATFORM_MS;
      while (performance.now() < untilMs) await new Promise((resolve) => setImmediate(resolve));
      return { messageId: "m0", via: "fake" };
    };
    const claimed = await job({ text: "hello" });
    clock.advance(2_500);
    const startedAt = performance.now();
    await doWork(claimed);
    const of = { platform: "slack" };
    expect(await sumAndCount(deps.metrics.eventSeconds, of)).toEqual([2.5, 1]);
    const allMs = performance.now() - startedAt;
    const [own, count] = await sumAndCount(deps.metrics.ownSeconds, of);
    expect(count).toBe(1);
    expect(own).toBeGreaterThan(0);
    expect(own * 1000).toBeLessThan(allMs - PLATFORM_MS);
  });

  it("is no answered run before the answer is said", async () => {
    slack.fates.push(failing(busy));
    const claimed = await job();
    await expect(doWork(claimed)).rejects.toThrow("busy");
    expect(await countOf(deps.metrics, "runs")).toBe(0);
    expect(await countOf(deps.metrics, "runAttempts", { outcome: "answered" })).toBe(1);
    await doWork(await nextAttempt(store, claimed));
    expect(await countOf(deps.metrics, "runs", { agent: "assistant", outcome: "answered" })).toBe(1);
  });

  it("tells how many tokens its run took, by the model of the agent", async () => {
    const usage = { ...NO_USAGE, inputTokens: 700, cacheReadTokens: 500, outputTokens: 50 };
    agent = async () => answered("Yes.", { usage, model: "claude-sonnet-5" });
    await doWork(await job());
    const of = { agent: "assistant", model: "claude-sonnet-5" };
    expect(await sumAndCount(deps.metrics.runTokens, of)).toEqual([750, 1]);
  });

  it("is run with what was said before, as much of it as the agent may see", async () => {
    for (const n of [1, 2, 3]) {
      await workAndSettle(await job({ id: `slack:${n}`, text: `${n}`, occurredAtMs: clock.nowMs() }));
      clock.advance(25_000);
    }
    const last = await job({ id: "slack:4", text: "4", occurredAtMs: clock.nowMs() });
    await doWork(last);
    expect(runs.at(-1)?.history.map(({ text }) => text)).toEqual(["2", "You said: 2", "3", "You said: 3"]);
  });

  it("is not remembered when the model declined to answer it", async () => {
    agent = async () => answered("I cannot help with that.", { outcome: "refused" });
    expect(await doWork(await job())).toEqual({ kind: "done", outcome: "refused", turns: [] });
    expect(slack.said).toEqual(["I cannot help with that."]);
  });

  it("shows the bot as working while it is run, once that takes half a second, and no longer", async () => {
    const seen: (boolean | undefined)[] = [];
    agent = async () => {
      clock.advance(TYPING_AFTER_MS - 1);
      await Promise.resolve();
      seen.push(slack.typings[0]?.aborted);
      clock.advance(1);
      await Promise.resolve();
      seen.push(slack.typings[0]?.aborted);
      return answered("done");
    };
    await doWork(await job());
    expect(seen).toEqual([undefined, false]);
    expect(slack.typings.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it("is answered without a sign that it is worked on when that is quick", async () => {
    agent = async () => answered("done");
    await doWork(await job());
    clock.advance(60_000);
    await Promise.resolve();
    expect(slack.typings).toEqual([]);
    expect(slack.said).toEqual(["done"]);
  });

  it("no longer shows the bot as working when the run has failed", async () => {
    agent = async () => {
      clock.advance(TYPING_AFTER_MS);
      await Promise.resolve();
      throw overloaded;
    };
    await expect(doWork(await job())).rejects.toBe(overloaded);
    expect(slack.typings.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it("goes to the agent that was found as it was accepted, and to that of the routes when it is gone", async () => {
    const agents = new Map([...deps.agents, ["deployer", { turnsMax: 4, ttlMs: 60_000 }]]);
    deps = { ...deps, agents };
    await workAndSettle(await job({}, { agent: "deployer" }));
    await workAndSettle(await job({ id: "slack:2" }, { agent: "gone" }));
    await workAndSettle(await job({ id: "slack:3" }, { agent: null }));
    expect(runs.map((run) => run.agent)).toEqual(["deployer", "assistant", "assistant"]);
  });

  it("that no route takes is answered so, and kept as a dead letter", async () => {
    deps = { ...deps, routes: [] };
    const claimed = await job({}, { agent: null });
    await workAndSettle(claimed);
    expect(slack.said).toEqual(["No agent is set up to answer here."]);
    expect(runs).toEqual([]);
    expect(await recordOf(claimed)).toMatchObject({
      state: "dead",
      cause: "no agent is set up for this event",
    });
  });

  it("of a platform that is not configured waits until it is again", async () => {
    const claimed = await job({ platform: "discord", id: "discord:1" });
    await expect(doWork(claimed)).rejects.toMatchObject({
      message: "discord is not configured",
      afterMs: 60_000,
    });
  });

  it("waits while the gateway is paused", async () => {
    isPaused = true;
    await expect(doWork(await job())).rejects.toBeInstanceOf(Deferred);
    expect([runs.length, slack.sends.length]).toEqual([0, 0]);
  });

  it("that has its answer gets it, also while the gateway is paused", async () => {
    slack.fates.push(failing(busy));
    const claimed = await job();
    await expect(doWork(claimed)).rejects.toBe(busy);
    isPaused = true;
    expect(await doWork(await nextAttempt(store, claimed))).toMatchObject({ kind: "done" });
    expect(slack.said).toEqual(["You said: hello", "You said: hello"]);
  });
});

describe("a message in a thread that the bot comes into", () => {
  const said = contextItem("thread", "Pump nine fails at 06:10", { author: { id: "U8", name: "U8" } });
  const inThread = { thread: "100.1", text: "why?" };
  let reads: number;

  beforeEach(() => {
    reads = 0;
    slack.thread = {
      waitMs: 5_000,
      async read() {
        reads += 1;
        return { items: [said], isWhole: true };
      },
    };
  });

  it("is run with what was said before, which memory keeps", async () => {
    await workAndSettle(await job(inThread));
    expect(runs).toMatchObject([{ earlier: [said], history: [] }]);
    await workAndSettle(await job({ ...inThread, id: "slack:2", text: "and now?" }));
    expect(runs[1]?.history.map(({ name, text }) => [name, text])).toEqual([
      [null, expect.stringMatching(/\nU8: Pump nine fails at 06:10\n/)],
      ["ann", "why?"],
      [null, "You said: why?"],
    ]);
    expect([reads, runs[1]?.earlier]).toEqual([1, undefined]);
  });

  it("is shown the same after the process that read it has died, without asking again", async () => {
    agent = () => Promise.reject(overloaded);
    const claimed = await job(inThread);
    await expect(doWork(claimed)).rejects.toBe(overloaded);
    expect((await recordOf(claimed)).progress).toMatchObject({ earlier: [said] });
    agent = async () => answered("Rust");
    await workAndSettle(await nextAttempt(store, claimed));
    expect([reads, runs.map(({ earlier }) => earlier)]).toEqual([1, [[said], [said]]]);
    expect((await turns(claimed.event.conversation)).map(({ text }) => text)).toEqual([
      expect.stringMatching(/Pump nine fails/),
      "why?",
      "Rust",
    ]);
  });

  it("is run without it when the platform does not give it, and the model is told", async () => {
    slack.thread = { waitMs: 5_000, read: () => Promise.reject(busy) };
    expect(await doWork(await job(inThread))).toMatchObject({ kind: "done", outcome: "answered" });
    expect(runs[0]?.earlier).toMatchObject([
      { kind: "note", text: expect.stringMatching(/could not be read/) },
    ]);
  });

  it("is not run twice when it was to stop while the thread was read", async () => {
    slack.thread = {
      waitMs: 5_000,
      read: async () => {
        stop.abort(new RunAborted("stopped"));
        return await new Promise(() => {});
      },
    };
    await expect(doWork(await job(inThread))).rejects.toMatchObject({ why: "stopped" });
    expect(runs).toEqual([]);
  });
});

describe("a message that may not be ours to answer", () => {
  it("is dropped without a run when it is of another installation", async () => {
    slack.serves = () => false;
    const claimed = await job();
    await workAndSettle(claimed);
    expect([runs.length, slack.sends.length]).toEqual([0, 0]);
    expect(await recordOf(claimed)).toMatchObject({ state: "dropped", cause: "not_installed" });
  });

  it("waits a moment for the platform to tell, which it does right after a start", async () => {
    let isKnown: boolean | null = null;
    slack.serves = () => isKnown;
    const working = doWork(await job());
    isKnown = true;
    clock.advance(50);
    expect(await working).toMatchObject({ kind: "done" });
  });

  it("is put back, unpaid, while the platform does not tell", async () => {
    slack.serves = () => {
      queueMicrotask(() => queueMicrotask(() => clock.advance(50)));
      return null;
    };
    await expect(doWork(await job())).rejects.toBeInstanceOf(Deferred);
    expect(runs).toEqual([]);
  });

  it("is said all the same once its answer was paid for", async () => {
    slack.fates.push(failing(busy));
    const claimed = await job();
    await expect(doWork(claimed)).rejects.toBe(busy);
    slack.serves = () => null;
    expect(await doWork(await nextAttempt(store, claimed))).toMatchObject({ kind: "done" });
  });
});

describe("our own words that come back as somebody's", () => {
  const echo = async (n: number, text: string) => {
    const claimed = await job({ id: `slack:${n}`, text, sender: { id: "U77", name: "bot", isBot: false } });
    await workAndSettle(claimed);
    return (await recordOf(claimed)).state;
  };

  beforeEach(() => {
    deps = { ...deps, agents: new Map([["assistant", { turnsMax: 100, ttlMs: 60_000 }]]) };
  });

  it("are answered three times, and then no more", async () => {
    const states: string[] = [await echo(0, "What is the news today?")];
    for (let n = 1; n <= 5; n++) states.push(await echo(n, `*${slack.said.at(-1)}*`));
    expect(states).toEqual(["done", "done", "done", "done", "dropped", "dropped"]);
    expect(runs).toHaveLength(4);
    expect(await echo(9, "Something else that a person says")).toBe("done");
  });

  it("are nothing special when they are short, as a person's may be", async () => {
    agent = async () => answered("yes");
    for (let n = 0; n < 8; n++) expect(await echo(n, "yes")).toBe("done");
  });
});

describe("a refused message", () => {
  const refusal = {
    cause: "rate_limited",
    detail: "user",
    noticeWindowMs: 60_000,
    retryAfterMs: 3_000,
  } as const;

  it("is told, and ends as dropped", async () => {
    const claimed = await job({}, { refusal });
    expect(await doWork(claimed)).toEqual({ kind: "dropped", cause: "rate_limited" });
    expect(slack.said).toEqual([
      "That was too many messages at once. Please wait 3 seconds and send it again.",
    ]);
    expect(runs).toEqual([]);
  });

  it("is told also while the gateway is paused", async () => {
    isPaused = true;
    expect(await doWork(await job({}, { refusal }))).toMatchObject({ kind: "dropped" });
    expect(slack.said).toHaveLength(1);
  });

  it("is told even when it is a command", async () => {
    expect(await doWork(await job({ text: "!status" }, { refusal }))).toMatchObject({ kind: "dropped" });
    expect(slack.said[0]).toContain("too many messages");
  });
});

describe("a command to the gateway", () => {
  it.each([
    ["!status", "Agent **assistant** answers here, with the demo model."],
    ["!help", "/reset"],
    ["!stop", "Nothing is running here."],
    ["!reset", "I have forgotten this conversation"],
  ])("%s is answered without a run, and not remembered", async (text, answer) => {
    const claimed = await job({ text }, { lane: controlLane(anEvent().conversation), kind: "command" });
    expect(await doWork(claimed)).toEqual({ kind: "done", outcome: "answered", turns: [] });
    expect(slack.said[0]).toContain(answer);
    expect(runs).toEqual([]);
  });

  it("is answered also while the gateway is paused", async () => {
    isPaused = true;
    await doWork(await job({ text: "!status" }));
    expect(slack.said[0]).toContain("I am paused");
  });

  it("to stop, said again because nobody knows whether it was heard, stops nothing that began since", async () => {
    slack.fates.push(failing(new DeliveryError("unknown", "connection lost")));
    let stops = 0;
    const signal = async () => ({ state: ++stops > 1 ? "running" : "idle", isKept: true }) as const;
    const lanes = { ...store.lanes, signal };
    deps = { ...deps, control: { ...deps.control, lanes } };
    const claimed = await job({ text: "!stop" });
    await expect(doWork(claimed)).rejects.toThrow("connection lost");
    await doWork(await nextAttempt(store, claimed));
    expect(slack.said).toEqual(["Nothing is running here.", "(again?) Nothing is running here."]);
    expect(stops).toBe(1);
  });

  it("to forget takes effect on the next run", async () => {
    await workAndSettle(await job({ id: "slack:1" }));
    await workAndSettle(await job({ id: "slack:2", text: "!reset" }));
    await workAndSettle(await job({ id: "slack:3" }));
    expect(runs.map(({ history }) => history)).toEqual([[], []]);
  });
});

describe("an answer", () => {
  it("is durable before a word of it is said", async () => {
    let stored: unknown;
    slack.fate = async () => {
      stored = (await store.journal.find("slack:T1:C1:1"))?.progress;
      return { messageId: "1", via: "fake" };
    };
    await doWork(await job());
    expect(stored).toMatchObject({
      runId: "run_1",
      agent: "assistant",
      steps: [],
      answer: { outcome: "answered", text: "You said: hello", parts: ["You said: hello"] },
    });
  });

  it("that is recorded is delivered without asking the model, and rendered only once", async () => {
    agent = async () => answered("one|two|three");
    slack.fates.push(slack.fate, failing(busy));
    const claimed = await job();
    await expect(doWork(claimed)).rejects.toBe(busy);

    slack.render = () => {
      throw new Error("Expected the recorded parts, got another rendering");
    };
    expect(await doWork(await nextAttempt(store, claimed))).toMatchObject({
      kind: "done",
      turns: [{ text: "hello" }, { text: "one|two|three" }],
    });
    expect(slack.said).toEqual(["one", "two", "two", "three"]);
    expect(runs).toHaveLength(1);
  });

  it("that nobody was there for is recorded too, so that a new route does not mix two answers", async () => {
    deps = { ...deps, routes: [] };
    const cut = new DeliveryError("unknown", "connection lost");
    slack.fates.push(failing(cut));
    const claimed = await job({}, { agent: null });
    await expect(doWork(claimed)).rejects.toBe(cut);
    deps = { ...deps, routes: [{ match: {}, agent: "assistant" }] };
    slack.memory = { messageId: "1", via: "looked up" };
    expect(await doWork(await nextAttempt(store, claimed))).toMatchObject({ kind: "dead" });
    expect(slack.said).toEqual(["No agent is set up to answer here."]);
  });

  it("is kept, and not said, when its platform is left alone for now", async () => {
    for (let n = 0; n < 10; n++) deps.delivery.breakers.of("slack").enter()("failed");
    const claimed = await job();
    await expect(doWork(claimed)).rejects.toBeInstanceOf(BreakerOpen);
    expect((await recordOf(claimed)).progress?.answer?.text).toBe("You said: hello");
    clock.advance(60_000);
    await doWork(await nextAttempt(store, claimed));
    expect(slack.said).toEqual(["You said: hello"]);
    expect([runs.length, slack.recoveries.length]).toEqual([1, 0]);
  });

  it("of a worker that has lost its lease is neither recorded nor said", async () => {
    const claimed = await job();
    agent = async () => {
      clock.advance(LEASE_MS + 1);
      await claimOne(store.queue);
      return answered("too late");
    };
    await expect(doWork(claimed)).rejects.toMatchObject({ why: "lease-lost" });
    expect(slack.sends).toEqual([]);
    expect((await recordOf(claimed)).progress).toBeNull();
  });
});

describe("a run that was cut off", () => {
  it("goes on after its recorded steps, with its own id, start and agent", async () => {
    agent = async (_run, { record }) => {
      await record([STEP]);
      throw overloaded;
    };
    const claimed = await job();
    const startedAtMs = clock.nowMs();
    await expect(doWork(claimed)).rejects.toBe(overloaded);

    clock.advance(5_000);
    deps = { ...deps, routes: [{ match: {}, agent: "another" }] };
    agent = async () => answered("whole");
    await doWork(await nextAttempt(store, claimed));
    expect(runs[1]).toMatchObject({ id: "run_1", agent: "assistant", steps: [STEP], startedAtMs });
    // The five seconds are no time of its own: it waited for its next attempt.
    expect(runs[1]?.restedMs).toBeGreaterThanOrEqual(5_000);
    expect(slack.said).toEqual(["whole"]);
  });

  it("has the time left that it had, however long it was put back while its model was away", async () => {
    const looking = { calls: [call("1", "look")] };
    const away = { error: new ModelError("MODEL_AUTH", "401", { retryable: false }) };
    const model = fakeModel([looking, away, looking, away, { text: "At last.", hang: "heeding" }]);
    const tool = fakeTool("look", () => {
      clock.advance(20_000);
      return "seen";
    });
    const observe = { modelCall: () => {}, retry: () => {}, toolCall: () => {} };
    const agents = new Map([
      ["assistant", agentOf(model, { tools: [tool], limits: { maxExecutionMs: 60_000 } })],
    ]);
    const runtime = createAgentRuntime({ agents, clock, random: () => 0, observe });
    agent = (run, hold, signal) => runtime.run(run, hold, signal);
    const claimed = await job();
    for (let outages = 0; outages < 2; outages++) {
      const { settlement } = await attempted(outages === 0 ? claimed : await claimOne(store.queue));
      expect(settlement).toMatchObject({ kind: "defer", cause: "MODEL_AUTH: 401" });
      // A day and more of waiting for somebody to mend the key.
      clock.advance(100_000_000);
    }
    const working = workAndSettle(await claimOne(store.queue));
    while (model.prompts.length < 5) await new Promise((resolve) => setImmediate(resolve));
    // Twice twenty seconds were worked, each before a step was recorded.
    clock.advance(19_999);
    expect(slack.said).toEqual([]);
    clock.advance(1);
    await working;
    expect(slack.said).toEqual([expect.stringMatching(/^I ran out of time \(60 s\).*\n\nAt last\./s)]);
  });

  it("recorded by an older version counts the time since its first start", async () => {
    const claimed = await job();
    const startedAtMs = clock.nowMs();
    const old = { runId: "run_1", agent: "assistant", startedAtMs, steps: [STEP], answer: null };
    await store.queue.checkpoint(claimed, old);
    clock.advance(5_000);
    await doWork(await nextAttempt(store, claimed));
    expect(runs).toMatchObject([{ id: "run_1", startedAtMs, steps: [STEP] }]);
    expect(runs[0]?.restedMs).toBeUndefined();
  });

  it("does not go on after a step when the lease was lost as it was recorded", async () => {
    const after: string[] = [];
    agent = async (_run, { record }) => {
      await record([STEP]);
      after.push("the next step");
      return answered("never");
    };
    const claimed = await job();
    const asked = [true, false];
    const isHeld = async () => asked.shift() ?? false;
    await expect(work(claimed, deps, { ...signals(claimed), isHeld })).rejects.toMatchObject({
      why: "lease-lost",
    });
    expect(after).toEqual([]);
    expect(slack.sends).toEqual([]);
  });

  it("does not begin when the lease was lost while its past was looked up", async () => {
    const isHeld = async () => false;
    const claimed = await job();
    await expect(work(claimed, deps, { ...signals(claimed), isHeld })).rejects.toMatchObject({
      why: "lease-lost",
    });
    expect(runs).toEqual([]);
  });

  it("records no step once its lease is lost", async () => {
    const claimed = await job();
    agent = async (_run, { record }) => {
      clock.advance(LEASE_MS + 1);
      await claimOne(store.queue);
      await record([STEP]);
      return answered("never");
    };
    await expect(doWork(claimed)).rejects.toMatchObject({ why: "lease-lost" });
    expect((await recordOf(claimed)).progress).toBeNull();
  });

  it("by /stop tells the person, although the run's signal is aborted", async () => {
    agent = async (_run, _hold, signal) => {
      stop.abort(new RunAborted("stopped"));
      expect(signal.reason).toMatchObject({ why: "stopped" });
      return answered("Stopped.", { outcome: "stopped" });
    };
    expect(await doWork(await job())).toMatchObject({ kind: "done", outcome: "stopped" });
    expect(slack.said).toEqual(["Stopped."]);
  });

  it("by a drain says nothing and records nothing new", async () => {
    agent = async (_run, _hold, signal) => {
      abort.abort(new RunAborted("draining"));
      throw signal.reason;
    };
    const claimed = await atAttempt(ATTEMPTS_MAX);
    await expect(doWork(claimed)).rejects.toMatchObject({ why: "draining" });
    expect(slack.sends).toEqual([]);
    expect((await recordOf(claimed)).progress).toBeNull();
  });

  it("by the death of the process is run again", async () => {
    await workAndSettle(await afterCrashes(CRASHES_MAX - 1));
    expect([runs.length, slack.said.length]).toEqual([1, 1]);
  });

  it("each time by the death of the process is not run again, and the person is told", async () => {
    const claimed = await afterCrashes(CRASHES_MAX);
    await workAndSettle(claimed);
    expect(runs).toEqual([]);
    expect(slack.said).toEqual([expect.stringContaining("I could not answer this")]);
    expect(await recordOf(claimed)).toMatchObject({
      state: "dead",
      cause: "gave up after 3 deaths of the process that ran it",
    });
  });

  it("by deaths that it shares with many others is run again, more often than failures are", async () => {
    const claimed = await afterCutOffs(CUT_OFFS_MAX - 1);
    expect(claimed).toMatchObject({ attempt: CUT_OFFS_MAX, crashes: 0 });
    await workAndSettle(claimed);
    expect([runs.length, slack.said.length]).toEqual([1, 1]);
  });

  it("by all too many deaths that it shares with others is not run again, and the person is told", async () => {
    const claimed = await afterCutOffs(CUT_OFFS_MAX);
    await workAndSettle(claimed);
    expect([runs.length, slack.said.length]).toEqual([0, 1]);
    expect(await recordOf(claimed)).toMatchObject({
      state: "dead",
      cause: "gave up after 20 attempts that were cut off by the end of the process",
    });
  });

  it("by one more of those, while telling so, is a dead letter without another word", async () => {
    expect(await doWork(await afterCutOffs(CUT_OFFS_MAX + 1))).toMatchObject({ kind: "dead" });
    expect([runs.length, slack.sends.length]).toEqual([0, 0]);
  });

  it("leaves its conversation to the next message when it is given up", async () => {
    await store.inbox.accept(anOffer(anEvent()));
    await store.inbox.accept(anOffer(anEvent({ id: "slack:next", text: "next" })));
    for (let deaths = 0; deaths < CRASHES_MAX; deaths++) {
      expect(await claimOne(store.queue)).toMatchObject({ crashes: deaths });
      clock.advance(LEASE_MS + 1);
    }
    await workAndSettle(await claimOne(store.queue));
    await workAndSettle(await claimOne(store.queue));
    expect(slack.said).toEqual([expect.stringContaining("I could not answer this"), "You said: next"]);
  });

  it("because the store is away is no failure, also at its last attempt", async () => {
    const away = new GatewayError("STORE_UNAVAILABLE", "no connection");
    const claimed = await atAttempt(ATTEMPTS_MAX);
    deps = { ...deps, queue: { ...deps.queue, checkpoint: () => Promise.reject(away) } };
    agent = async (_run, { record }) => {
      await record([STEP]);
      return answered("never");
    };
    await expect(doWork(claimed)).rejects.toBe(away);
    expect(slack.sends).toEqual([]);
  });

  it("even while telling so is a dead letter without another word", async () => {
    expect(await doWork(await afterCrashes(CRASHES_MAX + 1))).toMatchObject({ kind: "dead" });
    expect([runs.length, slack.sends.length]).toEqual([0, 0]);
  });
});

describe("a message whose end was asked for before it was run", () => {
  async function stoppedJob(): Promise<Job> {
    const { event } = anOffer(anEvent());
    await store.inbox.accept(anOffer(event));
    await store.lanes.signal(event.conversation, A_STOP);
    return await claimOne(store.queue);
  }

  it("is not run: the person is told what a stopped run says", async () => {
    const claimed = await stoppedJob();
    expect(await doWork(claimed)).toMatchObject({
      kind: "done",
      outcome: "stopped",
      turns: [{ text: "hello" }, { text: "Stopped." }],
    });
    expect([runs.length, slack.said]).toEqual([0, ["Stopped."]]);
  });

  it("is ended also while the gateway is paused, and after deaths of the process", async () => {
    isPaused = true;
    let claimed = await stoppedJob();
    for (let deaths = 0; deaths < CRASHES_MAX; deaths++) {
      clock.advance(LEASE_MS + 1);
      claimed = await claimOne(store.queue);
    }
    expect(await doWork(claimed)).toMatchObject({ kind: "done", outcome: "stopped" });
  });

  it("gets its answer all the same when that is there already", async () => {
    slack.fates.push(failing(busy));
    const claimed = await job();
    await expect(doWork(claimed)).rejects.toBe(busy);
    await store.lanes.signal(claimed.lane, A_STOP);
    expect(await doWork(await nextAttempt(store, claimed))).toMatchObject({ outcome: "answered" });
    expect(slack.said).toEqual(["You said: hello", "You said: hello"]);
  });
});

describe("a message that an operator brought back", () => {
  const gone = new DeliveryError("rejected", "channel gone", { status: 404 });
  const replay = (id: string, mode: ReplayMode) =>
    store.archive.replay(id, { by: "ann", mode, states: ["done", "dropped", "dead"] });

  it("to go on says only what it had not said, without asking the model", async () => {
    agent = async () => answered("one|two|three");
    slack.fates.push(slack.fate, failing(gone));
    const claimed = await job();
    await expect(doWork(claimed)).rejects.toBe(gone);
    await store.queue.settle(claimed, { kind: "dead", cause: "channel gone" });
    await replay(claimed.event.id, "resume");
    await workAndSettle(await claimOne(store.queue));
    expect([runs.length, slack.said]).toEqual([1, ["one", "two", "two", "three"]]);
    expect(await recordOf(claimed)).toMatchObject({ state: "done" });
    expect(await turns(claimed.event.conversation)).toHaveLength(2);
  });

  it("to go on may fail as often as a new one before it is given up", async () => {
    slack.fates.push(failing(gone));
    const claimed = await atAttempt(ATTEMPTS_MAX);
    await expect(doWork(claimed)).rejects.toBe(gone);
    await store.queue.settle(claimed, { kind: "dead", cause: "channel gone" });
    await replay(claimed.event.id, "resume");

    const policy = { attemptsMax: ATTEMPTS_MAX, baseMs: 0 };
    const kinds: (string | undefined)[] = [];
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
      slack.fates.push(failing(busy));
      const again = await claimOne(store.queue);
      await expect(doWork(again)).rejects.toBe(busy);
      const settlement = settlementFor(busy, again, policy, () => 0);
      kinds.push(settlement?.kind);
      if (settlement !== null) await store.queue.settle(again, settlement);
    }
    expect(kinds).toEqual(["retry", "retry", "dead"]);
  });

  it("anew is answered anew, although it was answered before", async () => {
    const claimed = await job();
    await workAndSettle(claimed);
    for (const text of ["second", "third"]) {
      agent = async () => answered(text);
      await replay(claimed.event.id, "anew");
      await workAndSettle(await claimOne(store.queue));
    }
    expect(slack.said).toEqual(["You said: hello", "second", "third"]);
    expect(slack.sends.map(({ partId }) => partId.slice(claimed.event.id.length))).toEqual([
      "/0",
      "/r1/0",
      "/r2/0",
    ]);
    expect(runs).toHaveLength(3);
  });

  it.each<ReplayMode>(["resume", "anew"])(
    "after it was refused (%s) is answered, whatever was said of the refusal",
    async (mode) => {
      const refusal = { cause: "paused", detail: "kill_switch", noticeWindowMs: 60_000 } as const;
      const claimed = await job({}, { refusal });
      await workAndSettle(claimed);
      await replay(claimed.event.id, mode);
      await workAndSettle(await claimOne(store.queue));
      expect(slack.said).toEqual([expect.stringContaining("I am paused"), "You said: hello"]);
    },
  );
});

describe("a run that fails", () => {
  it.each([overloaded, new TypeError("x is not a function")])("is tried again: $name", async (error) => {
    agent = () => Promise.reject(error);
    await expect(doWork(await atAttempt(ATTEMPTS_MAX - 1))).rejects.toBe(error);
    expect(slack.sends).toEqual([]);
  });

  it.each([
    [overloaded, "MODEL_OVERLOADED: 529"],
    [new TypeError("x is not a function"), "TypeError: x is not a function"],
  ])(
    "at its last attempt tells the person and keeps a dead letter with its cause: %s",
    async (error, cause) => {
      agent = () => Promise.reject(error);
      const claimed = await atAttempt(ATTEMPTS_MAX);
      await workAndSettle(claimed);
      expect(slack.said).toEqual([expect.stringContaining("I could not answer this")]);
      expect(await recordOf(claimed)).toMatchObject({ state: "dead", cause });
      expect(await turns(claimed.event.conversation)).toEqual([]);
      expect(await countOf(deps.metrics, "runs", { outcome: "failed" })).toBe(1);
    },
  );

  it("because it is handed back tells nobody, also at its last attempt", async () => {
    const claimed = await atAttempt(ATTEMPTS_MAX);
    agent = async () => {
      abort.abort(new RunAborted("draining"));
      throw overloaded;
    };
    await expect(doWork(claimed)).rejects.toBe(overloaded);
    expect(slack.sends).toEqual([]);
    expect((await recordOf(claimed)).progress).toBeNull();
  });

  it("because its model is left alone waits, also at its last attempt", async () => {
    const open = new BreakerOpen("anthropic/claude", 30_000);
    agent = () => Promise.reject(open);
    await expect(doWork(await atAttempt(ATTEMPTS_MAX))).rejects.toBe(open);
    expect(slack.sends).toEqual([]);
  });

  it("because its model refuses our key waits, also at its last attempt, until it is too old", async () => {
    const refused = new ModelError("MODEL_AUTH", "401", { retryable: false });
    agent = () => Promise.reject(refused);
    deps = { ...deps, waitMsMax: 3_600_000 };
    const claimed = await atAttempt(ATTEMPTS_MAX);
    await expect(doWork(claimed)).rejects.toBe(refused);
    expect(settlementFor(refused, claimed, { attemptsMax: ATTEMPTS_MAX, baseMs: 1 }, () => 0)).toEqual({
      kind: "defer",
      afterMs: 15_000,
      cause: "MODEL_AUTH: 401",
    });
    expect(slack.sends).toEqual([]);
    clock.advance(3_600_001);
    expect(await doWork(claimed)).toMatchObject({ kind: "dead", cause: "MODEL_AUTH: 401" });
    expect(slack.said).toEqual([expect.stringMatching(/could not be reached for too long/)]);
    const attempts = (outcome: string) =>
      countOf(deps.metrics, "runAttempts", { agent: "assistant", outcome });
    expect([await attempts("deferred"), await attempts("failed")]).toEqual([2, 1]);
  });

  it("because the platform does not take our token waits with its answer, until it does", async () => {
    slack.fates.push(failing(revoked));
    const { settlement } = await attempted(await job());
    expect(settlement).toEqual({ kind: "defer", afterMs: 15_000, cause: REVOKED });
    const other = await attempted(await job({ id: "slack:other", conversation: "slack:T1:other" }));
    expect(other.error).toMatchObject({ code: "BREAKER_OPEN", why: "PLATFORM_REFUSED" });
    expect(other.settlement).toMatchObject({ kind: "defer", afterMs: 15_000 });
    expect(slack.sends).toHaveLength(1);
    clock.advance(15_000);
    for (const claimed of await claimAll(store.queue)) await workAndSettle(claimed);
    expect(slack.said).toHaveLength(3);
    expect(runs).toHaveLength(2);
  });

  it("because the platform does not take our token is given up when it is too old to be of use", async () => {
    deps = { ...deps, waitMsMax: 3_600_000 };
    slack.fates.push(failing(revoked), failing(revoked));
    await attempted(await job());
    clock.advance(3_600_001);
    const { settlement } = await attempted(await claimOne(store.queue));
    const cause = `DELIVERY_REJECTED: not said within max_age_seconds: ${REVOKED}`;
    expect(settlement).toEqual({ kind: "dead", cause });
    expect(runs).toHaveLength(1);
  });

  it("because its model is away tells who waits half a minute, and comes back for that", async () => {
    const open = new BreakerOpen("anthropic/claude", 60_000);
    agent = () => Promise.reject(open);
    deps = { ...deps, waiting: new WaitNotices({ afterMs: 30_000, windowMs: 600_000, clock }) };
    const claimed = await job();
    const policy = { attemptsMax: ATTEMPTS_MAX, baseMs: 1 };
    const sooner = await doWork(claimed).catch((error: unknown) => error);
    expect(settlementFor(sooner, claimed, policy, () => 0)).toMatchObject({ kind: "defer", afterMs: 30_000 });
    await store.queue.settle(claimed, { kind: "defer", afterMs: 30_000, cause: "test" });
    clock.advance(30_000);
    const again = await claimOne(store.queue);
    await expect(doWork(again)).rejects.toBe(open);
    expect(slack.said).toEqual([expect.stringMatching(/^The assistant cannot be reached right now/)]);
    agent = async () => answered("At last.");
    await workAndSettle(again);
    expect(slack.said.slice(1)).toEqual(["At last."]);
    expect(await recordOf(claimed)).toMatchObject({ state: "done" });
  });

  it("for good tells the person what the agent says, and keeps a dead letter with its cause", async () => {
    agent = async () =>
      answered("I cannot answer right now.", { outcome: "failed", cause: "MODEL_AUTH: 401" });
    const claimed = await job();
    await workAndSettle(claimed);
    expect(slack.said).toEqual(["I cannot answer right now."]);
    expect(await recordOf(claimed)).toMatchObject({
      state: "dead",
      cause: "MODEL_AUTH: 401",
      progress: { answer: { outcome: "failed", cause: "MODEL_AUTH: 401" } },
    });
    expect(await turns(claimed.event.conversation)).toEqual([]);
  });
});

describe("a message whose files may come with another delivery of it", () => {
  const mayGrow = { text: "what is this?", mayGrow: true } as const;
  const files = [{ id: "F1", kind: "document", name: "pump.pdf", mime: null, sizeBytes: 3 }] as const;
  const deferred = (claimed: Job) =>
    doWork(claimed).then(
      () => null,
      (error: unknown) => error,
    );

  /** As the dispatcher does it: put back, and claimed when it is due. */
  async function claimedAgain(claimed: Job): Promise<Job> {
    const policy = { attemptsMax: ATTEMPTS_MAX, baseMs: 1 };
    const settlement = settlementFor(await deferred(claimed), claimed, policy, () => 0);
    expect(settlement).toMatchObject({ kind: "defer", afterMs: 300 });
    if (settlement !== null) await store.queue.settle(claimed, settlement);
    clock.advance(299);
    expect(await claimAll(store.queue)).toEqual([]);
    clock.advance(1);
    return await claimOne(store.queue);
  }

  it("waits for them for a moment, at no cost of an attempt, and is run with them", async () => {
    const claimed = await job(mayGrow);
    await store.inbox.accept(anOffer(anEvent({ attachments: files })));
    expect(claimed.event.attachments).toEqual([]);
    const again = await claimedAgain(claimed);
    expect([again.attempt, again.failures, runs.length]).toEqual([1, 0, 0]);
    await workAndSettle(again);
    expect(runs.map(({ event }) => event.attachments)).toEqual([files]);
    expect(slack.said).toEqual(["You said: what is this?"]);
  });

  it("waits once, and is run without them where none come", async () => {
    await workAndSettle(await claimedAgain(await job(mayGrow)));
    expect(slack.said).toEqual(["You said: what is this?"]);
  });

  it("keeps its place before what was said after it", async () => {
    const claimed = await job(mayGrow);
    await store.inbox.accept(anOffer(anEvent({ id: "slack:next", text: "next" })));
    await workAndSettle(await claimedAgain(claimed));
    await workAndSettle(await claimOne(store.queue));
    expect(slack.said).toEqual(["You said: what is this?", "You said: next"]);
  });

  it.each([
    ["it has waited long enough in the queue", mayGrow, 300],
    ["it has them", { ...mayGrow, attachments: files }, 0],
    ["it is a command to the gateway", { ...mayGrow, text: "!status" }, 0],
    ["nothing more is expected", { text: "what is this?" }, 0],
  ])("does not wait when %s", async (_, event, laterMs) => {
    const claimed = await job(event);
    clock.advance(laterMs);
    expect(await doWork(claimed)).toMatchObject({ kind: "done" });
  });

  it("does not wait for long by a clock that differs from the store's", async () => {
    const claimed = await job(mayGrow);
    expect(await doWork({ ...claimed, acceptedAtMs: clock.nowMs() + 301 })).toMatchObject({ kind: "done" });
  });

  it("does not wait to say that it was refused, or stopped", async () => {
    const claimed = await job(mayGrow);
    const refusal = { cause: "not_allowed", detail: "user", noticeWindowMs: 1 } as const;
    expect(await doWork({ ...claimed, refusal })).toMatchObject({ kind: "dropped" });
    expect(await doWork({ ...claimed, signals: [A_STOP] })).toMatchObject({ kind: "done" });
  });
});

describe("an agent that remembers more than one conversation", () => {
  const place = (name: string) => ({ place: name, conversation: `slack:T1:${name}`, id: `slack:${name}` });
  const direct = { ...place("D1"), isDirect: true, trigger: "direct" } as const;
  const shownIn = (index: number) => runs[index]?.history.map(({ text }) => text);
  const remembersBy = (by: Remembering) => {
    const memory = { turnsMax: 100, ttlMs: 60_000, by };
    const control = { ...deps.control, remembersBy: () => by };
    deps = { ...deps, agents: new Map([["assistant", memory]]), control };
  };

  it("is shown what a person has said in another channel, and of what they referred to nothing", async () => {
    remembersBy({ scope: "user" });
    const context = [contextItem("quoted", "Pump nine", { author: { id: "U8", name: "U8", isSelf: false } })];
    await workAndSettle(await job({ ...place("C1"), text: "one", context }));
    await workAndSettle(await job({ ...place("C2"), text: "two" }));
    const bob = { id: "U2", name: "bob", isBot: false };
    await workAndSettle(await job({ ...place("C3"), text: "three", sender: bob }));
    await workAndSettle(await job({ ...place("C1"), id: "slack:again", text: "four" }));
    expect(shownIn(1)).toEqual(["one", "You said: one"]);
    expect(shownIn(2)).toEqual([]);
    const own = [expect.stringContaining("Pump nine"), "one", "You said: one", "two", "You said: two"];
    expect(shownIn(3)).toEqual(own);
  });

  it("is not shown in a channel what was said in a direct message, unless it is told to", async () => {
    for (const [by, shown] of [
      [{ scope: "user" }, []],
      [{ scope: "channel" }, []],
      [{ scope: "user", sharesDirect: true }, ["secret", "You said: secret"]],
    ] as const) {
      remembersBy(by);
      const id = `slack:${runs.length}`;
      await workAndSettle(await job({ ...direct, id: `${id}d`, text: "secret" }));
      await workAndSettle(await job({ ...place("C1"), id: `${id}c`, text: "and here?" }));
      expect(shownIn(runs.length - 1)).toEqual(shown);
      await store.memory.forget("slack:T1:C1");
    }
  });

  it("loses no turn of two runs at once", async () => {
    remembersBy({ scope: "user" });
    const both = [await job({ ...place("C1"), text: "one" }), await job({ ...place("C2"), text: "two" })];
    await Promise.all(both.map((claimed) => workAndSettle(claimed)));
    await workAndSettle(await job({ ...place("C3"), text: "three" }));
    expect(shownIn(2)?.toSorted()).toEqual(["You said: one", "You said: two", "one", "two"]);
  });

  it("reads the thread that it comes into, whatever else it remembers", async () => {
    remembersBy({ scope: "channel" });
    let reads = 0;
    slack.thread = {
      waitMs: 5_000,
      read: async () => {
        reads += 1;
        return { items: [contextItem("thread", "before")], isWhole: true };
      },
    };
    for (const thread of ["1.1", "2.2"])
      await workAndSettle(
        await job({ ...place("C1"), id: `slack:${thread}`, thread, conversation: `slack:T1:C1:${thread}` }),
      );
    expect([reads, runs[1]?.earlier?.length, shownIn(1)?.length]).toEqual([2, 1, 2]);
  });

  it("forgets all that it remembers by, and says what that is", async () => {
    remembersBy({ scope: "user" });
    await workAndSettle(await job({ ...place("C1"), text: "one" }));
    await workAndSettle(await job({ ...direct, text: "secret" }));
    await workAndSettle(await job({ ...place("C2"), text: "!reset" }));
    expect(slack.said.at(-1)).toMatch(/what you have said to me/);
    await workAndSettle(await job({ ...place("C1"), id: "slack:new", text: "two" }));
    await workAndSettle(await job({ ...direct, id: "slack:newer", text: "three" }));
    expect([shownIn(2), shownIn(3)]).toEqual([[], []]);
  });
});
