import { expect, it } from "vitest";
import { createSaidKeys } from "../../src/store/said-keys.ts";
import { FakeClock } from "../support/clock.ts";
import { openTestStore } from "../support/store.ts";

it("of two who begin by the same key in the same moment one says it, and it is known until it is forgotten", async () => {
  const keys = createSaidKeys((await openTestStore(new FakeClock())).vault);
  const begin = (id: string) => keys.begin("k:%/ü", "digest", { id, atMs: 5 });
  expect((await Promise.all([begin("a"), begin("b")])).sort()).toEqual(["begun", "fresh"]);
  await keys.said("k:%/ü", "digest", 7);
  expect(await begin("c")).toBe("said");
  expect(await keys.begin("k:%/ü", "another", { id: "d", atMs: 8 })).toBe("other");
  expect(await keys.forget(7)).toBe(0);
  expect(await keys.forget(8)).toBe(1);
  expect(await begin("e")).toBe("fresh");
  await keys.takeBack("k:%/ü");
  expect(await begin("f")).toBe("fresh");
});
