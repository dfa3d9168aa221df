import { expect, it } from "vitest";
import { createDayBudgets } from "../../src/agent/day-budgets.ts";
import { createAgentRuntime } from "../../src/agent/runtime.ts";
import { Calendar } from "../../src/domain/day.ts";
import { centsOf } from "../../src/domain/money.ts";
import type { Prompt } from "../../src/ports/model.ts";
import type { Job } from "../../src/ports/queue.ts";
import type { Store } from "../../src/ports/store.ts";
import type { WorkerDeps } from "../../src/worker/deps.ts";
import { agentOf, call, fakeModel, fakeTool, type Scripted, usage } from "../agent/support.ts";
import { FakeAdapter } from "../support/adapter.ts";
import { workAndSettle, workerDepsOf } from "../support/asking.ts";
import { LEASE_MS, type StoreBench } from "./store.ts";

/** Whether the last call of a process has reached the store, or only its answer was never heard. */
type Death = "before" | "after";
class Died extends Error {}

/** What its world has seen of one message, over the deaths of processes. */
interface World {
  readonly slack: FakeAdapter;
  /** What each call of the model was billed with, in cents, by the answer that it gave. */
  readonly bills: { readonly answer: number; readonly cents: number }[];
  /** What the tools did, as it came about. */
  readonly effects: string[];
  /** What the model was shown last. */
  prompt: Prompt | null;
}

/** Of the others only the lease runs out, which is sooner done. */
const KILL_EVERY = 8;
const CEILING_CENTS = 5;
const ANSWERS: readonly Scripted[] = [
  { text: "First.", calls: [call("1", "read"), call("2", "write")], usage: usage(10, 1, 1.234567) },
  { text: "Then", stop: "pause", usage: usage(20, 1, 0.000001) },
  { text: " this.", calls: [call("3", "write")], usage: usage(30, 1, 2.5) },
  { text: "Done.", usage: usage(40, 1, 4.999999) },
];
const COSTS = ANSWERS.map((answer) => ("usage" in answer ? (answer.usage?.costCents ?? 0) : 0));
const sum = (cents: readonly number[]) => cents.reduce((total, one) => total + one, 0);
const SCOPES = ["queue", "outbox", "purse", "memory", "vault"] as const;

