import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Refusal } from "../../src/domain/refusal.ts";
import type { Job } from "../../src/ports/queue.ts";
import type { Store } from "../../src/ports/store.ts";
import { openDatabase } from "../../src/store/sqlite/database.ts";
import { createFile } from "../../src/store/sqlite/file.ts";
import { openInlineStore } from "../../src/store/sqlite/inline.ts";
import { MIGRATIONS, migrate } from "../../src/store/sqlite/migrations.ts";
import { anOffer, aProgress, aRefusal } from "../contract/store.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { aFolder } from "./folder.ts";

let folder: ReturnType<typeof aFolder>;
let file: string;
let clock: FakeClock;
let lines: string[];
beforeEach(() => {
  folder = aFolder("memory");
  file = join(folder.path, "parley.db");
  clock = new FakeClock();
  lines = [];
});
afterEach(() => folder.remove());

const open = () =>
  openInlineStore({
    file,
    clock,
    limits: { waitingPerLaneMax: 100, waitingMax: 100 },
    log: (line) => lines.push(line),
  });

interface Waiting {
  readonly attempt?: number;
  readonly failures?: number;
  readonly afterMs?: number;
  readonly refusal?: Refusal;
}

/** A file as version 1 left it. */
function writeVersion1(fill: (rows: ReturnType<typeof rowsOf>) => void): void {
  const db = new DatabaseSync(file);
  db.exec(readFileSync(new URL("./version-1.sql", import.meta.url), "utf8"));
  fill(rowsOf(db));
  db.close();
}

function rowsOf(db: DatabaseSync) {
  const nowMs = clock.nowMs();
  let seq = 0;

  function add(event: TriggerEvent, state: string | null, attempt: number | null, cause: string | null) {
    seq += 1;
    db.prepare(
      `INSERT INTO events (seq, id, accepted_ms, state, attempt, cause, updated_ms, body)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(seq, event.id, nowMs, state, attempt, cause, nowMs, JSON.stringify(event));
    for (const key of [event.id, ...event.aliases]) {
      db.prepare("INSERT INTO keys (key, seq, expires_ms) VALUES (?, ?, ?)").run(key, seq, nowMs + 3_600_000);
    }
  }

  return {
    finished(
      event: TriggerEvent,
      state: "done" | "dropped" | "dead",
      attempt = 1,
      cause: string | null = null,
    ) {
      add(event, state, attempt, cause);
      if (attempt === 0) return;
      db.prepare("INSERT INTO progress (seq, body) VALUES (?, ?)").run(
        seq,
        JSON.stringify(aProgress(event.id)),
      );
      db.prepare(
        "INSERT INTO outbox (part_id, seq, reservations, state, receipt) VALUES (?, ?, 1, 'sent', ?)",
      ).run(`${event.id}/0`, seq, '{"messageId":"m0","via":"test"}');
    },
    waiting(event: TriggerEvent, { attempt = 0, failures = 0, afterMs = 0, refusal }: Waiting = {}) {
      add(event, null, null, null);
      db.prepare(
        `INSERT INTO waiting (seq, lane, conversation, accepted_ms, updated_ms, attempt, failures, claims, due_ms,
           retrying, cause, refusal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ).run(
        seq,
        refusal === undefined ? event.conversation : `${event.conversation}!notice`,
        event.conversation,
        nowMs,
        nowMs,
        attempt,
        failures,
        attempt,
        nowMs + afterMs,
        failures > 0 ? 1 : 0,
        failures > 0 ? "overloaded" : null,
        refusal === undefined ? null : JSON.stringify(refusal),
      );
    },
  };
}

const from = (id: string, sender: string, changes: Partial<TriggerEvent> = {}) =>
  anEvent({ id, conversation: `c ${id}`, sender: { id: sender, name: sender, isBot: false }, ...changes });

const claimIds = async (store: Store, jobsMax: number) =>
  (await store.queue.claim({ jobsMax, leaseMs: 30_000 })).map((job: Job) => job.event.id);

