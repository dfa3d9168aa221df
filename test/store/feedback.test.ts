import { beforeEach, expect, it } from "vitest";
import type { Feedback } from "../../src/ports/feedback.ts";
import { createFeedback } from "../../src/store/feedback.ts";
import { FakeClock } from "../support/clock.ts";
import { openTestStore } from "../support/store.ts";

const DAY_MS = 86_400_000;
const MESSAGE = { platform: "slack", tenant: "T1", messageId: "1717000000.000100" } as const;
const SAYING = {
  ...{ eventId: "slack:T1:C1:1", agent: "assistant", conversation: "slack:T1:C1", place: "C1" },
  ...{ thread: null, isDirect: false },
};

let clock: FakeClock;
let feedback: Feedback;
beforeEach(async () => {
  clock = new FakeClock();
  feedback = createFeedback((await openTestStore(clock)).vault, clock);
});

it("finds a message of ours for a week, in its own tenant and platform alone", async () => {
  await feedback.said(MESSAGE, SAYING);
  expect(await feedback.find(MESSAGE)).toEqual(SAYING);
  for (const other of [
    { tenant: "T2" },
    { platform: "discord" as const },
    { messageId: "1" },
    { tenant: "T1/x" },
  ])
    expect(await feedback.find({ ...MESSAGE, ...other })).toBeNull();
  clock.advance(7 * DAY_MS);
  expect(await feedback.find(MESSAGE)).toEqual(SAYING);
  expect(await feedback.forget(0)).toBe(0);
  clock.advance(DAY_MS);
  expect(await feedback.find(MESSAGE)).toBeNull();
  expect(await feedback.forget(0)).toBe(1);
});

it("keeps the last word of each person, and takes back no other than that", async () => {
  const rated = (by: string, rating: "up" | "down") =>
    feedback.rate("e1", { by, rating, atMs: clock.nowMs() });
  expect(await rated("U1", "up")).toBe(true);
  expect(await rated("U1", "up")).toBe(false);
  clock.advance(1);
  expect(await rated("U2", "up")).toBe(true);
  clock.advance(1);
  expect(await rated("U1", "down")).toBe(true);
  expect(await feedback.takeBack("e1", { by: "U1", rating: "up" })).toBe(false);
  expect((await feedback.of("e1")).map(({ by, rating }) => `${by} ${rating}`)).toEqual(["U2 up", "U1 down"]);
  expect(await feedback.of("e")).toEqual([]);
  expect(await feedback.takeBack("e1", { by: "U1", rating: "down" })).toBe(true);
  expect(await feedback.of("e1")).toHaveLength(1);
});

it("deletes what is older than it is kept", async () => {
  await feedback.rate("e1", { by: "U1", rating: "up", atMs: 1_000 });
  await feedback.rate("e1", { by: "U2", rating: "up", atMs: 2_000 });
  expect(await feedback.forget(2_000)).toBe(1);
  expect((await feedback.of("e1")).map(({ by }) => by)).toEqual(["U2"]);
});
