import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSqliteStore } from "../../src/store/sqlite/index.ts";
import { openInlineStore } from "../../src/store/sqlite/inline.ts";
import { anOffer } from "../contract/store.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import type { CrashPlan } from "./crash-child.ts";
import { aFolder } from "./folder.ts";

/** More with `PARLEY_KILLS=100`. */
const KILLS = Number(process.env.PARLEY_KILLS ?? 6);
const CONVERSATIONS = 20;
const WORKERS = 8;

let folder: ReturnType<typeof aFolder>;
let file: string;
beforeEach(() => {
  folder = aFolder();
  file = join(folder.path, "parley.db");
});
afterEach(() => folder.remove());

const limits = { waitingPerLaneMax: 100_000, waitingMax: 100_000 };
const options = () => ({ file, clock: new FakeClock(), limits });

function start(plan: Partial<CrashPlan>): ChildProcess {
  const whole: CrashPlan = { file, offers: {}, workers: 0, stay: false, ...plan };
  const child = join(import.meta.dirname, "crash-child.ts");
  return spawn(process.execPath, [child, JSON.stringify(whole)], { stdio: ["ignore", "pipe", "inherit"] });
}

/** Runs the child, kills it after so many lines, and gives the lines. */
async function runAndKill(plan: Partial<CrashPlan>, linesMax: number): Promise<string[]> {
  const child = start(plan);
  const exited = once(child, "close");
  const lines: string[] = [];
  if (child.stdout === null) throw new Error("Expected the child's output");
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === linesMax) child.kill("SIGKILL");
  }
  const [code, signal] = (await exited) as [number | null, string | null];
  if (code !== 0 && signal !== "SIGKILL")
    throw new Error(`Expected the child to end or be killed, got code ${code}`);
  return lines;
}

/** Uniform in [0, 1), the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

describe("a process that is killed", () => {
  it("loses nothing that it acknowledged, keeps order, and repeats only what was in hand", {
    timeout: 600_000,
  }, async () => {
    const random = seeded(7);
    const offered = new Map<string, string[]>();
    const acknowledged = new Set<string>();
    const starts: string[] = [];
    const settled = new Set<string>();
    const settledTwice: string[] = [];
    const startedAfterEnd: string[] = [];

    for (let round = 0; round <= KILLS; round++) {
      const isLast = round === KILLS;
      const offers = isLast ? {} : nextOffers(round, offered, acknowledged);
      // Any line may be the last: in the first accepts, amid the work, or when little is left to do.
      const linesMax = isLast ? Number.POSITIVE_INFINITY : 1 + Math.floor(random() * 1_500);
      for (const line of await runAndKill({ offers, workers: WORKERS }, linesMax)) {
        const [kind, id = ""] = line.split(" ");
        if (kind === "A") acknowledged.add(id);
        if (kind === "S") {
          if (settled.has(id)) startedAfterEnd.push(id);
          starts.push(id);
        }
        if (kind === "D") {
          if (settled.has(id)) settledTwice.push(id);
          settled.add(id);
        }
      }
    }

    const lost = await notDone([...acknowledged]);
    expect(lost).toEqual([]);
    expect(settledTwice).toEqual([]);
    expect(startedAfterEnd).toEqual([]);
    expect(outOfOrder(starts)).toEqual([]);
    expect(starts.length - new Set(starts).size).toBeLessThanOrEqual(KILLS * WORKERS);
    expect(acknowledged.size).toBeGreaterThan(KILLS * 5);
  });

  /** What the last process may not have heard of is offered again first, as platforms do; some of it is stored already. */
  function nextOffers(
    round: number,
    offered: Map<string, string[]>,
    acknowledged: ReadonlySet<string>,
  ): Record<string, string[]> {
    const offers: Record<string, string[]> = {};
    for (let c = 0; c < CONVERSATIONS; c++) {
      const conversation = `c${c}`;
      const earlier = offered.get(conversation) ?? [];
      const again = earlier.filter((id) => !acknowledged.has(id));
      const fresh = Array.from(
        { length: Math.max(0, 40 - again.length) },
        (_, i) => `${conversation}:${round * 1_000 + i}`,
      );
      offers[conversation] = [...again, ...fresh];
      offered.set(conversation, [...earlier, ...fresh]);
    }
    return offers;
  }

  async function notDone(ids: readonly string[]): Promise<string[]> {
    const store = await openSqliteStore(options());
    const records = await Promise.all(ids.map((id) => store.journal.find(id)));
    await store[Symbol.asyncDispose]();
    return ids.filter((_, i) => records[i]?.state !== "done");
  }

  /** First starts within a conversation must follow its numbers; so must repeats, as only a head is ever given out. */
  function outOfOrder(starts: readonly string[]): string[] {
    const last = new Map<string, number>();
    return starts.filter((id) => {
      const [conversation = "", number = ""] = id.split(":");
      const isLate = Number(number) < (last.get(conversation) ?? -1);
      last.set(conversation, Number(number));
      return isLate;
    });
  }

  it("leaves the file to the next one at once, and to nobody before", async () => {
    const child = start({ stay: true });
    if (child.stdout === null) throw new Error("Expected the child's output");
    await once(createInterface({ input: child.stdout }), "line");
    await expect(openSqliteStore(options())).rejects.toMatchObject({
      code: "STORE_LOCKED",
      message: expect.stringContaining("another one holds its lock"),
    });
    const closed = once(child, "close");
    child.kill("SIGKILL");
    await closed;
    const store = await openSqliteStore(options());
    await store[Symbol.asyncDispose]();
  });
});

