import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDayBudgets } from "../../src/agent/day-budgets.ts";
import { lastPaidIn } from "../../src/agent/progress.ts";
import { RunAborted } from "../../src/domain/abort.ts";
import { BreakerOpen } from "../../src/domain/breaker.ts";
import { type DayLimits, scopesOf } from "../../src/domain/budget.ts";
import { Calendar } from "../../src/domain/day.ts";
import { ModelError } from "../../src/domain/errors.ts";
import { microcentsOf } from "../../src/domain/money.ts";
import type { Step } from "../../src/domain/run.ts";
import type { Purse } from "../../src/ports/purse.ts";
import { PlainPurse } from "../store/plain-purse.ts";
import {
  agentOf,
  benchFor,
  call,
  calm,
  eventOf,
  fakeModel,
  fakeTool,
  type Scripted,
  SimClock,
  usage,
} from "./support.ts";

const OFF: DayLimits = { user: null, conversation: null, tenant: null, agent: null, global: null };
const DAY = "2023-11-14";
const CUT = new ModelError("MODEL_STREAM_CUT", "cut", { retryable: true });
const BUSY = new ModelError("MODEL_OVERLOADED", "529", { retryable: true });
const kinds = (steps: readonly Step[] | undefined) => steps?.map(({ kind }) => kind);

function purseOf(list: PlainPurse): Purse {
  return {
    hold: async ({ day, id, amount, caps }) => list.hold(day, id, amount, caps),
    settle: async ({ day, id }, { amount }) => list.settle(day, id, amount),
    spent: async (day, scopes) => scopes.map((scope) => list.spent(day, scope)),
  };
}

/** Budgets of a day over a plain purse, as many runs as wanted on them. */
function budgets(limits: Partial<DayLimits>, clock = new SimClock(), timeZone = "UTC") {
  const list = new PlainPurse();
  let ids = 0;
  const of = createDayBudgets({
    purse: purseOf(list),
    limits: { ...OFF, ...limits },
    warnAt: 0.8,
    calendar: new Calendar(timeZone),
    clock,
    newId: (prefix) => `${prefix}_${ids++}`,
    warn: () => {},
    unsettled: (_, error) => {
      throw error;
    },
  });
  const spent = (scope = "global") => {
    const { amount, held } = list.spent(DAY, scope);
    return { spent: amount / 1e6, held: held / 1e6 };
  };
  return { clock, allowance: of(eventOf("hello"), "assistant"), spent };
}

