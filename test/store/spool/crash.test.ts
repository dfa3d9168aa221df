import { describe, expect, it } from "vitest";
import type { Acceptance } from "../../../src/ports/inbox.ts";
import type { Mood } from "./moody-store.ts";
import { quiet } from "./mortal-clock.ts";
import { LONG_MS, type Process, type ProcessOptions, World } from "./world.ts";

const IDS = ["a", "b", "c", "d"];

/** What becomes of an answer: known to whoever asked, unless the process dies first. */
function acknowledged(answers: Map<string, Promise<Acceptance>>): { ids: Set<string> } {
  const ids = new Set<string>();
  for (const [id, answer] of answers) {
    answer.then(
      ({ kind }) => {
        if (kind === "accepted" || kind === "duplicate") ids.add(id);
      },
      () => {},
    );
  }
  return { ids };
}

describe("a process that dies", () => {
  /** In its n-th commit: before the answers to it are given, or just after. */
  const moments = Array.from({ length: 24 }, (_, n) => n + 1).flatMap((commit) => [
    { commit, outage: "away" as Mood },
    { commit, outage: "deaf" as Mood },
  ]);

  it.each(moments)("in commit $commit of its spool ($outage) loses and repeats nothing", async (moment) => {
    const world = await World.open();
    let commits = 0;
    let first: Process | undefined;
    const options: ProcessOptions = {
      onCommit() {
        if (++commits === moment.commit) first?.crash();
      },
    };
    first = await world.start(options);
    world.shared.mood = moment.outage;
    const answers = new Map(IDS.map((id, i) => [id, first.accept(id, { conversation: `c${i % 2}` })]));
    const known = acknowledged(answers);
    await world.elapse(700);
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    const acknowledgedIds = [...known.ids];
    first.crash();

    const second = await world.start();
    await world.elapse(LONG_MS);
    expect(second.spool.waiting).toBe(0);
    const stored = await world.ids();
    expect(stored).toEqual(expect.arrayContaining(acknowledgedIds));
    expect(new Set(stored).size).toBe(stored.length);
    for (const lane of [0, 1]) {
      const inLane = IDS.filter((_, i) => i % 2 === lane);
      expect(stored.filter((id) => inLane.includes(id))).toEqual(inLane.filter((id) => stored.includes(id)));
    }
  });

  it("between the store's answer and the settlement offers again, and learns that it did", async () => {
    const world = await World.open();
    const first = await world.start();
    world.shared.mood = "away";
    await first.accept("a");
    world.shared.mood = "deaf"; // Carried out, and never heard of.
    await world.elapse(1_000);
    first.crash();
    expect(await world.ids()).toEqual(["a"]);
    world.shared.mood = "well";
    const second = await world.start();
    expect(second.spool.waiting).toBe(1);
    await world.elapse(LONG_MS);
    expect(second.spool.waiting).toBe(0);
    expect(await world.ids()).toEqual(["a"]);
  });
});

describe("a process that is stopped", () => {
  it("writes down what waited for its turn, and forwards it at the next start", async () => {
    const world = await World.open();
    const first = await world.start();
    world.shared.mood = "away";
    await first.accept("a");
    world.shared.mood = "hung";
    await world.elapse(1_000);
    // The only one that waited is on its way, so this one waits for it in memory.
    const held = first.accept("b");
    const stopped = first.stop();
    expect(await held).toEqual({ kind: "accepted" });
    await stopped;
    world.shared.mood = "well";
    await quiet();
    const second = await world.start();
    await world.elapse(LONG_MS);
    expect(second.spool.waiting).toBe(0);
    expect(await world.ids()).toEqual(["a", "b"]);
  });

  it("takes nothing after that", async () => {
    const world = await World.open();
    const gateway = await world.start();
    await gateway.stop();
    await expect(gateway.accept("a")).rejects.toMatchObject({ code: "STORE_CLOSED" });
    await gateway.stop();
  });

  it("spools nothing while it closes", async () => {
    const world = await World.open();
    const gateway = await world.start();
    world.shared.mood = "hung";
    const undecided = gateway.accept("a");
    await gateway.stop();
    world.shared.mood = "away";
    expect(await Promise.race([undecided, Promise.resolve("undecided")])).toBe("undecided");
    world.shared.mood = "well";
    expect(await undecided).toEqual({ kind: "accepted" });
    expect(await world.ids()).toEqual(["a"]);
  });

  it("closes the store that it was given, and a spool that was never attached closes alone", async () => {
    const world = await World.open();
    const gateway = await world.start();
    await gateway.stop();
    await gateway.spool[Symbol.asyncDispose]();
  });
});
