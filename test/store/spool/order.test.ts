import { describe, expect, it } from "vitest";
import type { TriggerEvent } from "../../../src/domain/event.ts";
import type { Acceptance } from "../../../src/ports/inbox.ts";
import { anOffer } from "../../support/store.ts";
import { quiet } from "./mortal-clock.ts";
import { LONG_MS, type Process, World } from "./world.ts";

const ACCEPTED: Acceptance = { kind: "accepted" };

function acceptAll(process: Process, ids: readonly string[]): Promise<readonly Acceptance[]> {
  return Promise.all(ids.map((id) => process.accept(id)));
}

function numbered(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

describe("a store that works", () => {
  it("is asked directly, and nothing is spooled", async () => {
    const world = await World.open();
    const gateway = await world.start();
    expect(await acceptAll(gateway, ["a", "b"])).toEqual([ACCEPTED, ACCEPTED]);
    expect(await gateway.accept("a")).toEqual({ kind: "duplicate" });
    expect(gateway.counts).toEqual([]);
    expect(world.shared.offers.map(({ spooledAtMs }) => spooledAtMs)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("says no with its own error when that is not about being away", async () => {
    const world = await World.open();
    const gateway = await world.start();
    world.shared.mood = "broken";
    await expect(gateway.accept("a")).rejects.toMatchObject({ code: "STORE_WRITE_FAILED" });
    expect(gateway.counts).toEqual([]);
  });
});

describe("a store that is away", () => {
  it("gets later, in order, what was acknowledged meanwhile", async () => {
    const world = await World.open();
    const gateway = await world.start();
    await gateway.accept("before");
    world.shared.mood = "away";
    expect(await acceptAll(gateway, ["a", "b"])).toEqual([ACCEPTED, ACCEPTED]);
    await world.elapse(LONG_MS);
    expect(await gateway.accept("c")).toEqual(ACCEPTED);
    expect(gateway.spool.waiting).toBe(3);
    expect(await world.ids()).toEqual(["before"]);

    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(gateway.spool.waiting).toBe(0);
    expect(gateway.counts.at(-1)).toBe(0);
    expect(await gateway.accept("after")).toEqual(ACCEPTED);
    expect(await world.ids()).toEqual(["before", "a", "b", "c", "after"]);
    expect(gateway.log.join("\n")).toMatch(
      /takes no events \(STORE_UNAVAILABLE.*\n.*takes events again after 7 s; 2 wait/,
    );
  });

  it("is told when the events came, and gets them as they were", async () => {
    const world = await World.open();
    const gateway = await world.start();
    world.shared.mood = "away";
    const cameAtMs = world.time.nowMs();
    await gateway.accept("a", { text: "as it was" });
    await world.elapse(LONG_MS);
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(world.shared.offers.at(-1)).toMatchObject({ spooledAtMs: cameAtMs, limits: [] });
    const [record] = await world.stored();
    expect(record?.event).toEqual(world.shared.offers[0]?.event);
  });

  it("is tried seldom, with one event", async () => {
    const world = await World.open();
    const gateway = await world.start();
    world.shared.mood = "away";
    await Promise.all(numbered("a", 20).map((id) => gateway.accept(id, { conversation: id })));
    const before = world.shared.offers.length;
    await world.elapse(60_000);
    const tries = world.shared.offers.length - before;
    expect(tries).toBeGreaterThan(55);
    expect(tries).toBeLessThan(125);
  });

  it("did store what it failed to confirm, once", async () => {
    const world = await World.open();
    const gateway = await world.start();
    world.shared.mood = "deaf";
    expect(await acceptAll(gateway, ["a", "b"])).toEqual([ACCEPTED, ACCEPTED]);
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await world.ids()).toEqual(["a", "b"]);
    expect(gateway.spool.waiting).toBe(0);
  });

  it("and does not say so, is waited for briefly; what came meanwhile keeps its order", async () => {
    const world = await World.open();
    const gateway = await world.start();
    world.shared.mood = "hung";
    const first = gateway.accept("a");
    await world.elapse(1_000);
    const second = gateway.accept("b");
    await world.elapse(1_000);
    // Spooled behind the two that were undecided until just now.
    const third = gateway.accept("c");
    expect(await Promise.all([first, second, third])).toEqual([ACCEPTED, ACCEPTED, ACCEPTED]);
    expect(gateway.spool.waiting).toBe(3);

    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await world.ids()).toEqual(["a", "b", "c"]);
    expect(gateway.spool.waiting).toBe(0);
  });

  it("spools nothing twice that both have answered", async () => {
    const world = await World.open();
    const gateway = await world.start();
    world.shared.mood = "hung";
    const answers = [gateway.accept("a"), gateway.accept("b")];
    await world.elapse(1_499);
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await Promise.all(answers)).toEqual([ACCEPTED, ACCEPTED]);
    expect(await world.ids()).toEqual(["a", "b"]);
  });
});

describe("a message in a thread without a mention", () => {
  const offerOf = (event: TriggerEvent) => anOffer(event, { onlyIfKnown: event.id !== "mention" });
  const inThread = (process: Process, id: string) => process.accept(id, {}, { onlyIfKnown: true });

  it("waits for the mention before it, which another replica has spooled", async () => {
    const world = await World.open();
    const [first, second] = [await world.start({ offerOf }), await world.start({ offerOf })];
    world.shared.mood = "away";
    await world.elapse(LONG_MS);
    await first.accept("mention");
    world.shared.mood = "well";
    await world.elapse(1);
    // The second has nothing in its spool, and finds the store working before the first has tried it again.
    const direct = inThread(second, "follow-up");
    expect(await world.until(direct)).toEqual(ACCEPTED);
    await world.elapse(LONG_MS);
    expect(await world.ids()).toEqual(["mention", "follow-up"]);
  });

  it("waits for it in the spool as well, whichever is forwarded first", async () => {
    for (let round = 0; round < 10; round++) {
      const world = await World.open();
      const [first, second] = [await world.start({ offerOf }), await world.start({ offerOf })];
      world.shared.mood = "away";
      await first.accept("mention");
      await inThread(second, "follow-up");
      await world.elapse(LONG_MS + 37 * round);
      world.shared.mood = "well";
      await world.elapse(LONG_MS);
      expect(await world.ids()).toEqual(["mention", "follow-up"]);
      expect([first.spool.waiting, second.spool.waiting]).toEqual([0, 0]);
    }
  });

  it("is ignored soon where the bot has no part", async () => {
    const world = await World.open();
    const gateway = await world.start({ offerOf });
    world.shared.mood = "away";
    expect(await inThread(gateway, "a")).toEqual(ACCEPTED);
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await world.ids()).toEqual([]);
    expect(gateway.spool.waiting).toBe(0);
    expect(await inThread(gateway, "b")).toEqual({ kind: "unknown-conversation" });
  });
});

describe("the switch back", () => {
  it("lets what comes while the last ones are forwarded wait behind them", async () => {
    const world = await World.open();
    const gateway = await world.start();
    world.shared.mood = "away";
    await acceptAll(gateway, numbered("a", 5));
    world.shared.mood = "well";
    await world.elapse(300);
    const rest = numbered("b", 40).map(async (id) => {
      await quiet();
      return await gateway.accept(id);
    });
    await world.elapse(LONG_MS);
    expect(new Set((await Promise.all(rest)).map(({ kind }) => kind))).toEqual(new Set(["accepted"]));
    expect(await world.ids()).toEqual([...numbered("a", 5), ...numbered("b", 40)]);
  });

  it("comes about although events never stop coming", async () => {
    const world = await World.open();
    const gateway = await world.start();
    world.shared.mood = "away";
    await acceptAll(gateway, numbered("a", 200));
    world.shared.mood = "well";
    world.shared.latencyMs = 5;
    const answers: Promise<Acceptance>[] = [];
    const sent: string[] = [];
    // One each millisecond: there is never a moment at which none is on its way.
    for (let i = 0; i < 3_000; i++) {
      const id = `b${i}`;
      sent.push(id);
      answers.push(gateway.accept(id, { conversation: `c${i % 7}` }));
      await world.elapse(1);
    }
    const counts = gateway.counts.length;
    expect(gateway.spool.waiting).toBe(0);
    answers.push(gateway.accept("last"));
    await world.elapse(LONG_MS);
    expect(gateway.counts.length).toBe(counts);
    expect(new Set((await Promise.all(answers)).map(({ kind }) => kind))).toEqual(new Set(["accepted"]));
    const stored = await world.ids();
    expect(stored).toHaveLength(3_201);
    for (let lane = 0; lane < 7; lane++) {
      const inLane = new Set(sent.filter((_, i) => i % 7 === lane));
      expect(stored.filter((id) => inLane.has(id))).toEqual([...inLane]);
    }
  });

  it("keeps nobody waiting for long when the store hangs just then", async () => {
    const world = await World.open();
    const gateway = await world.start();
    world.shared.mood = "away";
    await acceptAll(gateway, numbered("a", 20));
    world.shared.mood = "well";
    world.shared.latencyMs = 20;
    while (gateway.spool.waiting > 15) await world.elapse(5);
    const answer = gateway.accept("b");
    world.shared.mood = "hung";
    const askedMs = world.time.nowMs();
    expect(await world.until(answer)).toEqual(ACCEPTED);
    expect(world.time.nowMs() - askedMs).toBeLessThanOrEqual(500);
    expect(world.shared.offers.some(({ event }) => event.id === "b")).toBe(false);
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await world.ids()).toEqual([...numbered("a", 20), "b"]);
  });

  it("is broken off when the store goes away again; nothing is lost or reordered", async () => {
    const world = await World.open();
    const gateway = await world.start();
    const sent: string[] = [];
    const answers: Promise<Acceptance>[] = [];
    for (let round = 0; round < 20; round++) {
      world.shared.mood = round % 2 === 0 ? "away" : "well";
      for (let i = 0; i < 10; i++) {
        const id = `e${sent.length}`;
        sent.push(id);
        answers.push(gateway.accept(id));
        await world.elapse(37);
      }
    }
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(new Set((await Promise.all(answers)).map(({ kind }) => kind))).toEqual(new Set(["accepted"]));
    expect(await world.ids()).toEqual(sent);
  });
});

