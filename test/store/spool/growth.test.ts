import { describe, expect, it } from "vitest";
import type { Attachment } from "../../../src/domain/attachment.ts";
import { LONG_MS, type Process, World } from "./world.ts";

const FILES: readonly Attachment[] = [
  { id: "F1", kind: "document", name: "pump.pdf", mime: null, sizeBytes: 3 },
];
const DUPLICATE = { kind: "duplicate" };
const withoutFiles = (gateway: Process) => gateway.accept("a", { conversation: "of a", mayGrow: true });
const withFiles = (gateway: Process) => gateway.accept("a", { conversation: "of a", attachments: FILES });

async function filesIn(world: World): Promise<readonly string[][]> {
  const events = (await world.stored()).filter(({ id }) => id === "a");
  return events.map(({ event }) => event.attachments.map(({ id }) => id));
}

describe("an event that may grow, and its files", () => {
  it("are one event when both were spooled", async () => {
    const world = await World.open();
    const gateway = await world.start();
    world.shared.mood = "away";
    expect(await withoutFiles(gateway)).toEqual({ kind: "accepted" });
    expect(await withFiles(gateway)).toEqual(DUPLICATE);
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await filesIn(world)).toEqual([["F1"]]);
  });

  it("are one event when only the first was spooled", async () => {
    const world = await World.open();
    const gateway = await world.start();
    world.shared.mood = "away";
    await withoutFiles(gateway);
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(gateway.spool.waiting).toBe(0);
    expect(await withFiles(gateway)).toEqual(DUPLICATE);
    expect(await filesIn(world)).toEqual([["F1"]]);
  });

  it("are one event when only the second was spooled", async () => {
    const world = await World.open();
    const gateway = await world.start();
    await withoutFiles(gateway);
    world.shared.mood = "away";
    expect(await withFiles(gateway)).toEqual({ kind: "accepted" });
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await filesIn(world)).toEqual([["F1"]]);
  });

  it("are one event when another replica spooled the second", async () => {
    const world = await World.open();
    const [one, other] = [await world.start(), await world.start()];
    world.shared.mood = "away";
    await Promise.all([withoutFiles(one), withFiles(other)]);
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await filesIn(world)).toEqual([["F1"]]);
  });

  it("are one event when the first was forwarded while others still wait", async () => {
    const world = await World.open();
    const gateway = await world.start();
    world.shared.mood = "away";
    await withoutFiles(gateway);
    await Promise.all(Array.from({ length: 300 }, (_, i) => gateway.accept(`other ${i}`)));
    world.shared.latencyMs = 200;
    world.shared.mood = "well";
    while ((await filesIn(world)).length === 0) await world.elapse(10);
    expect(gateway.spool.waiting).toBeGreaterThan(100);
    expect(await world.until(withFiles(gateway))).toEqual(DUPLICATE);
    await world.elapse(LONG_MS);
    expect(await filesIn(world)).toEqual([["F1"]]);
  });

  it("are one event when the second comes while the first is being forwarded", async () => {
    const world = await World.open();
    const gateway = await world.start();
    world.shared.mood = "away";
    await withoutFiles(gateway);
    await Promise.all(Array.from({ length: 300 }, (_, i) => gateway.accept(`other ${i}`)));
    world.shared.latencyMs = 200;
    world.shared.mood = "well";
    const before = world.shared.offers.length;
    const isOnItsWay = () => world.shared.offers.slice(before).some(({ event }) => event.id === "a");
    while (!isOnItsWay()) await world.elapse(10);
    expect(await filesIn(world)).toEqual([]);
    expect(await world.until(withFiles(gateway))).toEqual(DUPLICATE);
    await world.elapse(2 * LONG_MS);
    expect(await filesIn(world)).toEqual([["F1"]]);
  });
});
