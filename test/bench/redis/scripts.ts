import { Redis } from "ioredis";
import type { Job } from "../../../src/ports/queue.ts";
import { startRedis } from "../../support/redis.ts";
import { ask, openPast, type Past } from "./past.ts";
import { inFlight } from "./store.ts";

/** What one call of the store asks of Redis, where much waits: while a script runs, nobody else is served. */
export interface ScriptRow {
  readonly name: string;
  readonly scripts: number;
  /** By SLOWLOG: the time in Redis alone, but by the clock. */
  readonly longestMs: number;
  /** Of Redis, for one script. */
  readonly cpuMs: number;
}

const PREFIX = "parley";
const BITE = 1_000;
const RUNNING = 64;
const IN_FLIGHT = 64;
const ROUNDS = 7;
const HOUR_MS = 3_600_000;
/** Enough for all bites of one call. */
const ENTRIES_MAX = 20_000;

export async function benchRedisScripts({ waiting }: { waiting: number }): Promise<ScriptRow[]> {
  await using redis = await startRedis({ fsync: "everysec" });
  const client = new Redis({ port: redis.port });
  const rows: ScriptRow[] = [];
  try {
    await client.config("SET", "slowlog-max-len", ENTRIES_MAX);
    await using past = await openPast(redis.url, PREFIX);
    const { store, clock } = past;
    const measureOnce = async (name: string, call: () => PromiseLike<unknown>) => {
      await client.config("SET", "slowlog-log-slower-than", 0);
      await client.config("RESETSTAT");
      await client.call("SLOWLOG", "RESET");
      const before = await cpuMs(client);
      await call();
      const spentMs = (await cpuMs(client)) - before;
      const scripts = scriptsIn(await client.info("commandstats"));
      const longestMs = longestOf((await client.call("SLOWLOG", "GET", ENTRIES_MAX)) as Entry[]);
      return { name, scripts, longestMs, cpuMs: spentMs / scripts };
    };
    /** The best of some: what else the machine does in that moment counts, too. */
    const measure = async (name: string, call: () => PromiseLike<unknown>) => {
      const found: ScriptRow[] = [];
      for (let round = 0; round < ROUNDS; round++) found.push(await measureOnce(name, call));
      rows.push(found.reduce((best, one) => (one.cpuMs < best.cpuMs ? one : best)));
    };

    await fill(past, waiting);
    await measure("`events list`, 100 of all", () => store.journal.list({ limit: 100 }));
    await measure("`events list --state queued`, of which there are none", () =>
      store.journal.list({ state: "queued", limit: 100 }),
    );
    await measure("`events list --state retrying`, 1,000", () =>
      store.journal.list({ state: "retrying", limit: 1_000 }),
    );
    await measure("figures for the metrics", () => store.journal.stats());
    await measure("claim of 10 while none is due", () => claim(past, 10));
    clock.advance(2 * HOUR_MS);
    await measure("claim of 10 when all are due at once", () => claim(past, 10));
    await past.store.watermarks.publish({ isSpooling: true, lowAtMs: 0 });
    await measure("claim of 10 while a spool holds all of them back", () => claim(past, 10));
    // Longer than a word of a spool is good for, shorter than a lease.
    clock.advance(20_000);
    rows.push(await measureOnce(`claim of ${RUNNING}`, () => claim(past, RUNNING)));
    rows.push(
      await measureOnce("release of all of these, at the end of a process", () =>
        store[Symbol.asyncDispose](),
      ),
    );

    await using later = await openPast(redis.url, PREFIX);
    const finished = await finish(later, waiting / 5);
    later.clock.advance(100 * HOUR_MS);
    const retention = { finishedMs: HOUR_MS, deadMs: HOUR_MS, turnsMs: HOUR_MS };
    const name = `sweep of ${finished.toLocaleString("en")} finished ones`;
    rows.push(await measureOnce(name, () => later.store.sweep(retention)));
    return rows;
  } finally {
    client.disconnect();
  }
}

type Entry = readonly [id: number, atSeconds: number, micros: number, command: readonly string[]];

function longestOf(entries: readonly Entry[]): number {
  const scripts = entries.filter(([, , , [command = ""]]) => /^eval(sha)?$/i.test(command));
  return scripts.reduce((longest, [, , micros]) => Math.max(longest, micros), 0) / 1000;
}

function scriptsIn(stats: string): number {
  const counts = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].map(([, count]) => Number(count));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function cpuMs(client: Redis): Promise<number> {
  const info = await client.info("cpu");
  const read = (name: string) => Number(new RegExp(`${name}:([\\d.]+)`).exec(info)?.[1]);
  return 1000 * (read("used_cpu_user_main_thread") + read("used_cpu_sys_main_thread"));
}

function claim({ store }: Past, jobsMax: number): Promise<readonly Job[]> {
  return store.queue.claim({ jobsMax, leaseMs: 30_000 });
}

/** So many, each in a conversation of its own, that have failed once and wait for an hour. */
async function fill(past: Past, waiting: number): Promise<void> {
  await inFlight(waiting, IN_FLIGHT, (n) => ask(past, String(n), "Is the pump well?"));
  for (let left = waiting; left > 0; ) {
    const jobs = await claim(past, BITE);
    if (jobs.length === 0) throw new Error(`Expected ${left} more to claim, got none`);
    await inFlight(jobs.length, IN_FLIGHT, async (n) => {
      const job = jobs[n];
      if (job !== undefined)
        await past.store.queue.settle(job, { kind: "retry", afterMs: HOUR_MS, cause: "away" });
    });
    left -= jobs.length;
  }
}

/** Gives how many. */
async function finish(past: Past, wanted: number): Promise<number> {
  let finished = 0;
  while (finished < wanted) {
    const jobs = await claim(past, BITE);
    if (jobs.length === 0) past.clock.advance(HOUR_MS);
    await inFlight(jobs.length, IN_FLIGHT, async (n) => {
      const job = jobs[n];
      if (job !== undefined)
        await past.store.queue.settle(job, { kind: "done", outcome: "answered", turns: [] });
    });
    finished += jobs.length;
  }
  return finished;
}
