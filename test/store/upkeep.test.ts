import { execFileSync } from "node:child_process";
import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type OwnStore, openSqliteStore } from "../../src/store/sqlite/index.ts";
import { surveyFile, vacuumFile } from "../../src/store/sqlite/offline.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { anOffer } from "../support/store.ts";
import { aFolder } from "./folder.ts";

let folder: ReturnType<typeof aFolder>;
let file: string;
let clock: FakeClock;
let store: OwnStore;
beforeEach(async () => {
  folder = aFolder("memory");
  file = join(folder.path, "parley.db");
  clock = new FakeClock();
  store = await open();
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  folder.remove();
});

const open = () =>
  openSqliteStore({
    file,
    clock,
    durability: "process",
    limits: { waitingPerLaneMax: 10_000, waitingMax: 10_000 },
  });

const close = () => store[Symbol.asyncDispose]();

async function fill(count: number, text = "x".repeat(1_000)): Promise<void> {
  const offers = Array.from({ length: count }, (_, n) => anOffer(anEvent({ id: `test:${n}`, text })));
  await Promise.all(offers.map((offer) => store.inbox.accept(offer)));
}

/** Whether another process could use the file now. */
function isFree(): boolean {
  const script = `const { DatabaseSync } = require("node:sqlite");
    try { new DatabaseSync(process.argv[1], { timeout: 0 }).exec("PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE"); process.stdout.write("free"); }
    catch (error) { process.stdout.write(error.message); }`;
  const said = execFileSync(process.execPath, ["-e", script, file], { encoding: "utf8" });
  expect(["free", "database is locked"]).toContain(said);
  return said === "free";
}

it("whoever reads it through leaves the lock on it, and what comes meanwhile is taken", async () => {
  await fill(50);
  expect(isFree()).toBe(false);
  const looking = store.upkeep.check();
  await store.inbox.accept(anOffer(anEvent({ id: "test:meanwhile" })));
  expect(await looking).toEqual({ findings: [], events: 50 });
  expect(isFree()).toBe(false);
  await close();
  expect(isFree()).toBe(true);
});

it("is not read while a copy of it is made, nor copied while it is read", async () => {
  await store.still.hold(60_000);
  expect(await store.upkeep.check()).toBe("busy");
  expect(await store.upkeep.overdue({ finishedMs: 0, deadMs: 0, turnsMs: 0 })).toBe("busy");
  await store.still.release();
  expect(await store.upkeep.check()).toEqual({ findings: [], events: 0 });
  expect(await store.still.hold(60_000)).not.toBeNull();
});

it("a page that is another than was written is found, in a running gateway and in a file that none uses", async () => {
  await fill(500);
  await close();
  const pages = statSync(file).size / 4_096;
  const fd = openSync(file, "r+");
  for (const page of [Math.floor(pages / 2), Math.floor(pages / 2) + 1])
    writeSync(fd, Buffer.alloc(2_000, 0xff), 0, 2_000, page * 4_096);
  closeSync(fd);
  expect(surveyFile(file).findings.length).toBeGreaterThan(0);
});

it("tables that do not fit together are found", async () => {
  await fill(3);
  await close();
  const db = new DatabaseSync(file);
  db.exec(`
    DELETE FROM events WHERE seq = (SELECT min(seq) FROM events);
    UPDATE events SET body = 'no JSON' WHERE seq = (SELECT max(seq) FROM events);
    INSERT INTO progress (seq, body) VALUES (999, '{}');
  `);
  db.close();
  const findings = [
    "1 waiting events without a text",
    "1 events whose text cannot be read",
    "1 records of work without an event",
  ];
  expect(surveyFile(file)).toEqual({ findings, events: 2 });
  store = await open();
  expect(await store.upkeep.check()).toEqual({ findings, events: 2 });
});

it("a vacuum beside others is done a little at a time, and they wait for no more than that", async () => {
  await fill(300, "x".repeat(40_000));
  for (let gone = 0; gone < 300; ) {
    const jobs = await store.queue.claim({ jobsMax: 300, leaseMs: 60_000, controlOnly: false });
    await Promise.all(
      jobs.map((job) => store.queue.settle(job, { kind: "done", outcome: "answered", turns: [] })),
    );
    gone += jobs.length;
  }
  // Without the shrinking that is part of a sweep.
  const done = await store.journal.list({ state: "done", limit: 300 });
  expect(await store.upkeep.remove(done.map(({ seq }) => ({ seq, merged: [] })))).toBe(300);
  let count = 0;
  const over = new AbortController();
  const others = (async () => {
    while (!over.signal.aborted) {
      await store.inbox.accept(anOffer(anEvent({ id: `test:other:${++count}` })));
    }
  })();
  const vacuumed = await store.upkeep.vacuum();
  over.abort();
  await others;
  expect(vacuumed?.bytesAfter).toBeLessThan((vacuumed?.bytesBefore ?? 0) / 4);
  // 256 pages at once, of more than 3,000.
  expect(count).toBeGreaterThan(5);
});

it("a file that none uses is written anew, without gaps; one that is in use is not touched", async () => {
  await fill(500, "x".repeat(4_000));
  expect(() => vacuumFile(file)).toThrow(/only process/);
  await close();
  const db = new DatabaseSync(file);
  db.exec("DELETE FROM waiting; DELETE FROM keys; DELETE FROM events");
  db.close();
  const { before, after } = vacuumFile(file);
  expect(after).toBeLessThan(before / 4);
  expect(statSync(file).size).toBe(after);
  expect(surveyFile(file)).toEqual({ findings: [], events: 0 });
});
