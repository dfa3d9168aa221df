import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openDatabase } from "../../src/store/sqlite/database.ts";
import { Engine } from "../../src/store/sqlite/engine.ts";
import { openInlineStore } from "../../src/store/sqlite/inline.ts";
import { anOffer } from "../contract/store.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { aFolder } from "./folder.ts";

const MIB = 1024 * 1024;
const EVENTS = 20_000;
const limits = { waitingPerLaneMax: EVENTS, waitingMax: EVENTS };

it("the log stays small while a sweep deletes, and the disk gets it back when nobody is busy", {
  timeout: 120_000,
}, async () => {
  const folder = aFolder("memory");
  const file = join(folder.path, "parley.db");
  const clock = new FakeClock();
  let largest = 0;
  const logBytes = () => statSync(`${file}-wal`).size;
  const store = await openInlineStore({
    file,
    clock,
    limits,
    durability: "process",
    onCommit() {
      largest = Math.max(largest, logBytes());
    },
  });
  const text = "x".repeat(1_000);
  for (let i = 0; i < EVENTS; i += 100) {
    const ids = Array.from({ length: 100 }, (_, n) => i + n);
    await Promise.all(
      ids.map((n) =>
        store.inbox.accept(anOffer(anEvent({ id: `event-${n}`, conversation: `c${n % 500}`, text }))),
      ),
    );
  }
  for (let jobs = await claim(); jobs.length > 0; jobs = await claim())
    await Promise.all(
      jobs.map((job) => store.queue.settle(job, { kind: "done", outcome: "answered", turns: [] })),
    );
  // So the sweep begins with an empty log.
  await store[Symbol.asyncDispose]();
  const fullBytes = statSync(file).size;

  const swept = await openInlineStore({
    file,
    clock,
    limits,
    durability: "process",
    onCommit() {
      largest = Math.max(largest, logBytes());
    },
  });
  largest = 0;
  clock.advance(8 * 86_400_000);
  await swept.sweep({ finishedMs: 1, deadMs: 1, turnsMs: 1 });
  expect(largest).toBeGreaterThan(0);
  expect(largest).toBeLessThan(12 * MIB);
  await swept[Symbol.asyncDispose]();
  expect(statSync(file).size).toBeLessThan(fullBytes / 4);

  const engine = new Engine({ file, durability: "process", limits }, clock.nowMs(), openDatabase, () => {});
  engine.run([["forget", clock.nowMs(), ["c1", null]]]);
  expect(logBytes()).toBeGreaterThan(0);
  engine.saveLog("always");
  expect(logBytes()).toBe(0);
  // A claim in vain, as an idle process makes every ten seconds, leaves nothing to copy.
  engine.run([["claim", clock.nowMs(), { jobsMax: 1, leaseMs: 1_000 }]]);
  expect(engine.unsavedBytes).toBe(0);
  engine.close();
  folder.remove();

  function claim() {
    return store.queue.claim({ jobsMax: 100, leaseMs: 60_000 });
  }
});
