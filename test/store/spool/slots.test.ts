import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { openSpool, type SpoolOptions } from "../../../src/store/spool/index.ts";
import { openSlot, removeFile } from "../../../src/store/spool/slots.ts";
import { openDatabase } from "../../../src/store/sqlite/database.ts";
import { createFile } from "../../../src/store/sqlite/file.ts";
import { openInlineStore } from "../../../src/store/sqlite/inline.ts";
import { randomFrom } from "../../simulation/dice.ts";
import { FakeClock } from "../../support/clock.ts";
import { anOffer } from "../../support/store.ts";
import { LONG_MS, ROOMY, World } from "./world.ts";

const LOOKS_MS = 61_000;

/** The spool files of a world, without the names beside them. */
function filesOf(world: World): readonly string[] {
  return readdirSync(world.spools).filter((name) => name.endsWith(".db"));
}

describe("the name of a process", () => {
  it("is its own as long as it lives, and its successor's after that", async () => {
    const world = await World.open();
    const [one, other] = [await world.start(), await world.start()];
    expect(one.spool.owner).toMatch(/^[0-9a-f]{24}$/);
    expect(other.spool.owner).not.toBe(one.spool.owner);
    one.crash();
    const again = await world.start();
    expect(again.spool.owner).toBe(one.spool.owner);
    await other.stop();
    expect((await world.start()).spool.owner).toBe(other.spool.owner);
  });

  it("goes on also where a slot before it is free that nobody had", async () => {
    const world = await World.open();
    const first = await world.start();
    // As when another looks at it just as a process that starts does.
    const passing = join(world.spools, "spool-1.db");
    createFile(passing);
    const lock = openDatabase(passing, "process");
    const second = await world.start();
    lock.close();
    expect(filesOf(world)).toContain("spool-2.db");
    second.crash();
    expect((await world.start()).spool.owner).toBe(second.spool.owner);
    await first.stop();
  });

  it("that cannot be read is made anew", async () => {
    const world = await World.open();
    const first = await world.start();
    await first.stop();
    writeFileSync(join(world.spools, "spool-0.owner"), "half a na");
    const second = await world.start();
    expect(second.spool.owner).toMatch(/^[0-9a-f]{24}$/);
    expect(second.spool.owner).not.toBe(first.spool.owner);
  });

  it("that cannot be kept leaves the slot to whoever looks after what is left there", async () => {
    const world = await World.open();
    const first = await world.start();
    world.shared.mood = "away";
    await first.accept("a");
    first.crash();
    rmSync(join(world.spools, "spool-0.owner"));
    mkdirSync(join(world.spools, "spool-0.owner"));
    world.shared.mood = "well";
    const second = await world.start();
    expect(second.log.join("\n")).toContain("Could not keep the name of this process");
    await world.elapse(LOOKS_MS);
    expect(await world.ids()).toEqual(["a"]);
    expect(filesOf(world)).toEqual(["spool-1.db"]);
  });

  it("and the file are private", async () => {
    const world = await World.open();
    await world.start();
    const modeOf = (name: string) => statSync(join(world.spools, name)).mode & 0o777;
    expect([modeOf("."), modeOf("spool-0.db"), modeOf("spool-0.owner")]).toEqual([0o700, 0o600, 0o600]);
  });
});