describe("a duplicate", () => {
  it("is one, whether its original came before, during or after the outage", async () => {
    const world = await World.open();
    const gateway = await world.start();
    await gateway.accept("before");
    world.shared.mood = "away";
    // Only the store can know; it says so when it is asked.
    expect(await gateway.accept("before")).toEqual(ACCEPTED);
    expect(await gateway.accept("during", { aliases: ["alias"] })).toEqual(ACCEPTED);
    expect(await gateway.accept("during")).toEqual({ kind: "duplicate" });
    expect(await gateway.accept("twin", { aliases: ["alias"] })).toEqual({ kind: "duplicate" });
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await gateway.accept("during")).toEqual({ kind: "duplicate" });
    expect(await world.ids()).toEqual(["before", "during"]);
  });

  it("in another process's spool is one when both are forwarded", async () => {
    const world = await World.open();
    const [one, other] = [await world.start(), await world.start()];
    world.shared.mood = "away";
    expect(await one.accept("a")).toEqual(ACCEPTED);
    expect(await other.accept("a")).toEqual(ACCEPTED);
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await world.ids()).toEqual(["a"]);
    expect([one.spool.waiting, other.spool.waiting]).toEqual([0, 0]);
  });

  it("alone in the spool does not keep the store from being asked", async () => {
    const world = await World.open();
    const gateway = await world.start();
    world.shared.mood = "away";
    await gateway.accept("a");
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    world.shared.mood = "away";
    expect(await gateway.accept("a")).toEqual({ kind: "duplicate" });
    await quiet();
    world.shared.mood = "well";
    expect(await gateway.accept("b")).toEqual(ACCEPTED);
    expect(await world.ids()).toEqual(["a", "b"]);
  });
});
