import { expect, it } from "vitest";
import { dayLimitsOf } from "../../src/app/day-budgets.ts";
import { AGENT, load, problemsOf } from "./helpers.ts";

const withBudgets = (lines: readonly string[]) =>
  load({
    "gateway.yaml": ["spec:", "  budgets:", ...lines.map((line) => `    ${line}`)].join("\n"),
    "agents/a.yaml": AGENT,
  });

function specOf(lines: readonly string[]) {
  const loaded = withBudgets(lines);
  if (!loaded.ok) expect.fail(problemsOf(loaded).join("\n"));
  return loaded.config;
}

it("without a word there is one budget of the day, that of everyone together", () => {
  const { gateway } = specOf(["{}"]);
  expect(gateway.budgets).toMatchObject({ time_zone: "UTC", warn_at: 0.8 });
  expect(dayLimitsOf(gateway)).toEqual({
    user: null,
    conversation: null,
    tenant: null,
    agent: null,
    global: 10_000,
  });
});

it("each budget of the day can be set and taken away", () => {
  const lines = ["time_zone: Europe/Berlin", "user: { cost_cents: 0.5 }", "global: { cost_cents: off }"];
  expect(dayLimitsOf(specOf(lines).gateway)).toMatchObject({ user: 0.5, global: null });
});

it.each([
  ["global: { cost_cents: 0 }", "global.cost_cents: expected a number of cents above 0, or `off`, got 0"],
  ["user: { cost_cents: -5 }", "user.cost_cents: expected a number of cents above 0, or `off`, got -5"],
  ["user: { cost_cents: many }", 'user.cost_cents: expected a number of cents above 0, or `off`, got "many"'],
  [
    "time_zone: Mars/Olympus",
    'time_zone: expected the name of a time zone such as UTC or Europe/Berlin, got "Mars/Olympus"',
  ],
  ["warn_at: 80", "warn_at: expected a number of at most 1, got 80"],
])("%s is refused with what was expected", (line, problem) => {
  expect(problemsOf(withBudgets([line]))).toEqual([
    expect.stringMatching(/^config\/gateway\.yaml:3:\d+ spec\.budgets\./),
  ]);
  expect(problemsOf(withBudgets([line]))[0]).toContain(`spec.budgets.${problem}`);
});

it("a budget of few that is above that of all is noted, because it is never reached", () => {
  const lines = ["user: { cost_cents: 300 }", "global: { cost_cents: 200 }"];
  expect(specOf(lines).notes).toEqual([
    "config/gateway.yaml:3:25 spec.budgets.user.cost_cents: 300 has no effect, because budgets.global.cost_cents is 200",
  ]);
});
