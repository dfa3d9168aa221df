import { describe, expect, it } from "vitest";
import type { TriggerEvent } from "../../../src/domain/event.ts";
import type { Refusal } from "../../../src/domain/refusal.ts";
import type { Offer, RateLimit } from "../../../src/ports/inbox.ts";
import { anOffer } from "../../support/store.ts";
import { failingDisk } from "../commits.ts";
import { LONG_MS, ROOMY, World } from "./world.ts";

const ACCEPTED = { kind: "accepted" };
const TWO_A_MINUTE: readonly RateLimit[] = [{ scope: "user", key: "U1", messages: 2, perMs: 60_000 }];

describe("limits", () => {
  it("are kept by a bucket here, told later, and not charged again", async () => {
    const world = await World.open();
    const offerOf = (event: TriggerEvent) => anOffer(event, { limits: TWO_A_MINUTE });
    const gateway = await world.start({ offerOf });
    const accept = (id: string) => gateway.accept(id, {}, { limits: TWO_A_MINUTE });
    world.shared.mood = "away";
    expect(await accept("a")).toEqual(ACCEPTED);
    expect(await accept("b")).toEqual(ACCEPTED);
    expect(await accept("c")).toMatchObject({
      kind: "refused",
      refusal: { cause: "rate_limited", detail: "user" },
      told: true,
    });
    expect(await accept("d")).toMatchObject({ kind: "refused", told: false });

    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    const stored = await world.stored();
    expect(Object.fromEntries(stored.map(({ id, cause }) => [id, cause]))).toEqual({
      a: null,
      b: null,
      c: "rate_limited",
    });
    expect(gateway.spool.waiting).toBe(0);
    // The store's own buckets are as they were.
    expect(await accept("e")).toEqual(ACCEPTED);
  });

  it("that admission has already found are told later, too", async () => {
    const world = await World.open();
    const gateway = await world.start();
    const refusal: Refusal = { cause: "paused", detail: "kill_switch", noticeWindowMs: 60_000 };
    world.shared.mood = "away";
    expect(await gateway.accept("a", {}, { refusal })).toEqual({ kind: "refused", refusal, told: true });
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await world.stored()).toMatchObject([{ id: "a", cause: "paused" }]);
  });
});

describe("admission, when an event is forwarded", () => {
  it("decides by what holds then", async () => {
    const world = await World.open();
    const refusal: Refusal = { cause: "not_allowed", detail: "user", noticeWindowMs: 0 };
    const offerOf = (event: TriggerEvent): Offer | null =>
      event.id === "ignored" ? null : anOffer(event, { lane: "elsewhere", refusal });
    const gateway = await world.start({ offerOf });
    world.shared.mood = "away";
    await gateway.accept("a");
    await gateway.accept("ignored");
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(world.shared.offers.at(-1)).toMatchObject({ lane: "elsewhere", refusal });
    expect(await world.ids()).toEqual(["a"]);
    expect(gateway.spool.waiting).toBe(0);
  });

  it("lets the store say whether a thread is known", async () => {
    const world = await World.open();
    const offerOf = (event: TriggerEvent) => anOffer(event, { onlyIfKnown: event.trigger === "thread" });
    const gateway = await world.start({ offerOf });
    const inThread = (id: string, conversation: string) =>
      gateway.accept(id, { conversation, trigger: "thread" }, { onlyIfKnown: true });
    await world.elapse(LONG_MS);
    expect(await inThread("unknown", "theirs")).toEqual({ kind: "unknown-conversation" });
    world.shared.mood = "away";
    await gateway.accept("mention", { conversation: "ours" });
    expect(await inThread("a", "ours")).toEqual(ACCEPTED);
    expect(await inThread("b", "theirs")).toEqual(ACCEPTED);
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await world.ids()).toEqual(["mention", "a"]);
    expect(gateway.spool.waiting).toBe(0);
  });
});

describe("a lane that is full", () => {
  it("in the store waits in the spool, in order, and holds up no other", async () => {
    const world = await World.open({ waitingPerLaneMax: 2, waitingMax: 100 });
    const gateway = await world.start();
    world.shared.mood = "away";
    for (const id of ["a", "b", "c", "d"]) await gateway.accept(id);
    await gateway.accept("other", { conversation: "other" });
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await world.ids()).toEqual(["a", "other", "b"]);
    expect(gateway.spool.waiting).toBe(2);

    await world.elapse(15_000); // By then the gate is open, although something waits.
    for (const job of await gateway.store.queue.claim({ jobsMax: 10, leaseMs: 60_000 })) {
      await gateway.store.queue.settle(job, { kind: "done", outcome: "answered", turns: [] });
    }
    await world.elapse(LONG_MS);
    expect(await world.ids()).toEqual(["a", "other", "b", "c"]);
    expect(gateway.spool.waiting).toBe(1);
  });

  it("in the spool is full", async () => {
    const world = await World.open();
    const gateway = await world.start({ limits: { waitingPerLaneMax: 2, waitingMax: 3 } });
    world.shared.mood = "away";
    const answers = await Promise.all(["a", "b", "c", "d"].map((id) => gateway.accept(id)));
    expect(answers.map(({ kind }) => kind)).toEqual(["accepted", "accepted", "full", "full"]);
    expect(gateway.spool.waiting).toBe(2);
  });
});

