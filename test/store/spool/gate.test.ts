import { describe, expect, it } from "vitest";
import { controlLane } from "../../../src/domain/command.ts";
import type { Job } from "../../../src/ports/queue.ts";
import { ClaimGate } from "../../../src/store/spool/gate.ts";
import { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/event.ts";
import { anOffer, LEASE_MS } from "../../support/store.ts";
import { quiet } from "./mortal-clock.ts";
import { LONG_MS, type Process, World } from "./world.ts";

function claim({ store }: Process): Promise<readonly Job[]> {
  return store.queue.claim({ jobsMax: 100, leaseMs: LEASE_MS });
}

async function claimedIds(process: Process): Promise<readonly string[]> {
  return (await claim(process)).map(({ event }) => event.id);
}

/** A command to the gateway itself. */
async function acceptCommand(process: Process, id: string): Promise<void> {
  const event = anEvent({ id, conversation: "c2" });
  await process.store.inbox.accept(anOffer(event, { lane: controlLane("c2"), kind: "command" }));
}

async function untilClaimed(process: Process, world: World): Promise<number> {
  const startedMs = world.time.nowMs();
  for (;;) {
    if ((await claimedIds(process)).length > 0) return world.time.nowMs() - startedMs;
    await world.elapse(50);
  }
}

it("a clock that is set back keeps nothing from beginning for longer than a start does", () => {
  const clock = new FakeClock();
  const gate = new ClaimGate(clock);
  gate.close();
  clock.advance(-3_600_000);
  expect(gate.isClosed).toBe(true);
  clock.advance(2_000);
  expect([gate.isClosed, gate.isSettling]).toEqual([false, false]);
});

describe("claims", () => {
  it("are free while all is well", async () => {
    const world = await World.open();
    const gateway = await world.start();
    await world.elapse(LONG_MS);
    await gateway.accept("a");
    expect(await claimedIds(gateway)).toEqual(["a"]);
  });

  it("wait after a start: an outage may have ended just before, and others may still hold what came in it", async () => {
    const world = await World.open();
    const first = await world.start();
    world.shared.mood = "away";
    await first.accept("a");
    await world.elapse(LONG_MS);
    world.shared.mood = "well";
    const second = await world.start();
    expect(await second.accept("b")).toEqual({ kind: "accepted" });
    expect(await claimedIds(second)).toEqual([]);
    await acceptCommand(second, "stop");
    expect(await claimedIds(second)).toEqual(["stop"]);
    expect(await untilClaimed(second, world)).toBeLessThanOrEqual(2_000);
    expect(await world.ids()).toContain("a");
  });

  it("give only commands for two seconds after the store has come back", async () => {
    const world = await World.open();
    const gateway = await world.start();
    await gateway.accept("a");
    world.shared.mood = "away";
    await expect(claim(gateway)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    world.shared.mood = "well";
    expect(await claimedIds(gateway)).toEqual([]);
    await acceptCommand(gateway, "stop");
    expect(await claimedIds(gateway)).toEqual(["stop"]);
    await world.elapse(1_900);
    expect(await claimedIds(gateway)).toEqual([]);
    await world.elapse(200);
    expect(await claimedIds(gateway)).toEqual(["a"]);
  });

  it("wait for the process that saw the outage only when it offered", async () => {
    const world = await World.open();
    const gateway = await world.start();
    await gateway.accept("a");
    world.shared.mood = "away";
    await gateway.accept("b", { conversation: "other" });
    await world.elapse(1_000);
    world.shared.mood = "well";
    expect(await claimedIds(gateway)).toEqual([]);
    expect(await untilClaimed(gateway, world)).toBeGreaterThanOrEqual(2_000);
  });

  it("wait in a replica to which nobody spoke during the outage", async () => {
    const world = await World.open();
    const [busy, idle] = [await world.start(), await world.start()];
    world.shared.mood = "away";
    await busy.accept("a");
    await world.elapse(400);
    world.shared.mood = "well";
    // Before what the other one has kept is there.
    await world.elapse(50);
    expect(await idle.accept("b", { conversation: "other" })).toEqual({ kind: "accepted" });
    expect(await claimedIds(idle)).toEqual([]);
    await world.elapse(LONG_MS);
    expect([...(await claimedIds(idle))].sort()).toEqual(["a", "b"]);
  });

  it("wait at the start of a process that finds something in its spool", async () => {
    const world = await World.open();
    const first = await world.start();
    await first.accept("a");
    world.shared.mood = "away";
    await first.accept("b", { conversation: "other" });
    first.crash();
    const second = await world.start();
    world.shared.mood = "well";
    expect(await claimedIds(second)).toEqual([]);
    await world.elapse(LONG_MS);
    expect([...(await claimedIds(second))].sort()).toEqual(["a", "b"]);
  });

  it("that were on their way when the store hung are handed back, commands excepted", async () => {
    const world = await World.open();
    const [gateway, other] = [await world.start(), await world.start()];
    await gateway.accept("a");
    await acceptCommand(gateway, "stop");
    world.shared.mood = "hung";
    const claimed = claim(gateway);
    const offered = gateway.accept("b", { conversation: "other" });
    await world.elapse(3_000);
    expect(await offered).toEqual({ kind: "accepted" });
    world.shared.mood = "well";
    await quiet();
    expect((await claimed).map(({ event }) => event.id)).toEqual(["stop"]);
    // Nobody holds it, and it has cost no attempt.
    const taken = await claim(other);
    expect(taken.find(({ event }) => event.id === "a")).toMatchObject({ attempt: 1 });
  });

  it("go on where the store gives out work but takes none in", async () => {
    const world = await World.open();
    const gateway = await world.start();
    await gateway.accept("a");
    world.shared.mood = "refusing";
    await gateway.accept("b");
    expect(await untilClaimed(gateway, world)).toBeLessThan(4_000);
    // It comes and goes with each event that is done.
    for (let i = 0; i < 10; i++) {
      world.shared.mood = "well";
      await gateway.accept(`c${i}`, { conversation: `c${i}` });
      await world.elapse(1_000);
      world.shared.mood = "refusing";
      await gateway.accept(`d${i}`, { conversation: `d${i}` });
      expect(await untilClaimed(gateway, world)).toBeLessThan(1_500);
    }
  });
});

describe("waiting for work", () => {
  it("does not spin while the gate is closed, and ends soon after it opens", async () => {
    const world = await World.open();
    const gateway = await world.start();
    await gateway.accept("a");
    world.shared.mood = "away";
    await claim(gateway).catch(() => {});
    world.shared.mood = "well";
    let rounds = 0;
    const claimed = (async () => {
      for (;;) {
        const jobs = await claim(gateway);
        if (jobs.length > 0) return jobs;
        rounds++;
        await gateway.store.queue.ready(new AbortController().signal);
      }
    })();
    expect(await world.until(claimed)).toHaveLength(1);
    expect(rounds).toBeGreaterThanOrEqual(8);
    expect(rounds).toBeLessThan(12);
  });

  it("can be broken off", async () => {
    const world = await World.open();
    const gateway = await world.start();
    world.shared.mood = "away";
    await claim(gateway).catch(() => {});
    const over = new AbortController();
    const ready = gateway.store.queue.ready(over.signal);
    over.abort(new Error("enough"));
    await expect(ready).rejects.toThrow("enough");
  });

  it("ends at once when work comes and all is well", async () => {
    const world = await World.open();
    const gateway = await world.start();
    await world.elapse(LONG_MS);
    const ready = gateway.store.queue.ready(new AbortController().signal);
    await gateway.accept("a");
    await ready;
  });
});
