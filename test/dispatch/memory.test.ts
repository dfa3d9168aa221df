import { describe, expect, it } from "vitest";
import { historyOf, recallFor } from "../../src/dispatch/memory.ts";
import type { Turn } from "../../src/domain/run.ts";
import type { Memory, Recall } from "../../src/ports/memory.ts";
import type { Job } from "../../src/ports/queue.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";

const NOW_MS = 1_000_000;
const clock = new FakeClock(NOW_MS);

function aTurn(text: string, agoMs: number): Turn {
  return { role: "user", name: null, text, atMs: NOW_MS - agoMs };
}

const TURNS = [aTurn("a", 500), aTurn("b", 300), aTurn("c", 100)];

/** Knows one turn more than what came with the claim, and who asked. */
function askable(): Memory & { readonly asked: Recall[] } {
  const asked: Recall[] = [];
  return {
    asked,
    async recall(_, recall) {
      asked.push(recall);
      return [aTurn("asked", 900), ...TURNS];
    },
    async forget() {},
    withdraw: async () => "unknown" as const,
  };
}

describe("what an agent is shown of its conversation", () => {
  const recalled: NonNullable<Job["recalled"]> = { turnsMax: 3, sinceMs: NOW_MS - 600, turns: TURNS };

  it.each([
    ["all of it", { turnsMax: 3, ttlMs: 600 }, ["a", "b", "c"]],
    ["fewer turns", { turnsMax: 2, ttlMs: 600 }, ["b", "c"]],
    ["a shorter time", { turnsMax: 3, ttlMs: 300 }, ["b", "c"]],
    ["both", { turnsMax: 1, ttlMs: 300 }, ["c"]],
    ["nothing", { turnsMax: 0, ttlMs: 600 }, []],
  ])("is taken from the claim: %s", async (_, agent, texts) => {
    const memory = askable();
    const history = await historyOf({ event: anEvent(), recalled }, agent, { memory, clock });
    expect(history.map(({ text }) => text)).toEqual(texts);
    expect(memory.asked).toEqual([]);
  });

  it("is taken from a claim that brought fewer turns than it may: there are no more", async () => {
    const memory = askable();
    const few = { ...recalled, turnsMax: 4 };
    const history = await historyOf(
      { event: anEvent(), recalled: few },
      { turnsMax: 200, ttlMs: 600 },
      { memory, clock },
    );
    expect(history).toEqual(TURNS);
    expect(memory.asked).toEqual([]);
  });

  it.each([
    ["more turns", { turnsMax: 4, ttlMs: 600 }, { recalled }],
    ["a longer time", { turnsMax: 3, ttlMs: 601 }, { recalled }],
    ["what did not come along", { turnsMax: 3, ttlMs: 600 }, {}],
  ])("is asked for: %s", async (_, agent, job) => {
    const memory = askable();
    const history = await historyOf({ event: anEvent(), ...job }, agent, { memory, clock });
    expect(history).toHaveLength(4);
    expect(memory.asked).toEqual([{ turnsMax: agent.turnsMax, sinceMs: NOW_MS - agent.ttlMs }]);
  });
});

describe("what a claim brings along", () => {
  it("is enough for every agent, but no more than a hundred turns", () => {
    const agents = { a: { turnsMax: 20, ttlMs: 900 }, b: { turnsMax: 40, ttlMs: 300 } };
    expect(recallFor(new Map(Object.entries(agents)))).toEqual({ turnsMax: 40, ttlMs: 900 });
    expect(recallFor(new Map([["a", { turnsMax: 5_000, ttlMs: 1 }]]))).toEqual({ turnsMax: 100, ttlMs: 1 });
    expect(recallFor(new Map())).toEqual({ turnsMax: 0, ttlMs: 0 });
  });
});