describe("a model call that costs", () => {
  it("is recorded with what it may cost before it is made, and settled with what it did cost", async () => {
    const seen: unknown[] = [];
    const { clock, allowance, spent } = budgets({ global: 100 });
    const model = fakeModel(
      () => {
        seen.push(kinds(bench.records.at(-1)), spent());
        return { text: "Hi.", usage: usage(10, 5, 3) };
      },
      { ceilingCents: () => 20 },
    );
    const bench = benchFor(agentOf(model), clock);
    expect(await bench.run({ allowance })).toMatchObject({ outcome: "answered", text: "Hi." });
    expect(seen).toEqual([["model-started"], { spent: 0, held: 20 }]);
    expect(bench.records).toMatchObject([
      [{ kind: "model-started", hold: { id: "hold_0", day: DAY, cents: 20 } }],
      [{ kind: "model-started" }, { kind: "model", usage: { costCents: 3 } }],
    ]);
    expect(spent()).toEqual({ spent: 3, held: 0 });
  });

  it("is settled by whoever goes on, where its holder died before it had said the price", async () => {
    const { clock, allowance, spent } = budgets({ global: 100 });
    const { hold, over } = allowance.hold(20);
    expect(await over).toBeNull();
    const steps: readonly Step[] = [
      { kind: "model-started", hold },
      { kind: "model", text: "Hi.", stop: "end", toolCalls: [], usage: usage(10, 5, 3), wasHeld: true },
    ];
    const bench = benchFor(agentOf(fakeModel([])), clock);
    expect(await bench.run({ allowance, steps })).toMatchObject({ outcome: "answered", text: "Hi." });
    expect(spent()).toEqual({ spent: 3, held: 0 });
    await bench.run({ allowance, steps });
    expect(spent()).toEqual({ spent: 3, held: 0 });
  });

  it("is found again as the last that was paid for, of a guard, an agent that was asked, or a summary", () => {
    const started = (id: string): Step => ({ kind: "model-started", hold: { id, day: DAY, cents: 20 } });
    const answer: Step = {
      ...{ kind: "model", text: "Hi.", stop: "end", toolCalls: [] },
      ...{ usage: usage(10, 5, 3), wasHeld: true },
    };
    const asked = (...steps: readonly Step[]): Step => ({
      kind: "agent",
      callId: "1",
      agent: "guard",
      steps,
    });
    const before = [started("first"), answer];
    const idOf = (...steps: readonly Step[]) => lastPaidIn([...before, ...steps])?.hold.id;
    expect(idOf(asked(started("inner"), answer))).toBe("inner");
    expect(idOf(asked(started("inner"), answer), started("lost"), asked())).toBe("inner");
    expect(idOf(asked(started("lost")))).toBe("first");
    const covers = { from: 1, places: [1], turns: 1, size: 1, by: ["u1"] };
    const summary = { text: "s", atMs: 0, covers, usage: usage(10, 5, 3) };
    expect(idOf(started("summary"), { kind: "compacted", ...summary, wasHeld: true })).toBe("summary");
    expect(idOf(started("lost"), { kind: "compacted", ...summary })).toBe("first");
    expect(lastPaidIn([started("lost")])).toBeNull();
  });

  it("costs no step and no hold where it is free", async () => {
    const { clock, allowance, spent } = budgets({ global: 100 });
    const bench = benchFor(agentOf(fakeModel([{ text: "Hi." }])), clock);
    await bench.run({ allowance });
    expect(bench.records.map(kinds)).toEqual([["model"]]);
    expect(spent()).toEqual({ spent: 0, held: 0 });
  });

  it("gives back what was held for it when it has certainly cost nothing", async () => {
    const { clock, allowance, spent } = budgets({ global: 100 });
    const model = fakeModel([{ error: BUSY }, { text: "Hi.", usage: usage(1, 1, 3) }], {
      ceilingCents: () => 60,
    });
    const bench = benchFor(agentOf(model), clock);
    expect(await bench.run({ allowance })).toMatchObject({ outcome: "answered" });
    expect(bench.records.map(kinds)).toEqual([
      ["model-started"],
      [],
      ["model-started"],
      ["model-started", "model"],
    ]);
    expect(spent()).toEqual({ spent: 3, held: 0 });
  });

  it("counts with all that was held when it broke off, in the budget of the day and in that of the run", async () => {
    const { clock, allowance, spent } = budgets({ global: 1000 });
    const model = fakeModel([{ error: CUT }, { text: "Hi.", usage: usage(1, 1, 3) }], {
      ceilingCents: () => 40,
    });
    const bench = benchFor(agentOf(model), clock);
    expect(await bench.run({ allowance })).toMatchObject({ outcome: "answered" });
    expect(kinds(bench.records.at(-1))).toEqual(["model-started", "model-started", "model"]);
    expect(spent()).toEqual({ spent: 3, held: 40 });
    // Of 100 cents of a run 83 are gone by a broken call of before, which nobody may forget.
    const again = benchFor(agentOf(fakeModel([], { ceilingCents: () => 40 })), clock);
    const lost: Step = { kind: "model-started", hold: { id: "hold_x", day: DAY, cents: 83 } };
    expect(await again.run({ allowance, steps: [lost] })).toMatchObject({
      outcome: "out-of-money",
      text: "I ran out of budget (100 cents) before finishing.",
      modelCalls: 0,
    });
    expect(spent()).toEqual({ spent: 3, held: 40 });
  });

  it("is asked for anew, and held a second time, by whoever finds it without an answer", async () => {
    const { clock, allowance, spent } = budgets({ global: 100 });
    const model = fakeModel([{ hang: "deaf" }, { text: "Hi.", usage: usage(1, 1, 2) }], {
      ceilingCents: () => 30,
    });
    const bench = benchFor(agentOf(model), clock);
    const dying = new AbortController();
    const first = bench.begin({ allowance, signal: dying.signal }).catch((error: unknown) => error);
    await calm();
    dying.abort(new RunAborted("draining"));
    expect(await first).toMatchObject({ why: "draining" });
    const stored = bench.records.at(-1) ?? [];
    expect(kinds(stored)).toEqual(["model-started"]);
    expect(await bench.run({ allowance, steps: stored })).toMatchObject({ outcome: "answered" });
    expect(kinds(bench.records.at(-1))).toEqual(["model-started", "model-started", "model"]);
    expect(spent()).toEqual({ spent: 2, held: 30 });
  });

  it("is not made, nor held, when its breaker is open", async () => {
    const refused = new ModelError("MODEL_AUTH", "401", { retryable: false });
    const { clock, allowance, spent } = budgets({ global: 100 });
    const model = fakeModel([{ error: refused }], { ceilingCents: () => 30 });
    const bench = benchFor(agentOf(model), clock);
    await expect(bench.run({ allowance })).rejects.toBe(refused);
    bench.records.length = 0;
    await expect(bench.run({ allowance })).rejects.toBeInstanceOf(BreakerOpen);
    expect(bench.records).toEqual([]);
    expect(spent()).toEqual({ spent: 0, held: 0 });
  });

  it("is not made by whoever has lost the event while the money was held", async () => {
    const { clock, allowance, spent } = budgets({ global: 100 });
    const model = fakeModel([], { ceilingCents: () => 30 });
    const lost = async () => {
      throw new RunAborted("lease-lost");
    };
    for (const how of [{ record: lost }, { ensure: lost }])
      await expect(benchFor(agentOf(model), clock).run({ allowance, ...how })).rejects.toMatchObject({
        why: "lease-lost",
      });
    expect(model.prompts).toHaveLength(0);
    // Whoever has it now may have held it too: nothing is given back.
    expect(spent()).toEqual({ spent: 0, held: 60 });
  });
});

