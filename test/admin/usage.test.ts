import { expect, it } from "vitest";
import { cap, cost } from "../store/plain-purse.ts";
import { openAdmin } from "../support/admin.ts";

const NOTHING = {
  cost_cents: 0,
  held_cents: 0,
  input_tokens: 0,
  output_tokens: 0,
  cache_read_tokens: 0,
  cache_write_tokens: 0,
  model_calls: 0,
};

it("says what a day has cost, of everyone and of those that were asked for", async () => {
  const { ask, store, clock } = await openAdmin();
  // Half past eleven in the evening by UTC, and tomorrow in Berlin.
  clock.advance(Date.parse("2026-11-29T23:30:00Z") - clock.nowMs());
  const day = "2026-11-30";
  const caps = [cap("user:slack:T1:U1", 50e6), cap("global", 100e6)];
  const tokens = { inputTokens: 7, outputTokens: 5, cacheReadTokens: 3, cacheWriteTokens: 2 };
  await store.purse.hold({ id: "a", day, amount: 20e6, caps });
  await store.purse.hold({ id: "b", day, amount: 4_500_000, caps: caps.slice(1) });
  await store.purse.settle({ id: "a", day }, cost(1_250_000, tokens));
  const spent = {
    ...NOTHING,
    cost_cents: 1.25,
    input_tokens: 7,
    output_tokens: 5,
    cache_read_tokens: 3,
    cache_write_tokens: 2,
    model_calls: 1,
  };
  const total = { ...spent, held_cents: 4.5, limit_cents: 100 };
  const answer = async (query: string) => await (await ask(`/usage${query}`)).json();
  expect(await answer("")).toEqual({ day, time_zone: "Europe/Berlin", total, by: [] });
  expect(await answer("?agent=assistant&user=slack%3AT1%3AU1&tenant=slack%3AT1")).toEqual({
    day,
    time_zone: "Europe/Berlin",
    total,
    by: [
      { scope: "user", id: "slack:T1:U1", ...spent, limit_cents: 50 },
      { scope: "tenant", id: "slack:T1", ...NOTHING, limit_cents: null },
      { scope: "agent", id: "assistant", ...NOTHING, limit_cents: null },
    ],
  });
  expect(await answer("?day=2026-11-29")).toMatchObject({ day: "2026-11-29", total: NOTHING });
});

it.each([
  ["?day=today", "day"],
  ["?day=2026-02-30", "day"],
  ["?user=", "user"],
  ["?users=x", "users"],
  ["?day=2026-11-29&day=2026-11-30", "day"],
])("refuses %s with what was expected", async (query, name) => {
  const { ask } = await openAdmin();
  const response = await ask(`/usage${query}`);
  expect(response.status).toBe(400);
  const { error } = (await response.json()) as { error: { message: string } };
  expect(error.message.startsWith(`${name}: `)).toBe(true);
});
