import { expect, it } from "vitest";
import { HOLDS_KEPT_DAYS, SPENDING_KEPT_DAYS } from "../../src/domain/bounds.ts";
import { FakeClock } from "../support/clock.ts";
import { openTestStore } from "../support/store.ts";
import { cap, cost, spentOf } from "./plain-purse.ts";

const DAY_MS = 86_400_000;
const RETENTION = { finishedMs: DAY_MS, deadMs: DAY_MS, turnsMs: DAY_MS };
/** More than one batch of a sweep. */
const CALLS = 600;

it("the money of a day is swept when it is past: the calls first, what they cost at last", async () => {
  const clock = new FakeClock();
  const store = await openTestStore(clock);
  const { purse } = store;
  const day = new Date(clock.nowMs()).toISOString().slice(0, 10);
  const caps = [cap("global", null)];
  await Promise.all(
    Array.from({ length: CALLS }, (_, index) => purse.hold({ id: `h${index}`, day, amount: 10, caps })),
  );
  await purse.settle({ id: "h0", day }, cost(4));
  const spent = async () => (await purse.spent(day, ["global"]))[0];
  const before = spentOf("global", 4, (CALLS - 1) * 10, 1);

  clock.advance((HOLDS_KEPT_DAYS + 2) * DAY_MS);
  expect(await store.sweep(RETENTION)).toBe(CALLS);
  // Nobody will tell any more what they cost: it stays spent.
  await purse.settle({ id: "h1", day }, cost(1));
  expect(await spent()).toEqual(before);

  clock.advance((SPENDING_KEPT_DAYS - HOLDS_KEPT_DAYS) * DAY_MS);
  expect(await store.sweep(RETENTION)).toBe(1);
  expect(await spent()).toEqual(spentOf("global", 0, 0, 0));
});
