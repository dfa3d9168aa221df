import { expect, it } from "vitest";
import { OwnTime } from "../../src/dispatch/own-time.ts";

it("the time of an attempt is its own, without what it waits for others, and with what it does meanwhile", async () => {
  let nowMs = 1_000;
  const passes = async (ms: number) => {
    nowMs += ms;
  };
  const time = new OwnTime(() => nowMs);
  await passes(10);
  expect(time.seconds).toBe(0.01);
  await time.elsewhere(() => passes(500));
  expect(time.seconds).toBe(0.01);
  await time.elsewhere(async () => {
    await passes(500);
    await time.own(() => passes(7));
    await passes(500);
  });
  expect(time.seconds).toBe(0.017);
  // Two at once, of which the first ends sooner.
  await expect(
    time.elsewhere(async () => {
      await time.elsewhere(() => passes(100));
      await passes(100);
      throw new Error("broke off");
    }),
  ).rejects.toThrow("broke off");
  await passes(3);
  expect(time.seconds).toBe(0.02);
});