describe("a file that an older release opens again", () => {
  it("has a preview as a send in doubt, beside which that one marks what it says", async () => {
    const store = await open();
    await store.inbox.accept(anOffer(anEvent({ id: "a" })));
    const [job] = await store.queue.claim({ jobsMax: 1, leaseMs: 1_000 });
    if (job === undefined) throw new Error("Expected a job");
    await store.outbox.reserve(job, "a/0");
    await store.outbox.record("a/0", { kind: "shown", receipt: { messageId: "m1", via: "test" } });
    await store[Symbol.asyncDispose]();
    const db = new DatabaseSync(file);
    // It says what is neither `sent` nor `reserved` as fresh.
    expect(db.prepare("SELECT state, receipt FROM outbox").all()).toEqual([
      { state: "reserved", receipt: '{"messageId":"m1","via":"test"}' },
    ]);
    db.close();
  });
});

describe("a file of version 1", () => {
  const everything = () =>
    writeVersion1((rows) => {
      rows.finished(from("done", "ann", { aliases: ["alias"] }), "done");
      rows.finished(from("dead", "ann"), "dead", 3, "gave up");
      rows.finished(from("dropped", "ann", { text: "" }), "dropped", 0, "too_old");
      rows.waiting(from("retrying", "ann"), { attempt: 2, failures: 1, afterMs: 5_000 });
      rows.waiting(from("told", "ann"), { refusal: aRefusal() });
      for (let i = 0; i < 5; i++) rows.waiting(from(`ann ${i}`, "ann"), { attempt: i === 0 ? 1 : 0 });
      rows.waiting(from("bob", "bob"));
    });

  it("keeps all that it held, with attempts and delays", async () => {
    everything();
    const store = await open();
    expect(await store.journal.stats()).toMatchObject({ queued: 7, retrying: 1, dead: 1, running: 0 });
    expect((await store.journal.list({ limit: 99 })).map(({ id, state }) => `${id}: ${state}`)).toEqual([
      "bob: queued",
      ...[4, 3, 2, 1, 0].map((i) => `ann ${i}: queued`),
      "told: queued",
      "retrying: retrying",
      "dropped: dropped",
      "dead: dead",
      "done: done",
    ]);
    const jobs = await store.queue.claim({ jobsMax: 99, leaseMs: 60_000 });
    const told = jobs.find(({ event }) => event.id === "told");
    const first = jobs.find(({ event }) => event.id === "ann 0");
    expect(jobs).toHaveLength(7);
    expect(told).toMatchObject({ refusal: aRefusal(), attempt: 1 });
    expect(first).toMatchObject({ attempt: 2, failures: 0, crashes: 0, replay: 0, signals: [] });
    clock.advance(5_000);
    const [retried] = await store.queue.claim({ jobsMax: 99, leaseMs: 60_000 });
    expect(retried).toMatchObject({ event: { id: "retrying" }, attempt: 3, failures: 1 });
    await store[Symbol.asyncDispose]();
  });

  it("gives turns by the people whose messages wait", async () => {
    everything();
    const store = await open();
    expect(await claimIds(store, 2)).toContain("bob");
    await store[Symbol.asyncDispose]();
  });

  it("has dead letters to replay, with what was achieved and said", async () => {
    everything();
    const store = await open();
    const request = { by: "ann", mode: "resume", states: ["dead", "dropped"] } as const;
    expect(await store.archive.replay("dropped", request)).toBe("wrong-state");
    expect(await store.archive.replay("dead", request)).toBe("queued");
    const jobs = await store.queue.claim({ jobsMax: 99, leaseMs: 30_000 });
    const job = jobs.find(({ event }) => event.id === "dead");
    if (job === undefined) throw new Error("Expected the replayed event among the claimed");
    expect(job).toMatchObject({ attempt: 1, lane: "c dead", progress: aProgress("dead") });
    expect(await store.outbox.reserve(job, "dead/0")).toMatchObject({ kind: "sent" });
    for (const id of ["done", "alias", "dead"])
      expect(await store.inbox.accept(anOffer(anEvent({ id })))).toEqual({ kind: "duplicate" });
    await store[Symbol.asyncDispose]();
  });

  it("is copied before it is changed, once", async () => {
    everything();
    for (let start = 0; start < 2; start++) {
      const store = await open();
      await store[Symbol.asyncDispose]();
    }
    expect(lines.filter((line) => line.startsWith("Migrated"))).toEqual([
      `Migrated ${file}; the file as it was is kept as ${file}.v1`,
    ]);
    expect(existsSync(`${file}.v2`)).toBe(false);
    const copy = new DatabaseSync(`${file}.v1`);
    expect(copy.prepare("PRAGMA user_version").get()).toEqual({ user_version: 1 });
    expect(copy.prepare("SELECT count(*) AS count FROM waiting").get()).toEqual({ count: 8 });
    expect(copy.prepare("SELECT count(*) AS count FROM events").get()).toEqual({ count: 11 });
    copy.close();
  });
});

