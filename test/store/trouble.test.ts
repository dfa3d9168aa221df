import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../src/ports/store.ts";
import { openSqliteStore } from "../../src/store/sqlite/index.ts";
import { type InlineStoreOptions, openInlineStore } from "../../src/store/sqlite/inline.ts";
import { anOffer } from "../contract/store.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { failingDisk } from "./commits.ts";
import { aFolder } from "./folder.ts";

let folder: ReturnType<typeof aFolder>;
beforeEach(() => {
  folder = aFolder("memory");
});
afterEach(() => folder.remove());

const options = (changes: Partial<InlineStoreOptions> = {}): InlineStoreOptions => ({
  file: join(folder.path, "parley.db"),
  clock: new FakeClock(),
  limits: { waitingPerLaneMax: 1_000, waitingMax: 10_000 },
  ...changes,
});
const accept = (store: Store, id: string, text = "hello") =>
  store.inbox.accept(anOffer(anEvent({ id, text, conversation: "c1" })));
const claim = async (store: Store) => (await store.queue.claim({ jobsMax: 1, leaseMs: 30_000 }))[0];
const writeFailed = { code: "STORE_WRITE_FAILED" };

async function drain(store: Store): Promise<string[]> {
  const order: string[] = [];
  for (let job = await claim(store); job !== undefined; job = await claim(store)) {
    order.push(job.event.id);
    await store.queue.settle(job, { kind: "done", outcome: "answered", turns: [] });
  }
  return order;
}

describe("a disk that is full", () => {
  it("refuses all of the batch, stores nothing of it, and goes on when there is room", async () => {
    const disk = failingDisk();
    const store = await openInlineStore(options({ open: disk.open }));
    await accept(store, "a");
    disk.setPagesMax(40);
    const batch = await Promise.allSettled([accept(store, "b"), accept(store, "c", "x".repeat(1_000_000))]);
    for (const result of batch) expect(result).toMatchObject({ status: "rejected", reason: writeFailed });
    expect(await store.journal.find("b")).toBeNull();
    expect(await store.journal.stats()).toMatchObject({ queued: 1 });
    disk.setPagesMax(4_000_000);
    expect(await accept(store, "b")).toEqual({ kind: "accepted" });
    expect(await accept(store, "c")).toEqual({ kind: "accepted" });
    expect(await drain(store)).toEqual(["a", "b", "c"]);
    await store[Symbol.asyncDispose]();
  });

  it("is told by the check, until something of some size was written again", async () => {
    const disk = failingDisk();
    const clock = new FakeClock();
    const store = await openInlineStore(options({ open: disk.open, clock }));
    await accept(store, "a");
    expect(await store.check()).toEqual({ status: "ok" });
    disk.setPagesMax(40);
    await expect(accept(store, "b", "x".repeat(1_000_000))).rejects.toMatchObject(writeFailed);
    // The mark that the check makes still finds room.
    const failed = { status: "failed", ...writeFailed, details: expect.stringContaining("is full") };
    expect(await store.check()).toEqual(failed);
    clock.advance(9_999);
    expect(await claim(store)).toMatchObject({ event: { id: "a" } });
    expect(await store.check()).toEqual(failed);
    disk.setPagesMax(4_000_000);
    await accept(store, "b");
    expect(await store.check()).toEqual({ status: "ok" });
    await store[Symbol.asyncDispose]();
  });

  it("is forgotten by the check when nobody has tried to write for a while", async () => {
    const disk = failingDisk();
    const clock = new FakeClock();
    const store = await openInlineStore(options({ open: disk.open, clock }));
    disk.setPagesMax(40);
    await expect(accept(store, "b", "x".repeat(1_000_000))).rejects.toMatchObject(writeFailed);
    clock.advance(10_000);
    expect(await store.check()).toEqual({ status: "ok" });
    await store[Symbol.asyncDispose]();
  });

  it("is no fault of what was in hand when it could not be settled", async () => {
    const disk = failingDisk();
    const clock = new FakeClock();
    const store = await openInlineStore(options({ open: disk.open, clock }));
    await accept(store, "a");
    for (const fillsUp of [true, false]) {
      expect(await claim(store)).toMatchObject({ event: { id: "a" }, crashes: 0 });
      disk.setPagesMax(fillsUp ? 40 : 4_000_000);
      if (fillsUp) await expect(accept(store, "b", "x".repeat(1_000_000))).rejects.toMatchObject(writeFailed);
      clock.advance(30_000);
      disk.setPagesMax(4_000_000);
    }
    expect(await claim(store)).toMatchObject({ event: { id: "a" }, crashes: 1 });
    await store[Symbol.asyncDispose]();
  });

  it("keeps what is claimed claimed", async () => {
    const disk = failingDisk();
    const store = await openInlineStore(options({ open: disk.open }));
    await accept(store, "a");
    const job = await claim(store);
    disk.setPagesMax(40);
    await expect(accept(store, "b", "x".repeat(1_000_000))).rejects.toMatchObject(writeFailed);
    expect(await claim(store)).toBeUndefined();
    expect(job && (await store.queue.extend(job, 1_000))).toBe(true);
    await store[Symbol.asyncDispose]();
  });
});

