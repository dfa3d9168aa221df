import { beforeEach, expect, it } from "vitest";
import type { Questions } from "../../src/ports/questions.ts";
import type { Vault } from "../../src/ports/vault.ts";
import { Seal } from "../../src/shared/seal.ts";
import { createQuestions } from "../../src/store/questions.ts";
import { resealAll } from "../../src/store/secrets.ts";
import { createNewId } from "../../src/system/ids.ts";
import { FakeClock } from "../support/clock.ts";
import { openTestStore } from "../support/store.ts";

let clock: FakeClock;
let vault: Vault;
let questions: Questions;
let ids: string[];
beforeEach(async () => {
  clock = new FakeClock();
  ({ vault } = await openTestStore(clock));
  questions = createQuestions(vault);
  const newId = createNewId(clock);
  ids = [];
  for (let n = 0; n < 3; n++) {
    ids.push(`${newId("apr")}_1`);
    await questions.open({ approvalId: ids[n] ?? "", eventId: `slack:${n}`, lane: `c${n}` });
    clock.advance(1_000);
  }
});

const listed = async (state: "waiting" | "decided", more: { limit?: number; after?: string } = {}) =>
  (await questions.list({ state, limit: 10, ...more })).map(({ eventId }) => eventId);

it("lists what waits and what was decided, those of the newest runs first, page by page", async () => {
  expect(await listed("waiting")).toEqual(["slack:2", "slack:1", "slack:0"]);
  expect(await questions.close(ids[1] ?? "")).toBe(true);
  expect(await questions.close(ids[1] ?? "")).toBe(false);
  expect(await listed("waiting", { limit: 1 })).toEqual(["slack:2"]);
  expect(await listed("waiting", { after: ids[2] ?? "" })).toEqual(["slack:0"]);
  expect(await listed("decided")).toEqual(["slack:1"]);
});

it("finds each by its id, open or not", async () => {
  await questions.close(ids[0] ?? "");
  expect(await questions.find(ids[0] ?? "")).toEqual({ approvalId: ids[0], eventId: "slack:0", lane: "c0" });
  expect(await questions.find(ids[2] ?? "")).toMatchObject({ lane: "c2" });
  expect(await questions.find("apr_none")).toBeNull();
});

it("forgets those of runs that began before a time", async () => {
  await questions.close(ids[0] ?? "");
  expect(await questions.forget(clock.nowMs() - 1_500)).toBe(2);
  expect(await listed("waiting")).toEqual(["slack:2"]);
  expect(await listed("decided")).toEqual([]);
});

it("is no secret that could not be opened", async () => {
  const seal = new Seal([Buffer.alloc(32, 1)]);
  expect(await resealAll(seal, vault)).toEqual({ resealed: 0, unreadable: [] });
});
