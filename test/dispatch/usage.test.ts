import { expect, it } from "vitest";
import { deskOf } from "../../src/app/desk.ts";
import { obey } from "../../src/dispatch/control.ts";
import { controlCommandOf, usageDayIn } from "../../src/domain/command.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { microcentsOf } from "../../src/domain/money.ts";
import type { Purse } from "../../src/ports/purse.ts";
import { AGENT, load, problemsOf } from "../config/helpers.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { openTestStore } from "../support/store.ts";

const clock = new FakeClock();
const DAY = new Date(clock.nowMs()).toISOString().slice(0, 10);
const ANN = anEvent();
const NO_TOKENS = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
const BUDGETS = "  budgets: { user: { cost_cents: 100 }, conversation: { cost_cents: 500 } }\n";

function specOf(lines: string) {
  const loaded = load({ "agents/assistant.yaml": AGENT, "gateway.yaml": `kind: Gateway\nspec:\n${lines}` });
  if (!loaded.ok) throw new Error(problemsOf(loaded).join("\n"));
  return loaded.config.gateway;
}

async function spend(purse: Purse, id: string, cents: number, scopes: readonly string[]): Promise<void> {
  const caps = scopes.map((scope) => ({ scope, limit: null, warnAt: null }));
  await purse.hold({ id, day: DAY, amount: microcentsOf(cents), caps });
}

async function usage(event: TriggerEvent, { purse }: { readonly purse: Purse }, lines = BUDGETS) {
  const deps = { desk: deskOf({ purse }, () => specOf(lines), clock) };
  return (await obey("usage", event, deps as unknown as Parameters<typeof obey>[2])).text;
}

it("is heard as a command and as a message, and talk is not", () => {
  const as = (trigger: TriggerEvent["trigger"], command: string | null, text: string) =>
    [controlCommandOf({ trigger, command, text }), usageDayIn({ trigger, command, text })] as const;
  expect(as("mention", null, "!usage")).toEqual(["usage", ""]);
  expect(as("direct", null, "/usage 2026-11-29")).toEqual(["usage", "2026-11-29"]);
  expect(as("command", "/parley", "usage 2026-11-29")).toEqual(["usage", "2026-11-29"]);
  expect(as("command", "/parley usage", "")).toEqual(["usage", ""]);
  expect(as("command", "/usage", "last week")).toEqual(["usage", null]);
  for (const talk of ["usage", "!usage of disks", "what is the usage?"])
    expect(as("mention", null, talk)).toEqual([null, null]);
});

it("says what a person and the conversation have spent, and nothing that others share", async () => {
  const { purse } = await openTestStore(clock);
  const hers = ["user:slack:T1:U1", "conversation:slack:T1:C1", "global"];
  await spend(purse, "h1", 20, hers);
  await purse.settle({ id: "h1", day: DAY }, { ...NO_TOKENS, amount: microcentsOf(12.345) });
  await spend(purse, "h2", 3, hers);
  await spend(purse, "h3", 50, ["user:slack:T1:U2", "conversation:slack:T1:C1", "global"]);
  expect(await usage({ ...ANN, text: "!usage" }, { purse })).toBe(
    `Spent on ${DAY} (UTC):\n\n` +
      "- You: 12.35 of 100 US cents, 1 call of a model, and up to 3 for calls that are not over\n" +
      "- This conversation: 12.35 of 500 US cents, 1 call of a model, and up to 53 for calls that are not over",
  );
  expect(await usage({ ...ANN, text: "!usage 2026-01-02" }, { purse })).toContain(
    "Spent on 2026-01-02 (UTC):\n\n- You: 0 of 100 US cents, 0 calls of a model\n",
  );
});

it("says so where nobody counts, and what a day looks like", async () => {
  const store = await openTestStore(clock);
  expect(await usage({ ...ANN, text: "!usage" }, store, "  kill_switch: false\n")).toBe(
    "There is no budget for one person or one conversation here, so nothing is counted by them.",
  );
  for (const text of ["yesterday", "2026-02-31"])
    expect(await usage({ ...ANN, trigger: "command", command: "/usage", text }, store)).toBe(
      "Expected a day such as `/usage 2026-11-29`, or nothing for today.",
    );
});
