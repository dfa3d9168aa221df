import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Store } from "../../src/ports/store.ts";
import { openSqliteStore } from "../../src/store/sqlite/index.ts";
import { openInlineStore } from "../../src/store/sqlite/inline.ts";
import { anOffer } from "../contract/store.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { failingDisk } from "./commits.ts";
import { aFolder } from "./folder.ts";

/** On a busy machine a thread may take seconds to start. */
vi.setConfig({ testTimeout: 60_000 });

let folder: ReturnType<typeof aFolder>;
let data: string;
let file: string;
let lines: string[];
beforeEach(() => {
  folder = aFolder("memory");
  data = join(folder.path, "data");
  file = join(data, "parley.db");
  lines = [];
});
afterEach(() => folder.remove());

const options = () => ({
  file,
  clock: new FakeClock(),
  limits: { waitingPerLaneMax: 1_000, waitingMax: 10_000 },
  log(line: string, level = "warn") {
    if (!line.includes("tmpfs")) lines.push(`${level} ${line}`);
  },
});
const accept = (store: Store, id: string, text = "hello") =>
  store.inbox.accept(anOffer(anEvent({ id, text, conversation: "c1" })));
const claim = async (store: Store) => (await store.queue.claim({ jobsMax: 1, leaseMs: 30_000 }))[0];
const close = (store: Store) => store[Symbol.asyncDispose]();

async function drain(store: Store): Promise<string[]> {
  const order: string[] = [];
  for (let job = await claim(store); job !== undefined; job = await claim(store)) {
    order.push(job.event.id);
    expect(await store.queue.settle(job, { kind: "done", outcome: "answered", turns: [] })).toBe(true);
  }
  return order;
}

/** Each takes away what the open file stands on. */
const TAKEN_AWAY: Readonly<Record<string, () => void>> = {
  "the folder is deleted": () => rmSync(data, { recursive: true }),
  "the folder is deleted and made anew": () => {
    rmSync(data, { recursive: true });
    mkdirSync(data);
  },
  "the folder is renamed": () => renameSync(data, `${data}.old`),
  "the folder becomes a file": () => {
    rmSync(data, { recursive: true });
    writeFileSync(data, "");
  },
  "the file is deleted": () => rmSync(file),
  "the file is replaced by a copy of itself": () => {
    copyFileSync(file, `${file}.copy`);
    renameSync(`${file}.copy`, file);
  },
  "the file is replaced by an empty one": () => {
    rmSync(file);
    writeFileSync(file, "");
  },
};

describe.each(Object.entries(TAKEN_AWAY))("a store under which %s", (_, takeAway) => {
  it("accepts nothing more, says so once, and ends what it had accepted", async () => {
    const store = await openSqliteStore(options());
    await accept(store, "before");
    await store.check();
    takeAway();
    await expect(accept(store, "after")).rejects.toMatchObject({ code: "STORE_MOVED" });
    // A duplicate would be a promise too: its original goes with the process.
    await expect(accept(store, "before")).rejects.toMatchObject({ code: "STORE_MOVED" });
    await expect(store.check()).rejects.toMatchObject({
      code: "STORE_MOVED",
      message: expect.stringContaining(file),
    });
    expect(await drain(store)).toEqual(["before"]);
    expect(lines.filter((line) => line.startsWith("error STORE_MOVED"))).toHaveLength(1);
    await close(store);
  });
});