describe("an event that the store cannot take", () => {
  const offerOf = (event: TriggerEvent) => {
    if (event.id === "poison") throw new Error("admission cannot read it");
    return anOffer(event);
  };

  it("is tried for a while, kept as a dead letter, and holds up no other conversation", async () => {
    const world = await World.open();
    const gateway = await world.start({ offerOf });
    world.shared.mood = "away";
    await gateway.accept("poison");
    await gateway.accept("behind");
    await gateway.accept("other", { conversation: "other" });
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await world.ids()).toEqual(["other"]);
    expect(gateway.spool.waiting).toBe(2);

    await world.elapse(20 * 60_000);
    expect(await world.ids()).toEqual(["other", "behind"]);
    expect(gateway.spool.waiting).toBe(0);
    const tries = gateway.log.filter((line) => line.startsWith("Could not forward poison"));
    expect(tries).toHaveLength(20);
    expect(tries.at(-1)).toBe("Could not forward poison (try 20 of 20): Error: admission cannot read it");
    // The store is asked again.
    expect(await gateway.accept("after")).toEqual(ACCEPTED);
    expect(await world.ids()).toContain("after");
  });

  it("gets one more try with each start", async () => {
    const world = await World.open();
    const first = await world.start({ offerOf });
    world.shared.mood = "away";
    await first.accept("poison");
    world.shared.mood = "well";
    await world.elapse(30 * 60_000);
    await first.stop();
    const second = await world.start({ offerOf });
    await world.elapse(LONG_MS);
    expect(second.log.join("\n")).toContain("1 events in");
    await second.stop();
    const cured = await world.start();
    await world.elapse(LONG_MS);
    expect(await world.ids()).toEqual(["poison"]);
    expect(cured.spool.waiting).toBe(0);
  });
});

describe("a disk that fails", () => {
  it("while the store is away, refuses, and tries both again with the next event", async () => {
    const world = await World.open();
    const disk = failingDisk();
    const gateway = await world.start({ open: disk.open });
    world.shared.mood = "away";
    disk.trouble.commitsLost = 1;
    await expect(gateway.accept("a")).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("the spool failed: STORE_WRITE_FAILED"),
    });
    expect(gateway.spool.waiting).toBe(0);
    await world.elapse(LONG_MS);
    expect(await gateway.accept("a")).toEqual(ACCEPTED);
    expect(gateway.spool.waiting).toBe(1);
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await world.ids()).toEqual(["a"]);
  });

  it("with the store back, takes the store alone when nothing waits", async () => {
    const world = await World.open();
    const disk = failingDisk();
    const gateway = await world.start({ open: disk.open });
    world.shared.mood = "away";
    disk.trouble.commitsLost = 1_000;
    for (const id of ["a", "b"])
      await expect(gateway.accept(id)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await world.elapse(LONG_MS);
    world.shared.mood = "well";
    expect(await gateway.accept("a")).toEqual(ACCEPTED);
    expect(await gateway.accept("b")).toEqual(ACCEPTED);
  });

  it("and kept what it said it had lost, forwards that, too", async () => {
    const world = await World.open();
    const disk = failingDisk();
    const gateway = await world.start({ open: disk.open });
    world.shared.mood = "away";
    disk.trouble.commitsDoubted = 1;
    await expect(gateway.accept("a")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await gateway.accept("a")).toEqual({ kind: "duplicate" });
    expect(await gateway.accept("b")).toEqual(ACCEPTED);
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await world.ids()).toEqual(["a", "b"]);
    expect(gateway.spool.waiting).toBe(0);
  });

  it("while it forwards, goes on when it is well", async () => {
    const world = await World.open();
    const disk = failingDisk();
    const gateway = await world.start({ open: disk.open });
    world.shared.mood = "away";
    for (const id of ["a", "b", "c"]) await gateway.accept(id);
    world.shared.mood = "well";
    disk.trouble.commitsLost = 7;
    await world.elapse(30_000);
    expect(await world.ids()).toEqual(["a", "b", "c"]);
    expect(gateway.spool.waiting).toBe(0);
    expect(gateway.log.filter((line) => line.startsWith("Could not forward from"))).not.toEqual([]);
  });

  // One of them is the commit that settles a whole round.
  it.each([1, 2, 3, 4])("and kept its commit %i while it forwards, is known to be empty", async (nth) => {
    const world = await World.open();
    const disk = failingDisk();
    let commits = Number.NEGATIVE_INFINITY;
    const onCommit = () => {
      if (++commits === nth) disk.trouble.commitsDoubted = 1;
    };
    const gateway = await world.start({ open: disk.open, onCommit });
    world.shared.mood = "away";
    for (let i = 0; i < 200; i++) await gateway.accept(`e${i}`, { conversation: `c${i}` });
    commits = 0;
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await world.ids()).toHaveLength(200);
    expect(gateway.spool.waiting).toBe(0);
  });

  it("because it is full, still forwards what it has", async () => {
    const world = await World.open();
    const disk = failingDisk();
    const gateway = await world.start({ open: disk.open, limits: ROOMY });
    world.shared.mood = "away";
    await gateway.accept("a");
    await gateway.accept("b");
    disk.setPagesMax(1);
    await expect(gateway.accept("c", { text: "x".repeat(1_000_000) })).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
    });
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await gateway.accept("c")).toEqual(ACCEPTED);
    expect(await world.ids()).toEqual(["a", "b", "c"]);
  });
});
