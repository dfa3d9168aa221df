import { describe, expect, it } from "vitest";
import { createDayBudgets } from "../../src/agent/day-budgets.ts";
import { Calendar } from "../../src/domain/day.ts";
import { ModelError } from "../../src/domain/errors.ts";
import { createNewId } from "../../src/system/ids.ts";
import { FakeClock } from "../support/clock.ts";
import { openTestStore } from "../support/store.ts";
import { agentOf, benchFor, call, eventOf, fakeModel, fakeTool, usage } from "./support.ts";

const refused = () => ({
  error: new ModelError("MODEL_AUTH", "401", { retryable: false }),
});

/** A dear model that looks before it answers, and a cheap one. */
function modelsWith({ spends = 10, ceiling = 10 }: { spends?: number; ceiling?: number } = {}) {
  const own = fakeModel(
    (_, index) =>
      index === 0
        ? { calls: [call("c1", "look")], usage: usage(1, 1, spends) }
        : { text: "dear", usage: usage(1, 1, 1) },
    { ceilingCents: () => ceiling },
  );
  const cheap = fakeModel(() => ({ text: "cheap", usage: usage(1, 1, 1) }), {
    name: "cheap",
    ceilingCents: () => 1,
  });
  return { own, cheap };
}

function benchWith(
  { own, cheap }: ReturnType<typeof modelsWith>,
  fallbacks = [] as ReturnType<typeof fakeModel>[],
) {
  const cheaper = { model: cheap, pastShare: 0.8 };
  return benchFor(agentOf(own, { tools: [fakeTool("look")], fallbacks, cheaper }));
}

describe("a cheaper model", () => {
  it("is not asked before the share of the run's budget is used up", async () => {
    const models = modelsWith({ spends: 79, ceiling: 10 });
    expect(await benchWith(models).run()).toMatchObject({ text: "dear" });
    expect(models.cheap.prompts).toEqual([]);
  });

  it("answers from then on", async () => {
    const models = modelsWith({ spends: 80, ceiling: 10 });
    expect(await benchWith(models).run()).toMatchObject({ text: "cheap" });
    expect(models.own.prompts).toHaveLength(1);
  });

  it("answers where what is left is too little for the others", async () => {
    const models = modelsWith({ spends: 50, ceiling: 60 });
    expect(await benchWith(models).run()).toMatchObject({ text: "cheap" });
  });

  it("is no fallback: an outage is for those", async () => {
    const { cheap } = modelsWith();
    const own = fakeModel(refused);
    await expect(benchWith({ own, cheap }).run()).rejects.toMatchObject({ code: "MODEL_AUTH" });
    expect(cheap.prompts).toEqual([]);
  });

  it("has the others behind it when it cannot answer", async () => {
    const models = modelsWith({ spends: 80, ceiling: 10 });
    const failing = { ...models, cheap: fakeModel(refused, { name: "cheap" }) };
    expect(await benchWith(failing).run()).toMatchObject({ text: "dear" });
    expect(failing.cheap.prompts).toHaveLength(1);
  });

  it("answers past the share of a budget of the day, whoever has spent it", async () => {
    const clock = new FakeClock();
    const store = await openTestStore(clock);
    const allowanceOf = createDayBudgets({
      ...{ purse: store.purse, warnAt: 0.8, calendar: new Calendar("UTC"), clock, newId: createNewId(clock) },
      limits: { user: null, conversation: null, tenant: null, agent: null, global: 1_000 },
      warn: () => {},
      unsettled: (_, error) => expect.fail(String(error)),
    });
    const answerOf = async () => {
      const { own, cheap } = modelsWith();
      const agent = agentOf(own, { tools: [fakeTool("look")], cheaper: { model: cheap, pastShare: 0.8 } });
      return (await benchFor(agent).begin({ allowance: allowanceOf(eventOf("hi"), "assistant") })).text;
    };
    expect(await answerOf()).toBe("dear");
    const spending = allowanceOf(eventOf("hi", { sender: { id: "u2", name: "Bob", isBot: false } }), "other");
    expect(await spending.hold(789).over).toBeNull();
    expect(await answerOf()).toBe("cheap");
  });
});
