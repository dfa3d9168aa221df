import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../src/store/sqlite/database.ts";
import { createFile } from "../../src/store/sqlite/file.ts";
import { openInlineStore } from "../../src/store/sqlite/inline.ts";
import { MIGRATIONS, migrate } from "../../src/store/sqlite/migrations.ts";
import { aProgress } from "../contract/store.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { aFolder } from "./folder.ts";

/** As version 4, the first to be released, left it. */
const VERSION = 4;

let folder: ReturnType<typeof aFolder>;
let file: string;
let clock: FakeClock;
beforeEach(() => {
  folder = aFolder("memory");
  file = join(folder.path, "parley.db");
  clock = new FakeClock();
});
afterEach(() => folder.remove());

interface Row {
  readonly attempt?: number;
  readonly failures?: number;
  readonly held?: boolean;
  readonly stop?: boolean;
  /** As JSON. */
  readonly progress?: string;
}

function writeFile(rows: Readonly<Record<string, Row>>): void {
  createFile(file);
  const empty = openDatabase(file, "process");
  migrate(empty, file, MIGRATIONS.slice(0, VERSION));
  empty.close();
  const db = new DatabaseSync(file);
  const nowMs = clock.nowMs();
  Object.entries(rows).forEach(
    ([id, { attempt = 0, failures = 0, held = false, stop = false, progress }], index) => {
      const event = anEvent({ id, conversation: `c ${id}` });
      const seq = index + 1;
      db.prepare("INSERT INTO events (seq, id, accepted_ms, body) VALUES (?, ?, ?, ?)").run(
        seq,
        id,
        nowMs,
        JSON.stringify(event),
      );
      db.prepare("INSERT INTO keys (key, seq, expires_ms) VALUES (?, ?, ?)").run(id, seq, nowMs + 3_600_000);
      db.prepare(
        `INSERT INTO waiting (seq, lane, conversation, accepted_ms, updated_ms, attempt, failures, claims, due_ms, retrying,
         held, stop) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)`,
      ).run(
        seq,
        event.conversation,
        event.conversation,
        nowMs,
        nowMs,
        attempt,
        failures,
        attempt,
        failures > 0 ? 1 : 0,
        held ? 1 : 0,
        stop ? 1 : 0,
      );
      if (progress !== undefined)
        db.prepare("INSERT INTO progress (seq, body) VALUES (?, ?)").run(seq, progress);
    },
  );
  db.close();
}

async function claimed(): Promise<Readonly<Record<string, unknown>>> {
  const store = await openInlineStore({
    file,
    clock,
    limits: { waitingPerLaneMax: 100, waitingMax: 100 },
    log: () => {},
  });
  const jobs = await store.queue.claim({ jobsMax: 99, leaseMs: 30_000 });
  await store[Symbol.asyncDispose]();
  return Object.fromEntries(jobs.map((job) => [job.event.id, job]));
}

describe("a file of version 4", () => {
  it("forgives what an answer had behind it, and keeps what else had failed or was cut off", async () => {
    const answer = (failuresBefore: unknown) =>
      JSON.stringify({ ...aProgress("x"), answer: { text: '"failuresBefore":9', failuresBefore } });
    writeFile({
      running: { attempt: 3, failures: 2, progress: JSON.stringify(aProgress("half")) },
      saying: { attempt: 5, failures: 3, held: true, progress: answer(2) },
      replayed: { attempt: 1, failures: 0, progress: answer(2) },
      odd: { attempt: 1, failures: 1, progress: answer("two") },
      broken: { attempt: 1, failures: 1, progress: "{" },
    });
    expect(await claimed()).toMatchObject({
      running: { attempt: 4, failures: 2, cutOffs: 1 },
      saying: { attempt: 6, failures: 1, cutOffs: 2, crashes: 1 },
      replayed: { attempt: 2, failures: 0, cutOffs: 1 },
      odd: { failures: 1 },
      broken: { failures: 1, damage: expect.stringContaining("EVENT_DAMAGED") },
    });
  });

  it("still knows who is to stop", async () => {
    writeFile({ stopped: { stop: true }, other: {} });
    const stop = { kind: "stop", by: { id: "", name: "" } };
    expect(await claimed()).toMatchObject({ stopped: { signals: [stop] }, other: { signals: [] } });
  });
});