describe("a power cut", () => {
  /**
   * After each acknowledgement the log is flushed as far as it is long, so a cut leaves at least that much. What comes
   * after may be there in part: the log is cut at every flushed length, and at random places up to the next.
   */
  it("loses nothing that was acknowledged, wherever it cuts the log", { timeout: 60_000 }, async () => {
    const random = seeded(11);
    const store = await openInlineStore(options());
    const flushed: { bytes: number; ids: string[] }[] = [];
    const walBytes = () => statSync(`${file}-wal`).size;
    let next = 0;
    for (let batch = 0; batch < 25; batch++) {
      const ids = Array.from({ length: 1 + Math.floor(random() * 12) }, () => `e${next++}`);
      await Promise.all(
        ids.map((id) =>
          store.inbox.accept(anOffer(anEvent({ id, conversation: id, text: "x".repeat(900) }))),
        ),
      );
      flushed.push({ bytes: walBytes(), ids });
    }
    store.crash();

    for (let batch = 0; batch < flushed.length; batch++) {
      const from = flushed[batch]?.bytes ?? 0;
      const to = flushed[batch + 1]?.bytes ?? from;
      const must = flushed.slice(0, batch + 1).flatMap(({ ids }) => ids);
      const may = flushed[batch + 1]?.ids ?? [];
      for (const bytes of [from, from + Math.floor(random() * (to - from)), Math.max(from, to - 1)]) {
        const found = await idsAfterCut(bytes);
        expect(found.slice(0, must.length)).toEqual(must);
        // The next batch is there as a whole or not at all; here it was never whole.
        expect(found.slice(must.length)).toEqual(bytes === to ? may : []);
      }
    }
  });

  it("can tell: a log that is cut short of a flush does lose", async () => {
    const store = await openInlineStore(options());
    await store.inbox.accept(anOffer(anEvent({ id: "a" })));
    const bytes = statSync(`${file}-wal`).size;
    store.crash();
    expect(await idsAfterCut(bytes)).toEqual(["a"]);
    expect(await idsAfterCut(bytes - 1)).toEqual([]);
  });

  /** What a store finds, in order of arrival, when the log ends after so many bytes. */
  async function idsAfterCut(bytes: number): Promise<string[]> {
    const cut = join(folder.path, `cut-${bytes}`);
    mkdirSync(cut, { recursive: true });
    const copy = join(cut, "parley.db");
    copyFileSync(file, copy);
    copyFileSync(`${file}-wal`, `${copy}-wal`);
    truncateSync(`${copy}-wal`, bytes);
    const store = await openInlineStore({ ...options(), file: copy, durability: "process" });
    const records = await store.journal.list({ limit: 1_000 });
    await store[Symbol.asyncDispose]();
    return records.map(({ id }) => id).reverse();
  }
});