describe("a store whose file is taken away", () => {
  it("refuses what is in the very commit during which it goes", async () => {
    let isGoing = false;
    const disk = failingDisk();
    const store = await openInlineStore({
      ...options(),
      open(path, durability) {
        const db = disk.open(path, durability);
        return {
          ...db,
          prepare: <Row>(sql: string) => {
            if (isGoing) rmSync(data, { recursive: true, force: true });
            const statement = db.prepare<Row>(sql);
            if (sql !== "COMMIT") return statement;
            const run = () => {
              if (isGoing) rmSync(data, { recursive: true, force: true });
              return statement.run();
            };
            return { run, get: () => statement.get(), all: () => statement.all() };
          },
        };
      },
    });
    isGoing = true;
    await expect(accept(store, "a")).rejects.toMatchObject({ code: "STORE_MOVED" });
    await close(store);
  });

  it("accepts again when it is put back, and says so", async () => {
    const store = await openSqliteStore(options());
    await accept(store, "a");
    renameSync(data, `${data}.old`);
    await expect(accept(store, "b")).rejects.toMatchObject({ code: "STORE_MOVED" });
    renameSync(`${data}.old`, data);
    expect(await accept(store, "b")).toEqual({ kind: "accepted" });
    expect(lines.join("\n")).toContain("is back");
    await close(store);
    const next = await openSqliteStore(options());
    expect(await drain(next)).toEqual(["a", "b"]);
    await close(next);
  });

  it("does not go over to a new file after a failed flush", async () => {
    const disk = failingDisk();
    const store = await openInlineStore({ ...options(), open: disk.open });
    await accept(store, "a");
    rmSync(data, { recursive: true });
    mkdirSync(data);
    writeFileSync(file, "");
    disk.trouble.commitsLost = 1;
    await expect(claim(store)).rejects.toMatchObject({ code: "STORE_WRITE_FAILED" });
    await expect(accept(store, "b")).rejects.toMatchObject({ code: "STORE_MOVED" });
    await expect(claim(store)).rejects.toMatchObject({ code: "STORE_MOVED" });
    expect(statSync(file).size).toBe(0);
    await close(store);
    expect(statSync(file).size).toBe(0);
  });

  it("leaves a copy that is put in its place alone, and its log", async () => {
    const store = await openSqliteStore(options());
    await accept(store, "a");
    await close(store);
    const running = await openSqliteStore(options());
    await accept(running, "b");
    rmSync(file);
    writeFileSync(file, "restored");
    rmSync(`${file}-wal`);
    writeFileSync(`${file}-wal`, "its log");
    await expect(running.check()).rejects.toMatchObject({ code: "STORE_MOVED" });
    await close(running);
    expect([readFileSync(file, "utf8"), readFileSync(`${file}-wal`, "utf8")]).toEqual([
      "restored",
      "its log",
    ]);
  });
});

describe("a store whose log alone is taken away", () => {
  it.each<readonly [string, () => void]>([
    ["deleted", () => rmSync(`${file}-wal`)],
    [
      "replaced",
      () => {
        writeFileSync(`${file}-wal.new`, "");
        renameSync(`${file}-wal.new`, `${file}-wal`);
      },
    ],
  ])("brings home what it held: %s", async (_, takeAway) => {
    const store = await openInlineStore(options());
    await accept(store, "a");
    takeAway();
    expect(await accept(store, "b")).toEqual({ kind: "accepted" });
    expect(await accept(store, "c")).toEqual({ kind: "accepted" });
    expect(lines.filter((line) => line.startsWith("error"))).toEqual([expect.stringContaining("-wal")]);
    // As a kill leaves it.
    store.crash();
    const next = await openInlineStore(options());
    expect(await drain(next)).toEqual(["a", "b", "c"]);
    await close(next);
  });
});

describe("a store whose file or log is cut short", () => {
  it.each(["", "-wal"])("accepts and begins nothing more, for good: parley.db%s", async (suffix) => {
    const first = await openInlineStore(options());
    await accept(first, "a");
    await close(first);
    const store = await openInlineStore(options());
    await accept(store, "b", "x".repeat(50_000));
    const job = await claim(store);
    truncateSync(`${file}${suffix}`, 4_096);
    await expect(accept(store, "c")).rejects.toMatchObject({ code: "STORE_DAMAGED" });
    await expect(store.check()).rejects.toMatchObject({ code: "STORE_DAMAGED" });
    await expect(claim(store)).rejects.toMatchObject({ code: "STORE_DAMAGED" });
    expect(lines.filter((line) => line.startsWith("error STORE_DAMAGED"))).toHaveLength(1);
    // What was in hand may end.
    if (job === undefined) throw new Error("Expected a job");
    await store.queue.settle(job, { kind: "done", outcome: "answered", turns: [] }).catch(() => {});
    appendFileSync(`${file}${suffix}`, Buffer.alloc(1_000_000));
    await expect(accept(store, "d")).rejects.toMatchObject({ code: "STORE_DAMAGED" });
    await close(store);
  });
});