it("a file from before there were holds and notes has them once it is open, and nothing else is changed", async () => {
  createFile(file);
  const db = openDatabase(file, "process");
  migrate(db, file, MIGRATIONS.slice(0, 4));
  db.prepare("INSERT INTO events (seq, id, accepted_ms, state, body) VALUES (1, 'a', 1, 'done', ?)").run(
    JSON.stringify(anEvent({ id: "a" })),
  );
  db.close();
  const store = await open();
  const held = await store.holds.hold("sweeping", 1_000);
  if (held === null) throw new Error("Expected to hold it");
  expect(await store.notes.get("swept")).toBeNull();
  expect(await store.notes.put("swept", "once", held)).toBe(true);
  expect(await store.notes.get("swept")).toBe("once");
  expect((await store.journal.list({ limit: 9 })).map(({ id, state }) => [id, state])).toEqual([
    ["a", "done"],
  ]);
  await store[Symbol.asyncDispose]();
});

describe("a file of version 4", () => {
  beforeEach(() => {
    const db = new DatabaseSync(file);
    db.exec(readFileSync(new URL("./version-4.sql", import.meta.url), "utf8"));
    db.close();
  });

  const onlyCommands = async (store: Store) =>
    await store.queue.claim({ jobsMax: 99, leaseMs: 30_000, controlOnly: true });

  it("keeps what waits as what it is, by the lane that it waits in", async () => {
    const store = await open();
    const commands = await onlyCommands(store);
    expect(commands.map(({ event, kind }) => [event.id, kind])).toEqual([["stop", "command"]]);
    const jobs = await store.queue.claim({ jobsMax: 99, leaseMs: 30_000 });
    expect(Object.fromEntries(jobs.map(({ event, kind }) => [event.id, kind]))).toEqual({
      message: "message",
      refused: "notice",
      "refused stop": "notice",
    });
    clock.advance(5_000);
    const [retried] = await store.queue.claim({ jobsMax: 99, leaseMs: 30_000 });
    expect(retried).toMatchObject({ event: { id: "retrying" }, kind: "message", attempt: 2, failures: 1 });
    await store[Symbol.asyncDispose]();
  });

  it("brings back dead letters as what they are", async () => {
    const store = await open();
    const request = { by: "ann", mode: "resume", states: ["dead"] } as const;
    expect(await store.archive.replay("dead", request)).toBe("queued");
    expect(await store.archive.replay("dead stop", request)).toBe("queued");
    expect((await onlyCommands(store)).map(({ event }) => event.id)).toEqual(["stop", "dead stop"]);
    expect(await claimIds(store, 99)).toContain("dead");
    await store[Symbol.asyncDispose]();
  });

  it("has a copy beside it", async () => {
    const store = await open();
    await store[Symbol.asyncDispose]();
    expect(lines.filter((line) => line.startsWith("Migrated"))).toEqual([
      `Migrated ${file}; the file as it was is kept as ${file}.v4`,
    ]);
  });
});
