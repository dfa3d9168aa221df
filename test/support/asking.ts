import { createAgentRuntime } from "../../src/agent/runtime.ts";
import { settlementFor } from "../../src/dispatch/settle.ts";
import { APPROVAL_RULES, type ApprovalRules } from "../../src/domain/approval.ts";
import { Breakers } from "../../src/domain/breaker.ts";
import { controlLane } from "../../src/domain/command.ts";
import type { Platform, TriggerEvent } from "../../src/domain/event.ts";
import { createDemoModel } from "../../src/models/demo.ts";
import { DEMO_ASK } from "../../src/models/demo-ask.ts";
import { REMOTE_ASK } from "../../src/models/remote/ask.ts";
import type { Job, Queue } from "../../src/ports/queue.ts";
import type { Store } from "../../src/ports/store.ts";
import type { Tool } from "../../src/ports/tool.ts";
import { createGrants } from "../../src/store/grants.ts";
import { createQuestions } from "../../src/store/questions.ts";
import type { InlineStore } from "../../src/store/sqlite/inline.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import type { WorkerDeps } from "../../src/worker/deps.ts";
import { work } from "../../src/worker.ts";
import { agentOf } from "../agent/support.ts";
import { FakeAdapter } from "./adapter.ts";
import { FakeClock } from "./clock.ts";
import { NO_DESK } from "./desk.ts";
import { anEvent } from "./event.ts";
import { guideWith } from "./guide.ts";
import { selectionOf } from "./selection.ts";
import { anOffer, claimOne, LEASE_MS, openTestStore } from "./store.ts";

export const APPROVAL_MS = 300_000;
/** Somebody else than whoever asked. */
export const bob = { id: "U2", name: "bob", isBot: false };

export const DEPLOY: Tool = {
  name: "deploy",
  description: "Deploys.",
  effect: "write",
  repeatable: false,
  inputSchema: { type: "object" },
  asks: "call",
  call: async (input) => `deployed ${JSON.stringify(input)}`,
};

/** As a remote agent asks, by another name than the demo's. */
const PICK: Tool = { ...REMOTE_ASK, name: "pick" };

/** An agent that asks, with all between a message and what people read, but for the loops that would run it by themselves. */
export class Asking {
  readonly clock: FakeClock;
  readonly store: InlineStore;
  readonly slack = new FakeAdapter("slack");
  deps: WorkerDeps;
  #said = 0;

  constructor(clock: FakeClock, store: InlineStore, rules: Partial<ApprovalRules>) {
    this.clock = clock;
    this.store = store;
    this.deps = workerDepsOf(this.slack, clock, store);
    this.ruledBy(rules);
  }

  /** From now on. */
  ruledBy(more: Partial<ApprovalRules>, deploying: readonly Tool[] = [DEPLOY]): void {
    const { clock } = this;
    const rules = { ...APPROVAL_RULES, expiresMs: APPROVAL_MS, ...more };
    const tools = [DEMO_ASK, ...deploying, PICK];
    const assistant = agentOf(createDemoModel({ clock }), {
      tools,
      approvals: rules,
      limits: { tokensMax: 1_000_000 },
    });
    const agents = new Map([["assistant", assistant]]);
    const observe = { modelCall: () => {}, retry: () => {} };
    const runtime = createAgentRuntime({ agents, clock, random: () => 0, observe });
    const approversOf = (agent: string) => (agents.has(agent) ? rules : null);
    this.deps = { ...this.deps, runtime, control: { ...this.deps.control, approversOf } };
  }

  /** As the dispatcher does it. */
  run(job: Job): Promise<void> {
    return workAndSettle(job, this.deps, this.store.queue);
  }

  readonly leaseMs = LEASE_MS;

  /** As somebody does who then dies. */
  claim(): Promise<Job> {
    return claimOne(this.store.queue);
  }

  async runOne(): Promise<void> {
    await this.run(await this.claim());
  }

