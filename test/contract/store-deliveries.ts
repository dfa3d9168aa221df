import { describe, expect, it } from "vitest";
import type { HookDelivery } from "../../src/ports/hooks.ts";
import { createDeliveries, createHookStates } from "../../src/store/deliveries.ts";
import type { StoreBench } from "./store.ts";

const aDelivery = (id: string, changes: Partial<HookDelivery> = {}): HookDelivery => ({
  hook: "ops",
  id,
  type: "run.finished",
  atMs: 1_000,
  data: { run_id: id },
  attempts: 0,
  dueMs: 1_000,
  ...changes,
});

/** What is on its way to hooks. */
export function deliveriesContract(bench: StoreBench): void {
  const deliveries = () => createDeliveries(bench.store.vault);
  const ids = (found: readonly HookDelivery[]) => found.map(({ id }) => id);
  const all = async () => {
    const found: HookDelivery[] = [];
    for await (const one of deliveries().all()) found.push(one);
    return found;
  };

  describe("deliveries to hooks", () => {
    it("are given in the order in which they are due, each hook's by itself", async () => {
      await deliveries().put(aDelivery("late", { dueMs: 30_000 }));
      await deliveries().put(aDelivery("early", { dueMs: 9_000 }));
      await deliveries().put(aDelivery("other", { hook: "ops2", dueMs: 1 }));
      expect(ids(await deliveries().next("ops", 10))).toEqual(["early", "late"]);
      expect(ids(await deliveries().next("ops", 1))).toEqual(["early"]);
      expect(ids(await deliveries().next("op", 10))).toEqual([]);
      expect(await deliveries().next("ops2", 10)).toEqual([aDelivery("other", { hook: "ops2", dueMs: 1 })]);
    });

    it("keep what they hold, and are put off, given up and sent again, each in one place", async () => {
      const first = aDelivery("m", { eventId: "test:é:1", data: { deep: { list: [1, null] } } });
      await deliveries().put(first);
      const second = { ...first, attempts: 1, dueMs: 6_000 };
      await deliveries().put(second, first);
      expect(await deliveries().next("ops", 10)).toEqual([second]);
      const dead = { ...second, died: { atMs: 7_000, cause: "answered 500" } };
      await deliveries().put(dead, second);
      expect(await deliveries().next("ops", 10)).toEqual([]);
      expect(await deliveries().dead("ops", { limit: 10 })).toEqual({ deliveries: [dead], next: null });
      await deliveries().put({ ...first, dueMs: 8_000 }, dead);
      expect(await all()).toEqual([{ ...first, dueMs: 8_000 }]);
      expect(await deliveries().remove({ ...first, dueMs: 8_000 })).toBe(true);
      expect(await deliveries().remove({ ...first, dueMs: 8_000 })).toBe(false);
    });

    it("that were given up are listed from the latest on, page by page", async () => {
      for (const [id, atMs] of [
        ["a", 10],
        ["b", 30],
        ["c", 20],
      ] as const)
        await deliveries().put(aDelivery(id, { died: { atMs, cause: "no" } }));
      const first = await deliveries().dead("ops", { limit: 2 });
      expect(ids(first.deliveries)).toEqual(["b", "c"]);
      const rest = await deliveries().dead("ops", { limit: 2, after: first.next ?? "" });
      expect([ids(rest.deliveries), rest.next]).toEqual([["a"], null]);
    });

    it.each(["reopen", "kill"] as const)("are there for the next process (%s)", async (how) => {
      await deliveries().put(aDelivery("m"));
      await createHookStates(bench.store.vault).put("ops", {
        deliveredAtMs: 5,
        failure: { atMs: 6, cause: "answered 500" },
      });
      await bench[how]();
      expect(ids(await deliveries().next("ops", 10))).toEqual(["m"]);
      expect(await createHookStates(bench.store.vault).get("ops")).toEqual({
        deliveredAtMs: 5,
        failure: { atMs: 6, cause: "answered 500" },
      });
    });

    it("of a newer version, or of none, are read as far as they can be", async () => {
      await bench.store.vault.put("plain/hook/wait/ops/000000001/x", "no JSON");
      await bench.store.vault.put(
        "plain/hook/wait/ops/000000002/y",
        JSON.stringify({ ...aDelivery("y"), type: "something.new", more: true }),
      );
      expect((await deliveries().next("ops", 10)).map(({ id, type }) => [id, type])).toEqual([
        ["y", "something.new"],
      ]);
      expect(await createHookStates(bench.store.vault).get("never")).toEqual({
        deliveredAtMs: null,
        failure: null,
      });
    });
  });
}
