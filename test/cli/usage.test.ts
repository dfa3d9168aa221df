import { beforeEach, expect, it } from "vitest";
import { cap, cost } from "../store/plain-purse.ts";
import { type Admin, openAdmin, TOKEN } from "../support/admin.ts";
import { call } from "./helpers.ts";

const DAY = "2026-11-30";
let admin: Admin;
let env: Record<string, string>;
beforeEach(async () => {
  admin = await openAdmin();
  env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() };
  const { purse } = admin.store;
  const caps = [cap("user:slack:T1:U\u001b[2J", 50e6), cap("global", 100e6)];
  await purse.hold({ id: "a", day: DAY, amount: 20e6, caps });
  await purse.hold({ id: "b", day: DAY, amount: 4_500_000, caps: caps.slice(1) });
  await purse.settle({ id: "a", day: DAY }, cost(1_250_000, { inputTokens: 7, outputTokens: 5 }));
});

it("says what a day has cost against its budgets, and nothing that a terminal would obey", async () => {
  const { code, stdout } = await call(["usage", "--day", DAY, "--user", "slack:T1:U\u001b[2J"], { env });
  expect(code).toBe(0);
  expect(stdout.split("\n")).toEqual([
    "2026-11-30 (Europe/Berlin)",
    "everyone: 1.25 cents of 100, 4.5 held; 1 call, 7 tokens in, 5 out",
    "user slack:T1:U\\u{1b}[2J: 1.25 cents of 50; 1 call, 7 tokens in, 5 out",
    "",
  ]);
});

it("prints what the API says as JSON", async () => {
  const { stdout } = await call(["usage", "--day", DAY, "--agent", "assistant", "--json"], { env });
  expect(JSON.parse(stdout)).toMatchObject({
    day: DAY,
    time_zone: "Europe/Berlin",
    total: { cost_cents: 1.25, held_cents: 4.5, limit_cents: 100, model_calls: 1 },
    by: [{ scope: "agent", id: "assistant", cost_cents: 0, limit_cents: null }],
  });
});

it("says what is wrong with a day that is none", async () => {
  expect(await call(["usage", "--day", "today"], { env })).toMatchObject({
    code: 2,
    stderr: 'parley: day: expected a day such as 2026-11-29, got "today"\n',
  });
});