  alsoOn(platform: Platform): FakeAdapter {
    const adapter = new FakeAdapter(platform);
    this.deps = { ...this.deps, adapters: new Map([...this.deps.adapters, [platform, adapter]]) };
    return adapter;
  }

  /** Somebody says it, and what is due is done: gives what people have read since. */
  async say(text: string, more: Partial<TriggerEvent> = {}): Promise<string[]> {
    const isControl = text.startsWith("!");
    const event = anEvent({ id: `slack:${++this.#said}`, text, ...more });
    const { conversation } = event;
    const lane = isControl ? controlLane(conversation) : conversation;
    await this.store.inbox.accept(anOffer(event, { lane, kind: isControl ? "command" : "message" }));
    return await this.read(() => (isControl ? this.#runCommand() : this.runOne()));
  }

  /** The same by a button below the question. */
  async press(button: string, more: Partial<TriggerEvent> = {}): Promise<string[]> {
    const pressed = { text: "Approve", trigger: "button", command: button } as const;
    const event = anEvent({ id: `slack:${++this.#said}`, ...pressed, ...more });
    const lane = controlLane(event.conversation);
    await this.store.inbox.accept(anOffer(event, { lane, kind: "command" }));
    return await this.read(() => this.#runCommand());
  }

  async read(doing: () => Promise<void>): Promise<string[]> {
    const before = this.slack.said.length;
    await doing();
    return this.slack.said.slice(before);
  }

  async #runCommand(): Promise<void> {
    const [command] = await this.store.queue.claim({ jobsMax: 1, leaseMs: LEASE_MS, controlOnly: true });
    if (command === undefined) throw new Error("Expected a command, got nothing");
    await this.run(command);
  }
}

export async function openAsking(rules: Partial<ApprovalRules> = {}): Promise<Asking> {
  const clock = new FakeClock();
  return new Asking(clock, await openTestStore(clock), rules);
}

/** As the dispatcher does it. */
export async function workAndSettle(job: Job, deps: WorkerDeps, queue: Pick<Queue, "settle">): Promise<void> {
  const { signal } = new AbortController();
  const signals = {
    job: signal,
    run: signal,
    heard: () => job.signals,
    listen: () => () => {},
    isHeld: async () => true,
    leftMs: () => LEASE_MS,
  };
  const settlement = await work(job, deps, signals).catch((error: unknown) =>
    settlementFor(error, job, { attemptsMax: 3, baseMs: 1 }, () => 0),
  );
  if (settlement !== null) await queue.settle(job, settlement);
}

/** All between a claim and what people read, with an agent that is not there yet. */
export function workerDepsOf(slack: FakeAdapter, clock: FakeClock, store: Store): WorkerDeps {
  const log = silentLogger();
  const questions = createQuestions(store.vault);
  const grants = createGrants(store.vault);
  const metrics = createMetrics();
  const runtime = createAgentRuntime({
    agents: new Map(),
    clock,
    random: () => 0,
    observe: { modelCall: () => {}, retry: () => {} },
  });
  return {
    queue: store.queue,
    memory: store.memory,
    adapters: new Map([["slack", slack]]),
    runtime,
    routes: [{ match: { platforms: new Set(["slack"]) }, agent: "assistant" }],
    selection: selectionOf(),
    agents: new Map([["assistant", { turnsMax: 4, ttlMs: 60_000 }]]),
    guide: guideWith(),
    control: {
      memory: store.memory,
      lanes: store.lanes,
      desk: NO_DESK,
      describeAgent: (name) => ({ name, model: "a model" }),
      approversOf: () => null,
      questions,
      grants,
      clock,
      isPaused: () => false,
      version: "1.2.3",
    },
    render: (adapter, markdown, to) => adapter.render(markdown, to),
    delivery: { outbox: store.outbox, breakers: new Breakers(clock), inDoubt: "resend_marked", log, metrics },
    attemptsMax: 3,
    questions: { questions, grants },
    isPaused: () => false,
    clock,
    newId: (prefix) => `${prefix}_1`,
    log,
    metrics,
  };
}