describe("a budget of the day", () => {
  const tooDear = () => fakeModel([], { ceilingCents: () => 30 });
  const overText = async (limits: Partial<DayLimits>, timeZone = "UTC") => {
    const { clock, allowance } = budgets(limits, new SimClock(), timeZone);
    await benchFor(
      agentOf(fakeModel([{ text: "x", usage: usage(1, 1, 9) }], { ceilingCents: () => 9 })),
      clock,
    ).run({
      allowance,
    });
    return await benchFor(agentOf(tooDear()), clock).run({ allowance });
  };

  // 22:13:20 on 14 November 2023, by UTC.
  it.each([
    ["user", "for your messages"],
    ["conversation", "for this conversation"],
    ["tenant", "for everybody in this workspace"],
    ["agent", "for this assistant"],
    ["global", "for all of us together"],
  ] as const)("tells whose it is and when it begins again: %s", async (scope, whose) => {
    expect(await overText({ [scope]: 31 })).toMatchObject({
      outcome: "out-of-money",
      overBudget: scope,
      text: `Not enough is left of today's budget ${whose}. It begins again in 2 hours, with the next day (UTC).`,
      modelCalls: 0,
    });
  });

  it("begins again at the midnight of its time zone", async () => {
    const { text } = await overText({ global: 31 }, "Asia/Tokyo");
    expect(text).toContain("It begins again in 17 hours, with the next day (Asia/Tokyo).");
  });

  it("promises no next day to a call that a whole day could not pay for", async () => {
    expect(await overText({ user: 29 })).toMatchObject({
      text: "An answer may cost more than the daily budget for your messages allows. Only an administrator can change that.",
    });
  });

  it("that ends a run midway leaves what there is", async () => {
    const { clock, allowance, spent } = budgets({ user: 35 });
    const model = fakeModel([{ text: "Half.", calls: [call("1", "look")], usage: usage(1, 1, 6) }], {
      ceilingCents: () => 30,
    });
    const bench = benchFor(agentOf(model, { tools: [fakeTool("look")] }), clock);
    const result = await bench.run({ allowance });
    expect(result).toMatchObject({ outcome: "out-of-money", overBudget: "user", usage: { costCents: 6 } });
    expect(result.text).toMatch(/^Not enough is left .* This is what I have so far:\n\nHalf\.$/s);
    expect(spent("user:test:t:u1")).toEqual({ spent: 6, held: 0 });
  });

  it("lets a cheaper model answer that has room", async () => {
    const { clock, allowance } = budgets({ user: 35 });
    const cheap = fakeModel([{ text: "Cheap." }], { name: "fake-2", ceilingCents: () => 5 });
    const agent = agentOf(fakeModel([], { ceilingCents: () => 36 }), { fallbacks: [cheap] });
    expect(await benchFor(agent, clock).run({ allowance })).toMatchObject({ text: "Cheap." });
  });

  it("is of a person, a conversation, a workspace, an agent and everybody, by names that cannot meet", () => {
    expect(scopesOf(eventOf("x"), "assistant")).toEqual({
      user: "user:test:t:u1",
      conversation: "conversation:test:t:p",
      tenant: "tenant:test:t",
      agent: "agent:assistant",
      global: "global",
    });
  });

  it("is never passed, and nothing is forgotten, whatever calls cost, however they end and whenever a process dies", async () => {
    const calls = fc.array(
      fc.record({
        ceiling: fc.integer({ min: 0, max: 40 }),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
        end: fc.constantFrom("tools", "pause", "cut", "busy", "end"),
        /** Which record from now on is not answered any more: the process is dead. */
        diesAt: fc.option(fc.nat(3), { freq: 3, nil: null }),
        isStored: fc.boolean(),
      }),
      { minLength: 1, maxLength: 40 },
    );
    await fc.assert(
      fc.asyncProperty(calls, fc.integer({ min: 1, max: 150 }), async (script, cap) => {
        const { clock, allowance, spent } = budgets({ global: cap });
        let truth = 0;
        let at = 0;
        const next = () => script[at % script.length] ?? { ceiling: 0, share: 0, end: "end" as const };
        const model = fakeModel(
          (): Scripted => {
            const { ceiling, share, end } = next();
            at++;
            if (end === "busy") return { error: BUSY };
            const cost = ceiling * share;
            truth += cost;
            if (end === "cut") return { error: CUT };
            const more = { text: "x", usage: usage(1, 1, cost) };
            return end === "tools" ? { ...more, calls: [call(`${at}`, "look")] } : { ...more, stop: end };
          },
          { ceilingCents: () => next().ceiling },
        );
        const limits = { costCentsMax: 1e6, maxIterations: 20, tokensMax: 1e6 };
        const bench = benchFor(agentOf(model, { tools: [fakeTool("look")], limits }), clock);
        for (const { diesAt, isStored } of script) {
          let stored: readonly Step[] = [];
          let records = 0;
          const record = async (steps: readonly Step[]) => {
            const isDead = diesAt !== null && records++ >= diesAt;
            if (!isDead || isStored) stored = steps;
            if (isDead) throw new RunAborted("lease-lost");
          };
          const goOn = () => bench.run({ allowance, record, steps: stored });
          await goOn().catch(() => {});
          records = Number.NEGATIVE_INFINITY;
          await goOn().catch(() => {});
          const day = spent();
          expect(day.spent + day.held).toBeLessThanOrEqual(cap);
          expect(microcentsOf(truth)).toBeLessThanOrEqual(
            microcentsOf(day.spent + day.held) + script.length * 4,
          );
        }
      }),
      { numRuns: 100 },
    );
  });
});
