import { expect, it } from "vitest";
import { createAnswers } from "../../src/store/answers.ts";
import { FakeClock } from "../support/clock.ts";
import { openTestStore } from "../support/store.ts";

const [HERE, THERE] = ["slack:T1:C1", "slack:T2:C1"];
const ANSWER = { text: "forty-two / ü", model: "anthropic/claude" };

async function opened() {
  const clock = new FakeClock();
  const { vault } = await openTestStore(clock);
  return { clock, vault, answers: createAnswers(vault, clock) };
}

it("an answer is found in its conversation and nowhere else, until its time is over", async () => {
  const { clock, answers } = await opened();
  await answers.keep({ conversation: HERE, eventId: "slack:1" }, "d1", ANSWER, 1_000);
  expect(await answers.find(HERE, "d1")).toEqual(ANSWER);
  expect(await answers.find(HERE, "d2")).toBeNull();
  expect(await answers.find(THERE, "d1")).toBeNull();
  clock.advance(1_000);
  expect(await answers.find(HERE, "d1")).toBeNull();
  expect(await answers.forget()).toBe(1);
  expect(await answers.forget()).toBe(0);
});

it("all of a conversation, or of a workspace, are forgotten at once", async () => {
  const { answers } = await opened();
  for (const conversation of [HERE, "slack:T1:C2", THERE])
    await answers.keep({ conversation, eventId: "slack:1" }, "d", ANSWER, 1_000);
  await answers.forgetOf(HERE);
  expect(await answers.find(HERE, "d")).toBeNull();
  expect(await answers.find("slack:T1:C2", "d")).toEqual(ANSWER);
  await answers.forgetOf("slack:T1:");
  expect(await answers.find("slack:T1:C2", "d")).toBeNull();
  expect(await answers.find(THERE, "d")).toEqual(ANSWER);
});

it("of too many the oldest go, and one that is too long is not kept", async () => {
  const { answers } = await opened();
  const place = { conversation: HERE, eventId: "slack:1" };
  await answers.keep(place, "long", { ...ANSWER, text: "x".repeat(33_000) }, 1_000);
  expect(await answers.find(HERE, "long")).toBeNull();
  for (let n = 0; n < 1_002; n++) await answers.keep(place, `d${n}`, ANSWER, 1_000 + n);
  expect(await answers.forget()).toBe(2);
  expect(await answers.find(HERE, "d1")).toBeNull();
  expect(await answers.find(HERE, "d2")).toEqual(ANSWER);
});