describe("bytes that are flipped", () => {
  const garble = (from: number, to: number) => {
    const bytes = readFileSync(file);
    bytes.fill(0x5a, from, Math.min(to, bytes.length));
    writeFileSync(file, bytes);
  };

  async function filled(): Promise<void> {
    const store = await openInlineStore(options());
    for (let i = 0; i < 200; i++) await accept(store, `e${i}`, "x".repeat(2_000));
    await close(store);
  }

  it("are found at the start, which is refused and changes nothing", async () => {
    await filled();
    garble(100_000, 400_000);
    const before = readFileSync(file);
    await expect(openSqliteStore(options())).rejects.toMatchObject({
      code: "STORE_DAMAGED",
      message: expect.stringContaining(file),
    });
    expect(readFileSync(file).equals(before)).toBe(true);
    await expect(openSqliteStore(options())).rejects.toMatchObject({ code: "STORE_DAMAGED" });
  });

  it("are found under way, and stay an alarm", async () => {
    await filled();
    const disk = failingDisk();
    const store = await openInlineStore({ ...options(), open: disk.open });
    garble(100_000, statSync(file).size);
    // Another handle than the one whose cache has them still.
    disk.trouble.commitsLost = 1;
    await accept(store, "x").catch(() => {});
    for (let i = 0; i < 300 && lines.every((line) => !line.startsWith("error")); i++) {
      await drainOne(store).catch(() => {});
    }
    expect(lines.filter((line) => line.startsWith("error STORE_DAMAGED"))).toHaveLength(1);
    await expect(store.check()).rejects.toMatchObject({ code: "STORE_DAMAGED" });
    await expect(accept(store, "y")).rejects.toMatchObject({ code: "STORE_DAMAGED" });
    await expect(claim(store)).rejects.toMatchObject({ code: "STORE_DAMAGED" });
    await close(store);
    await expect(openInlineStore(options())).rejects.toMatchObject({ code: "STORE_DAMAGED" });
  });

  async function drainOne(store: Store): Promise<void> {
    const job = await claim(store);
    if (job !== undefined) await store.queue.settle(job, { kind: "done", outcome: "answered", turns: [] });
  }
});

describe("a log that was left", () => {
  async function crashed(): Promise<void> {
    const store = await openInlineStore(options());
    for (let i = 0; i < 20; i++) await accept(store, `e${i}`);
    store.crash();
    lines.length = 0;
  }

  it("beside no file, or an empty one, refuses a start and is kept", async () => {
    for (const spoil of [() => rmSync(file), () => writeFileSync(file, "")]) {
      await crashed();
      const log = readFileSync(`${file}-wal`);
      spoil();
      const existed = existsSync(file);
      await expect(openSqliteStore(options())).rejects.toMatchObject({
        code: "STORE_DAMAGED",
        message: expect.stringContaining(`${file}-wal`),
      });
      expect(readFileSync(`${file}-wal`).equals(log)).toBe(true);
      expect(existsSync(file)).toBe(existed);
      rmSync(data, { recursive: true });
    }
  });

  it("beside another program's file refuses a start, and leaves that file as it is", async () => {
    await crashed();
    rmSync(file);
    const other = new DatabaseSync(file);
    other.exec("CREATE TABLE theirs (x)");
    other.close();
    const before = readFileSync(file);
    await expect(openSqliteStore(options())).rejects.toThrow("another program");
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it("and breaks off in its middle is said", async () => {
    await crashed();
    const log = readFileSync(`${file}-wal`);
    log.fill(0x5a, Math.floor(log.length / 2), Math.floor(log.length / 2) + 100);
    writeFileSync(`${file}-wal`, log);
    const store = await openInlineStore(options());
    expect(lines).toEqual([expect.stringContaining("breaks off")]);
    await close(store);
  });

  it("and is whole is not remarked on", async () => {
    await crashed();
    const store = await openInlineStore(options());
    expect(lines).toEqual([]);
    expect(await drain(store)).toHaveLength(20);
    await close(store);
  });
});

describe("a new database", () => {
  it("is said, with its path, and an old one is not", async () => {
    await close(await openSqliteStore(options()));
    await close(await openSqliteStore(options()));
    expect(lines.filter((line) => line.includes("new database"))).toEqual([
      `info Made a new database, ${file}`,
    ]);
  });

  it("is not made where a folder stands", async () => {
    mkdirSync(file, { recursive: true });
    await expect(openSqliteStore(options())).rejects.toMatchObject({
      code: "STORE_OPEN_FAILED",
      message: expect.stringContaining(`${file} is a folder`),
    });
  });
});