/** A whole run on the store: the worker, the runtime and the purse, and a process that dies at each call of the store in turn. */
export function runsContract(bench: StoreBench): void {
  it.each<Death>(["before", "after"])(
    "does nothing twice and forgets no cent of a run, whichever call its process dies %s",
    async (death) => {
      let at = 0;
      for (; ; at++) {
        const conversation = `c${at}`;
        await bench.accept({ id: `e${at}`, conversation });
        const world: World = { slack: new FakeAdapter(), bills: [], effects: [], prompt: null };
        const process = mortal(bench.store, at, death);
        await runIn(process.store, await bench.claimOne(), world, () => process.isDead);
        if (!process.isDead) break;
        if (at % KILL_EVERY === 0) await bench.kill();
        else bench.clock.advance(LEASE_MS + 1);
        for (const job of await bench.claim()) await runIn(bench.store, job, world, () => false);
        await check(`${death} call ${at}`, conversation, `e${at}`, world);
      }
      expect(at).toBeGreaterThan(20);
    },
  );

  async function check(when: string, conversation: string, id: string, world: World): Promise<void> {
    const { slack, bills, effects, prompt } = world;
    expect((await bench.store.journal.find(id))?.state, when).toBe("done");
    // A call that was made again is the one whose answer the death came before.
    const made = ANSWERS.map((_, answer) => bills.filter((bill) => bill.answer === answer).length);
    expect(Math.min(...made), when).toBe(1);
    expect(bills.length, when).toBeLessThanOrEqual(ANSWERS.length + 1);

    expect(effects.filter((effect) => effect === "read").length, when).toBeLessThanOrEqual(2);
    const results = (prompt?.messages ?? []).flatMap((message) =>
      message.role === "tool" ? [[message.callId, message.result]] : [],
    );
    for (const callId of ["2", "3"]) {
      const times = effects.filter((effect) => effect === `write ${callId}`).length;
      const result = results.find(([of]) => of === callId)?.[1];
      // Where its result was lost, it is called no second time, and the model knows.
      if (result === "interrupted, outcome unknown") expect(times, when).toBeLessThanOrEqual(1);
      else expect([times, result], when).toEqual([1, "write ran"]);
    }

    // Who dies between reserving and sending leaves a doubt, and what is said in doubt says so.
    expect(["Done.", "(again?) Done.", "Done. (again?) Done."], when).toContain(slack.said.join(" "));
    const turns = await bench.store.memory.recall(conversation, { turnsMax: 9, sinceMs: 0 });
    expect(
      turns.map(({ text }) => text),
      when,
    ).toEqual(["hello", "Done."]);

    // What is known is what was billed, and for a call that broke off what was held, if no more was heard of it.
    const day = new Date(bench.clock.nowMs()).toISOString().slice(0, 10);
    const [spent] = await bench.store.purse.spent(day, [`conversation:${conversation}`]);
    const known = { spent: centsOf(spent?.amount ?? 0), held: centsOf(spent?.held ?? 0) };
    const [broken] = bills.filter(
      (bill, index) => bills.findLastIndex(({ answer }) => answer === bill.answer) !== index,
    );
    const settled = { spent: sum(COSTS) + (broken?.cents ?? 0), held: 0 };
    const held = [0, CEILING_CENTS].map((cents) => ({ spent: sum(COSTS), held: cents }));
    const possible = (broken === undefined ? held : [settled, ...held.slice(1)]).map(toMicrocents);
    expect(possible, `${when}: ${JSON.stringify(known)}`).toContainEqual(toMicrocents(known));
  }

  async function runIn(store: Store, job: Job, world: World, isDead: () => boolean): Promise<void> {
    const deps = depsOn(store, world, isDead);
    await workAndSettle(job, deps, store.queue).catch((error: unknown) => {
      if (!isDead()) throw error;
    });
  }

  function depsOn(store: Store, world: World, isDead: () => boolean): WorkerDeps {
    const { clock } = bench;
    /** The dead do nothing. */
    const alive = () => {
      if (isDead()) throw new Error("Expected a process that is dead to do nothing");
    };
    const model = fakeModel(
      (prompt) => {
        alive();
        world.prompt = prompt;
        const answer = prompt.messages.filter(({ role }) => role === "assistant").length;
        world.bills.push({ answer, cents: COSTS[answer] ?? 0 });
        return ANSWERS[answer] ?? { text: "more than was asked" };
      },
      { ceilingCents: () => CEILING_CENTS },
    );
    const act = (name: string, effect: () => string) => () => {
      alive();
      world.effects.push(effect());
      return `${name} ran`;
    };
    const tools = [
      fakeTool(
        "read",
        act("read", () => "read"),
        true,
      ),
      fakeTool(
        "write",
        act("write", () => `write ${callOf(world)}`),
      ),
    ];
    const agents = new Map([["assistant", agentOf(model, { tools })]]);
    const observe = { modelCall: () => {}, retry: () => {} };
    const off = { user: null, tenant: null, agent: null, global: null };
    return {
      ...workerDepsOf(world.slack, clock, store),
      runtime: createAgentRuntime({ agents, clock, random: () => 0, observe }),
      allowanceOf: createDayBudgets({
        ...{ purse: store.purse, limits: { ...off, conversation: 1_000_000 }, warnAt: 0.8, clock },
        calendar: new Calendar("UTC"),
        newId: (prefix) => `${prefix}_${++holds}`,
        warn: () => {},
        unsettled: () => {},
      }),
    };
  }
}

let holds = 0;

/** Which of the two calls to write is made: the model has answered twice more before the second. */
function callOf({ bills }: World): string {
  return (bills.at(-1)?.answer ?? 0) < 2 ? "2" : "3";
}

function toMicrocents({ spent, held }: { spent: number; held: number }) {
  return { spent: Math.round(spent * 1e6), held: Math.round(held * 1e6) };
}

/** A store whose process dies at this call of it. */
function mortal(
  store: Store,
  dieAt: number,
  death: Death,
): { readonly store: Store; readonly isDead: boolean } {
  let calls = 0;
  let isDead = false;
  const guarded = <T extends object>(port: T): T =>
    new Proxy(port, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        return async (...args: unknown[]) => {
          const isLast = !isDead && calls++ === dieAt;
          if (isLast) isDead = true;
          if (isDead && !(isLast && death === "after")) throw new Died();
          const result: unknown = await Reflect.apply(method, target, args);
          if (isDead) throw new Died();
          return result;
        };
      },
    });
  const ports = Object.fromEntries(SCOPES.map((name) => [name, guarded<object>(store[name])]));
  return {
    store: new Proxy(store, { get: (target, name) => ports[String(name)] ?? Reflect.get(target, name) }),
    get isDead() {
      return isDead;
    },
  };
}