describe("a folder", () => {
  const options = (folder: string): SpoolOptions => ({
    folder,
    clock: new FakeClock(),
    random: randomFrom(1),
    limits: ROOMY,
    log: () => {},
    onDeath: () => {},
    openFile: openInlineStore,
  });

  it("that cannot be made is said to be so", async () => {
    const world = await World.open();
    writeFileSync(world.spools, "a file is in the way");
    await expect(openSpool(options(world.spools))).rejects.toMatchObject({ code: "STORE_OPEN_FAILED" });
  });

  it("with a damaged file has others", async () => {
    const world = await World.open();
    mkdirSync(world.spools);
    writeFileSync(
      join(world.spools, "spool-0.db"),
      "this is no database, and long enough to tell".repeat(100),
    );
    const gateway = await world.start();
    expect(filesOf(world)).toEqual(["spool-0.db", "spool-1.db"]);
    expect(gateway.log.join("\n")).toContain("Could not use");
  });

  it("with a log whose file has gone has others, and tells of it until the file is back", async () => {
    const world = await World.open();
    const first = await world.start();
    world.shared.mood = "away";
    await first.accept("a");
    first.crash();
    const file = join(world.spools, "spool-0.db");
    renameSync(file, join(world.spools, "kept-elsewhere"));
    world.shared.mood = "well";
    const second = await world.start();
    const left = readdirSync(world.spools).filter((name) => name.startsWith("spool-0"));
    expect(left.sort()).toEqual(["spool-0.db-wal", "spool-0.owner"]);
    expect(second.log.join("\n")).toMatch(/Could not use .*spool-0\.db: STORE_DAMAGED: .*restore the file/);
    const alarm = {
      status: "degraded",
      code: "STORE_DAMAGED",
      details: expect.stringMatching(
        /takes events, but what .*spool-0\.db holds cannot be forwarded: STORE_DAMAGED/,
      ),
    };
    expect(await world.until(second.spool.check())).toEqual(alarm);
    await world.elapse(LOOKS_MS);
    expect(await world.until(second.spool.check())).toEqual(alarm);

    renameSync(join(world.spools, "kept-elsewhere"), file);
    await world.elapse(2 * LOOKS_MS);
    expect(await world.ids()).toEqual(["a"]);
    expect(await world.until(second.spool.check())).toEqual({ status: "ok" });
    expect(filesOf(world)).toEqual(["spool-1.db"]);
  });

  it("with a file that a process has left under another name, to close it as it was, gives it its name back", async () => {
    const world = await World.open();
    const first = await world.start();
    world.shared.mood = "away";
    await first.accept("a");
    first.crash();
    renameSync(join(world.spools, "spool-0.db"), join(world.spools, "spool-0.db.closing"));
    const second = await world.start();
    expect(second.spool.waiting).toBe(1);
    expect(second.spool.owner).toBe(first.spool.owner);
  });

  it("whose file is deleted under the process that has it is told of, though nothing is spooled", async () => {
    const world = await World.open();
    const gateway = await world.start();
    rmSync(join(world.spools, "spool-0.db"));
    expect(await world.until(gateway.spool.check().catch((error: unknown) => error))).toMatchObject({
      code: "STORE_MOVED",
    });
  });

  it("with files that cannot be used has its others looked after, and says so once", async () => {
    const world = await World.open();
    const [stays, goes, leaves] = [await world.start(), await world.start(), await world.start()];
    await goes.stop();
    world.shared.mood = "away";
    await leaves.accept("a");
    leaves.crash();
    world.shared.mood = "well";
    const ofLater = new DatabaseSync(join(world.spools, "spool-1.db"));
    ofLater.exec("PRAGMA user_version = 1000");
    ofLater.close();
    writeFileSync(join(world.spools, "spool-9.db"), "this is no database, and long enough".repeat(100));
    await world.elapse(4 * LOOKS_MS);
    expect(await world.ids()).toEqual(["a"]);
    expect(filesOf(world)).toEqual(["spool-0.db", "spool-1.db", "spool-9.db"]);
    expect(stays.log.filter((line) => line.startsWith("Could not look after"))).toEqual([
      expect.stringMatching(/spool-9\.db: STORE_OPEN_FAILED/),
      expect.stringMatching(/spool-1\.db: STORE_SCHEMA_NEWER/),
    ]);
  });

  it("whose file goes while it is being opened has others", async () => {
    const world = await World.open();
    const slot = await openSlot(
      world.spools,
      0,
      (file) => {
        removeFile(file);
        return openInlineStore({ file, clock: new FakeClock(), limits: ROOMY });
      },
      () => {},
    );
    expect(slot).toBeNull();
  });

  it("whose slots are all taken takes no more", async () => {
    const world = await World.open();
    const first = await world.start();
    await first.stop();
    const locks = Array.from({ length: 64 }, (_, i) => {
      const file = join(world.spools, `spool-${i}.db`);
      createFile(file);
      return openDatabase(file, "process");
    });
    await expect(openSpool(options(world.spools))).rejects.toMatchObject({
      code: "STORE_OPEN_FAILED",
      message: expect.stringContaining("64 spool files"),
    });
    for (const lock of locks) lock.close();
  });
});

