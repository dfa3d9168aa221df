import { expect, it, onTestFinished } from "vitest";
import { createDayBudgets } from "../../src/agent/day-budgets.ts";
import { createAgentRuntime } from "../../src/agent/runtime.ts";
import { Dispatcher } from "../../src/dispatch/dispatcher.ts";
import { recallFor } from "../../src/dispatch/memory.ts";
import { Breakers } from "../../src/domain/breaker.ts";
import { Calendar } from "../../src/domain/day.ts";
import { NO_USAGE } from "../../src/domain/run.ts";
import { createDemoModel } from "../../src/models/demo.ts";
import type { Store } from "../../src/ports/store.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import type { WorkerDeps } from "../../src/worker/deps.ts";
import { work } from "../../src/worker.ts";
import { agentOf } from "../agent/support.ts";
import { FakeAdapter } from "../support/adapter.ts";
import { FakeClock } from "../support/clock.ts";
import { openCountedStore } from "../support/counted-store.ts";
import { NO_DESK } from "../support/desk.ts";
import { anEvent } from "../support/event.ts";
import { guideWith } from "../support/guide.ts";
import { selectionOf } from "../support/selection.ts";
import { anOffer, LEASE_MS } from "../support/store.ts";

/** The commits that carry one event from its claim to its settlement. */
async function commitsFor(
  text: string,
  changes: (store: Store, clock: FakeClock) => Partial<WorkerDeps> = () => ({}),
) {
  const clock = new FakeClock();
  const { store, commits } = openCountedStore(clock);
  const log = silentLogger();
  const metrics = createMetrics();
  const retry = { attemptsMax: 3, baseMs: 1_000 };
  const agents = new Map([["assistant", { turnsMax: 10, ttlMs: 60_000 }]]);
  const workerDeps: WorkerDeps = {
    queue: store.queue,
    memory: store.memory,
    adapters: new Map([["slack", new FakeAdapter()]]),
    runtime: {
      async run({ event }, { record }) {
        await record([{ kind: "model", text: event.text, toolCalls: [], usage: NO_USAGE }]);
        return { outcome: "answered", text: event.text, usage: NO_USAGE, modelCalls: 1 };
      },
    },
    routes: [{ match: {}, agent: "assistant" }],
    selection: selectionOf(),
    agents,
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
    attemptsMax: retry.attemptsMax,
    isPaused: () => false,
    clock,
    newId: (prefix) => `${prefix}_1`,
    log,
    metrics,
    ...changes(store, clock),
  };
  const settled = Promise.withResolvers<void>();
  const dispatcher = new Dispatcher({
    queue: {
      ...store.queue,
      async settle(job, settlement) {
        const held = await store.queue.settle(job, settlement);
        settled.resolve();
        return held;
      },
    },
    bus: store.bus,
    clock,
    random: () => 0.5,
    work: (job, signals) => work(job, workerDeps, signals),
    retry,
    concurrency: 1,
    leaseMs: LEASE_MS,
    memory: recallFor(agents),
    log,
    metrics,
  });
  onTestFinished(async () => {
    await dispatcher.stop(0);
    await store[Symbol.asyncDispose]();
  });
  const event = anEvent({ text });
  expect(await store.inbox.accept(anOffer(event))).toEqual({ kind: "accepted" });
  commits.length = 0;
  dispatcher.start();
  await settled.promise;
  expect(await store.journal.find(event.id)).toMatchObject({ state: "done" });
  return commits.slice(0, commits.findIndex((kinds) => kinds.includes("settle")) + 1);
}

it("an answer shares its commit with the reservation of its first part, a record with what follows it", async () => {
  expect(await commitsFor("one")).toEqual([["claim"], ["checkpoint"], ["reserve"], ["record", "settle"]]);
});

it("a further part adds one commit", async () => {
  expect((await commitsFor("one|two|three")).slice(2)).toEqual([
    ["reserve"],
    ["record", "reserve"],
    ["record", "reserve"],
    ["record", "settle"],
  ]);
});

/** The real step loop with the demo model, on a budget of the day. */
function onBudget(store: Store, clock: FakeClock): Partial<WorkerDeps> {
  let ids = 0;
  const newId = (prefix: string) => `${prefix}_${ids++}`;
  return {
    runtime: createAgentRuntime({
      agents: new Map([["assistant", agentOf(createDemoModel({ clock }))]]),
      clock,
      random: () => 0.5,
      observe: { modelCall: () => {}, retry: () => {} },
    }),
    newId,
    allowanceOf: createDayBudgets({
      purse: store.purse,
      limits: { user: 50, conversation: null, tenant: null, agent: null, global: 100 },
      warnAt: 0.8,
      calendar: new Calendar("UTC"),
      clock,
      newId,
      warn: () => {},
      unsettled: () => {},
    }),
  };
}

it("a model that is free takes no commit more, whatever budgets there are", async () => {
  expect(await commitsFor("one", onBudget)).toEqual([
    ["claim"],
    ["checkpoint", "reserve"],
    ["record", "settle"],
  ]);
});

it("one that costs takes one more: its hold with its mark, and its cost with its answer", async () => {
  expect(await commitsFor("demo: cost 3 of 20", onBudget)).toEqual([
    ["claim"],
    ["holdMoney", "checkpoint"],
    ["settleMoney", "checkpoint", "reserve"],
    ["record", "settle"],
  ]);
});