describe("a flush that fails", () => {
  it("acknowledges nothing, opens the file again, and is forgotten", async () => {
    const disk = failingDisk();
    const lines: string[] = [];
    const store = await openInlineStore(options({ open: disk.open, log: (line) => lines.push(line) }));
    await accept(store, "a");
    disk.trouble.commitsLost = 1;
    await expect(accept(store, "b")).rejects.toMatchObject(writeFailed);
    expect(await accept(store, "b")).toEqual({ kind: "accepted" });
    expect(lines.join()).toContain("again");
    expect(await drain(store)).toEqual(["a", "b"]);
    await store[Symbol.asyncDispose]();
  });

  it("is found by the check, which writes itself", async () => {
    const disk = failingDisk();
    const store = await openInlineStore(options({ open: disk.open }));
    disk.trouble.commitsLost = 1;
    await expect(store.check()).rejects.toMatchObject(writeFailed);
    await accept(store, "a");
    expect(await store.check()).toEqual({ status: "ok" });
    await store[Symbol.asyncDispose]();
  });

  it("refuses for as long as the file cannot be opened again", async () => {
    const disk = failingDisk();
    const store = await openInlineStore(options({ open: disk.open }));
    disk.trouble.commitsLost = 1;
    disk.trouble.opensRefused = 2;
    for (let i = 0; i < 3; i++) await expect(accept(store, "a")).rejects.toMatchObject(writeFailed);
    expect(await accept(store, "a")).toEqual({ kind: "accepted" });
    await store[Symbol.asyncDispose]();
  });

  it("knows what was kept though its flush was reported as failed", async () => {
    const disk = failingDisk();
    const store = await openInlineStore(options({ open: disk.open }));
    disk.trouble.commitsDoubted = 1;
    await expect(accept(store, "a")).rejects.toMatchObject(writeFailed);
    expect(await accept(store, "a")).toEqual({ kind: "duplicate" });
    expect(await drain(store)).toEqual(["a"]);
    await store[Symbol.asyncDispose]();
  });

  it("takes no lease away, and gives none twice", async () => {
    const disk = failingDisk();
    const store = await openInlineStore(options({ open: disk.open }));
    await accept(store, "a");
    await accept(store, "b");
    const job = await claim(store);
    if (job === undefined) throw new Error("Expected a job");
    const done = () => store.queue.settle(job, { kind: "done", outcome: "answered", turns: [] });
    disk.trouble.commitsLost = 1;
    await expect(done()).rejects.toMatchObject(writeFailed);
    expect(await claim(store)).toBeUndefined();
    expect(await done()).toBe(true);
    expect(await drain(store)).toEqual(["b"]);
    await store[Symbol.asyncDispose]();
  });

  it("does not count a claim that was never given out", async () => {
    const disk = failingDisk();
    const store = await openInlineStore(options({ open: disk.open }));
    await accept(store, "a");
    disk.trouble.commitsLost = 1;
    await expect(claim(store)).rejects.toMatchObject(writeFailed);
    expect(await claim(store)).toMatchObject({ attempt: 1 });
    await store[Symbol.asyncDispose]();
  });

  it("gives back the allowance of what it refused", async () => {
    const disk = failingDisk();
    const store = await openInlineStore(options({ open: disk.open }));
    const limits = [{ scope: "user", key: "U1", messages: 1, perMs: 60_000 }] as const;
    const say = () => store.inbox.accept(anOffer(anEvent({ id: "a" }), { limits }));
    disk.trouble.commitsLost = 1;
    await expect(say()).rejects.toMatchObject(writeFailed);
    expect(await say()).toEqual({ kind: "accepted" });
    await store[Symbol.asyncDispose]();
  });
});

