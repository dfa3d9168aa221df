import { existsSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../src/store/sqlite/database.ts";
import { inspectFile } from "../../src/store/sqlite/examine.ts";
import { createFile, fileSystemWarning } from "../../src/store/sqlite/file.ts";
import { openSqliteStore } from "../../src/store/sqlite/index.ts";
import { openInlineStore } from "../../src/store/sqlite/inline.ts";
import { MIGRATIONS, migrate } from "../../src/store/sqlite/migrations.ts";
import { anOffer } from "../contract/store.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { aFolder } from "./folder.ts";

let folder: ReturnType<typeof aFolder>;
let file: string;
beforeEach(() => {
  folder = aFolder("memory");
  file = join(folder.path, "data", "parley.db");
});
afterEach(() => folder.remove());

const options = () => ({
  file,
  clock: new FakeClock(),
  limits: { waitingPerLaneMax: 10, waitingMax: 100 },
});

function versionOf(path: string): unknown {
  const db = new DatabaseSync(path);
  const version = db.prepare("PRAGMA user_version").get()?.user_version;
  db.close();
  return version;
}

describe("a place that is no folder, and in which none can be made", () => {
  it.each<[string, (path: string) => string, RegExp]>([
    ["below what makes no folder", () => "/proc/parley", /\/proc takes no folder \(/],
    ["below a device", () => "/dev/null/data", /\/dev\/null is no folder \(/],
    ["a file", (path) => path, /taken is no folder \(/],
    ["below a file", (path) => join(path, "data"), /taken is no folder \(/],
    [
      "a link that leads nowhere",
      (path) => `${path}-link`,
      /taken-link is a link to .*gone, which does not exist/,
    ],
    [
      "below a link that leads nowhere",
      (path) => join(`${path}-link`, "data"),
      /taken-link is a link to .*gone, which does not exist/,
    ],
  ])("(%s) is said to be so, at once", async (_, pathOf, message) => {
    const taken = join(folder.path, "taken");
    writeFileSync(taken, "");
    symlinkSync(join(folder.path, "gone"), `${taken}-link`);
    const place = pathOf(taken);
    await expect(openSqliteStore({ ...options(), file: join(place, "parley.db") })).rejects.toMatchObject({
      code: "STORE_OPEN_FAILED",
      message: expect.stringMatching(message),
    });
  });
});

describe("the file", () => {
  it("is private, its folder and its log as well", async () => {
    const store = await openInlineStore(options());
    await store.inbox.accept(anOffer(anEvent()));
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
    expect([mode(join(folder.path, "data")), mode(file), mode(`${file}-wal`)]).toEqual(["700", "600", "600"]);
    await store[Symbol.asyncDispose]();
  });

  it("gets its name back when a process ended while it closed the file as it was", async () => {
    const before = await openInlineStore(options());
    await before.inbox.accept(anOffer(anEvent()));
    await before[Symbol.asyncDispose]();
    const after = {
      store: async () => await (await openInlineStore(options()))[Symbol.asyncDispose](),
      doctor: async () => inspectFile(file),
    };
    for (const open of [after.doctor, after.store]) {
      renameSync(file, `${file}.closing`);
      await open();
      expect([existsSync(file), existsSync(`${file}.closing`)]).toEqual([true, false]);
    }
    const store = await openInlineStore(options());
    expect(await store.journal.list({ limit: 10 })).toHaveLength(1);
    await store[Symbol.asyncDispose]();
  });

  it("has its log copied in when it is closed", async () => {
    const store = await openSqliteStore(options());
    await store.inbox.accept(anOffer(anEvent()));
    await store[Symbol.asyncDispose]();
    expect(existsSync(`${file}-wal`)).toBe(false);
  });

  it("flushes each commit for `power`, and not for `process`", () => {
    createFile(file);
    const pragma = (durability: "power" | "process", name: string) => {
      const db = openDatabase(file, durability);
      const value = Object.values(db.prepare<Record<string, unknown>>(`PRAGMA ${name}`).get() ?? {})[0];
      db.close();
      return value;
    };
    expect(pragma("power", "synchronous")).toBe(2);
    expect(pragma("process", "synchronous")).toBe(1);
    expect(pragma("power", "fullfsync")).toBe(1);
    expect(pragma("power", "checkpoint_fullfsync")).toBe(1);
    expect(pragma("power", "auto_vacuum")).toBe(2);
  });

  it("tells the durability it was opened with", async () => {
    for (const durability of ["power", "process"] as const) {
      const store = await openSqliteStore({ ...options(), durability });
      expect(store.durability).toBe(durability);
      await store[Symbol.asyncDispose]();
    }
  });

  it("is refused with a clear error when it is no database, or another program's", async () => {
    createFile(file);
    writeFileSync(file, "this is certainly not a database, but it is long enough to be looked at".repeat(20));
    await expect(openSqliteStore(options())).rejects.toMatchObject({ code: "STORE_OPEN_FAILED" });
    file = join(folder.path, "data", "other.db");
    const other = new DatabaseSync(file);
    other.exec("CREATE TABLE theirs (x)");
    other.close();
    await expect(openSqliteStore(options())).rejects.toThrow("another program");
  });

  it("is refused with a clear error where it cannot be", async () => {
    writeFileSync(join(folder.path, "data"), "a file where the folder should be");
    await expect(openSqliteStore(options())).rejects.toMatchObject({ code: "STORE_OPEN_FAILED" });
  });

  it("gives the disk its room back after a sweep", async () => {
    const store = await openInlineStore({
      ...options(),
      limits: { waitingPerLaneMax: 999, waitingMax: 999 },
    });
    for (let i = 0; i < 400; i++)
      await store.inbox.accept(anOffer(anEvent({ id: `e${i}`, text: "x".repeat(20_000) })));
    for (let jobs = await claim(); jobs.length > 0; jobs = await claim()) {
      for (const job of jobs) await store.queue.settle(job, { kind: "done", outcome: "answered", turns: [] });
    }
    await store[Symbol.asyncDispose]();
    const fullBytes = statSync(file).size;
    const swept = await openInlineStore(options());
    await swept.sweep({ finishedMs: 0, deadMs: 0, turnsMs: 0 });
    await swept[Symbol.asyncDispose]();
    expect(fullBytes).toBeGreaterThan(8_000_000);
    expect(statSync(file).size).toBeLessThan(fullBytes / 4);

    function claim() {
      return store.queue.claim({ jobsMax: 10, leaseMs: 1_000 });
    }
  });

  it("draws a warning on a file system that only looks like a disk", () => {
    expect(fileSystemWarning("/dev/shm/parley.db") !== null).toBe(process.platform === "linux");
    expect(fileSystemWarning(join(folder.path, "absent", "parley.db"))).toBeNull();
  });
});

describe("migrations", () => {
  const NEXT = [...MIGRATIONS, "ALTER TABLE events ADD COLUMN added TEXT"];

  function open() {
    createFile(file);
    return openDatabase(file, "process");
  }

  it("bring a new file to the newest version, and copy nothing", () => {
    const db = open();
    expect(migrate(db, file)).toBeNull();
    expect(migrate(db, file)).toBeNull();
    db.close();
    expect(versionOf(file)).toBe(MIGRATIONS.length);
  });

  it("keep a private copy of an older file as it was", async () => {
    const store = await openInlineStore(options());
    await store.inbox.accept(anOffer(anEvent({ id: "a" })));
    await store[Symbol.asyncDispose]();
    const db = open();
    const copy = migrate(db, file, NEXT);
    expect(db.prepare("SELECT added FROM events").all()).toHaveLength(1);
    db.close();
    expect(versionOf(file)).toBe(NEXT.length);
    if (copy === null) throw new Error("Expected a copy");
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    file = copy;
    const old = await openInlineStore(options());
    expect(await old.journal.find("a")).toMatchObject({ state: "queued" });
    await old[Symbol.asyncDispose]();
  });

  it("change nothing when one of them fails", () => {
    let db = open();
    migrate(db, file);
    expect(() => migrate(db, file, [...NEXT, "CREATE TABLE half (x); SELECT * FROM nowhere"])).toThrow(
      "nowhere",
    );
    db.close();
    expect(versionOf(file)).toBe(NEXT.length);
    db = open();
    expect(db.prepare("SELECT name FROM sqlite_schema WHERE name = 'half'").all()).toEqual([]);
    db.close();
  });

  it("are refused for a file that a newer release has used", async () => {
    const db = open();
    migrate(db, file, NEXT);
    db.close();
    await expect(openSqliteStore(options())).rejects.toMatchObject({
      code: "STORE_SCHEMA_NEWER",
      message: expect.stringContaining(`got ${NEXT.length}`),
    });
  });
});