describe("what a process leaves", () => {
  it("is forwarded by the one that is started in its place, before anything new", async () => {
    const world = await World.open();
    const first = await world.start();
    world.shared.mood = "away";
    await first.accept("a");
    await first.accept("b");
    first.crash();
    const second = await world.start();
    expect(second.spool.waiting).toBe(2);
    const late = second.accept("c");
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(await late).toEqual({ kind: "accepted" });
    expect(await world.ids()).toEqual(["a", "b", "c"]);
  });

  it("is forwarded by another when nobody takes its place, and its file goes", async () => {
    const world = await World.open();
    const [stays, goes] = [await world.start(), await world.start()];
    world.shared.mood = "away";
    await goes.accept("a");
    goes.crash();
    world.shared.mood = "well";
    await world.elapse(LOOKS_MS);
    expect(await world.ids()).toEqual(["a"]);
    expect(filesOf(world)).toEqual(["spool-0.db"]);
    expect(stays.log.join("\n")).toContain("Forwarding 1 events from");
    // Its name is kept for whoever comes next.
    expect((await world.start()).spool.owner).toBe(goes.spool.owner);
  });

  it("is left alone while it is used, and for a while after", async () => {
    const world = await World.open();
    const [stays, other] = [await world.start(), await world.start()];
    await world.elapse(LOOKS_MS - 5_000);
    world.shared.mood = "away";
    await other.accept("a");
    other.crash();
    world.shared.mood = "well";
    // The others look once in that time.
    await world.elapse(20_000);
    world.shared.mood = "away";
    const again = await world.start();
    expect(again.spool.owner).toBe(other.spool.owner);
    expect(again.spool.waiting).toBe(1);
    await world.elapse(LOOKS_MS);
    expect(filesOf(world)).toEqual(["spool-0.db", "spool-1.db"]);
    expect(stays.log.join("\n")).not.toContain("no process uses");
  });

  it("is forwarded by one of several, once", async () => {
    const world = await World.open();
    const [a, b, goes] = [await world.start(), await world.start(), await world.start()];
    world.shared.mood = "away";
    for (let i = 0; i < 10; i++) await goes.accept(`e${i}`, { conversation: `c${i % 3}` });
    goes.crash();
    const before = world.shared.offers.length;
    world.shared.mood = "well";
    await world.elapse(LOOKS_MS);
    expect([...(await world.ids())].sort()).toEqual(Array.from({ length: 10 }, (_, i) => `e${i}`));
    expect(world.shared.offers.length - before).toBe(10);
    expect([...a.log, ...b.log].filter((line) => line.startsWith("Forwarding"))).toHaveLength(1);
  });

  it("and cannot be forwarded stays, with its file", async () => {
    const world = await World.open();
    const offerOf = (): never => {
      throw new Error("cannot be read");
    };
    const [stays, goes] = [await world.start({ offerOf }), await world.start({ offerOf })];
    world.shared.mood = "away";
    await goes.accept("a");
    goes.crash();
    world.shared.mood = "well";
    await world.elapse(30 * 60_000);
    expect(filesOf(world)).toEqual(["spool-0.db", "spool-1.db"]);
    expect(stays.log.filter((line) => line.startsWith("Forwarding"))).toHaveLength(1);
    await stays.stop();
    const cured = await world.start({ offerOf: (event) => anOffer(event) });
    await world.elapse(LOOKS_MS);
    expect(cured.log.join("\n")).toContain("could not be forwarded; trying again");
    expect(await world.ids()).toEqual(["a"]);
    expect(filesOf(world)).toEqual(["spool-0.db"]);
  });

  it("in the file that went meanwhile is no place for new events", async () => {
    const world = await World.open();
    const [stays, goes] = [await world.start(), await world.start()];
    await goes.stop();
    await world.elapse(LOOKS_MS);
    expect(existsSync(join(world.spools, "spool-1.db"))).toBe(false);
    const next = await world.start();
    world.shared.mood = "away";
    await next.accept("a");
    next.crash();
    const last = await world.start();
    expect(last.spool.waiting).toBe(1);
    expect(stays.spool.waiting).toBe(0);
  });
});

describe("an empty spool", () => {
  it("forgets what it has forwarded after an hour", { timeout: 60_000 }, async () => {
    const world = await World.open();
    const gateway = await world.start();
    world.shared.mood = "away";
    for (let i = 0; i < 500; i++) await gateway.accept(`e${i}`, { text: "x".repeat(5_000) });
    world.shared.mood = "well";
    await world.elapse(LONG_MS);
    expect(gateway.spool.waiting).toBe(0);
    await world.elapse(3 * 3_600_000);
    await gateway.stop();
    expect(statSync(join(world.spools, "spool-0.db")).size).toBeLessThan(1_500_000);
  });
});