describe("an operation that cannot be carried out", () => {
  it("fails alone, wherever it stands in its batch", async () => {
    const store = await openInlineStore(options());
    const impossible = store.inbox.accept(anOffer(anEvent({ id: "b" }), { dedupMs: Number.NaN }));
    const results = await Promise.allSettled([accept(store, "a"), impossible, accept(store, "c")]);
    expect(results).toMatchObject([
      { status: "fulfilled", value: { kind: "accepted" } },
      { status: "rejected", reason: writeFailed },
      { status: "fulfilled", value: { kind: "accepted" } },
    ]);
    expect(await store.journal.find("b")).toBeNull();
    expect(await drain(store)).toEqual(["a", "c"]);
    await store[Symbol.asyncDispose]();
  });
});

describe("a crash", () => {
  it("loses what was not committed, without an answer", async () => {
    const store = await openInlineStore(options());
    await accept(store, "a");
    let answers = 0;
    const count = () => {
      answers++;
    };
    accept(store, "b").then(count, count);
    store.crash();
    accept(store, "c").then(count, count);
    const next = await openInlineStore(options());
    await nextTurn();
    expect(answers).toBe(0);
    expect(await drain(next)).toEqual(["a"]);
    await next[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  });

  it("between the commit and its answer leaves an event that its sender offers again", async () => {
    const store = await openInlineStore(options({ onCommit: () => store.crash() }));
    let answers = 0;
    accept(store, "a").then(
      () => answers++,
      () => answers++,
    );
    await nextTurn();
    const next = await openInlineStore(options());
    expect(answers).toBe(0);
    expect(await accept(next, "a")).toEqual({ kind: "duplicate" });
    expect(await drain(next)).toEqual(["a"]);
    await next[Symbol.asyncDispose]();
  });

  it("uses up the attempt of what was running", async () => {
    for (const attempt of [1, 2, 3]) {
      const store = await openInlineStore(options());
      await accept(store, "a");
      expect(await claim(store)).toMatchObject({ attempt });
      store.crash();
    }
  });
});

describe("the thread", () => {
  const openSlow = () =>
    openSqliteStore({ ...options(), thread: new URL("./slow-thread.ts", import.meta.url) });

  it("keeps a slow disk from the rest of the process", async () => {
    const store = await openSlow();
    let isPending = true;
    const accepted = accept(store, "a").finally(() => {
      isPending = false;
    });
    let turns = 0;
    for (; isPending; turns++) await nextTurn();
    expect(await accepted).toEqual({ kind: "accepted" });
    // A flush on this thread would have stopped the loop: it would have turned a few times at most.
    expect(turns).toBeGreaterThan(100);
    await store[Symbol.asyncDispose]();
  });

  it("shares one slow flush among all who came meanwhile", async () => {
    const store = await openSlow();
    const first = accept(store, "a");
    await nextTurn();
    await nextTurn();
    const startMs = performance.now();
    await Promise.all([first, ...Array.from({ length: 100 }, (_, i) => accept(store, `b${i}`))]);
    // Two flushes of half a second for 101 events; one each would take fifty seconds.
    expect(performance.now() - startMs).toBeLessThan(10_000);
    await store[Symbol.asyncDispose]();
  });

  it("that dies fails all who wait, at once all who come later, and loses nothing", async () => {
    const lines: string[] = [];
    const store = await openSqliteStore({
      ...options(),
      log: (line) => lines.push(line),
      thread: new URL("./dying-thread.ts", import.meta.url),
    });
    expect(await accept(store, "a")).toEqual({ kind: "accepted" });
    expect(await claim(store)).toMatchObject({ event: { id: "a" } });
    const results = await Promise.allSettled([
      accept(store, "b"),
      accept(store, "c"),
      store.queue.ready(new AbortController().signal),
    ]);
    for (const result of results) expect(result).toMatchObject({ status: "rejected", reason: writeFailed });
    await expect(accept(store, "d")).rejects.toMatchObject(writeFailed);
    await expect(store.queue.ready(new AbortController().signal)).rejects.toMatchObject(writeFailed);
    expect(lines.join()).toContain("exit code 7");
    await store[Symbol.asyncDispose]();
    const next = await openSqliteStore(options());
    expect(await drain(next)).toEqual(["a"]);
    await next[Symbol.asyncDispose]();
  });
});
