import { afterAll, beforeAll, expect, it } from "vitest";
import { FakeClock } from "../../support/clock.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { seeded } from "../../support/seeded.ts";
import { DONE, openBench } from "./bench.ts";

/** More with `PARLEY_SEEDS=1000`. */
const SEEDS = Number(process.env.PARLEY_SEEDS ?? 10);
const STEPS = 120;
const KEPT_MS_MAX = 60_000;

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ fsync: "no" });
});
afterAll(() => redis[Symbol.asyncDispose]());

interface Waiting {
  readonly id: string;
  readonly cameMs: number;
  readonly arrival: number;
}

it.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
  "what a spool kept has its place by when it came, behind what has begun (seed %i)",
  async (seed) => {
    const pick = seeded(seed);
    const clock = new FakeClock();
    const bench = await openBench(redis, { clock });
    const { queue } = bench.store;
    let waiting: Waiting[] = [];
    /** Tried and to be tried again: nothing comes before it. */
    let begun: Waiting | null = null;
    let arrivals = 0;

    for (let step = 0; step < STEPS; step++) {
      clock.advance(pick(1_000));
      if (pick(3) > 0) await offer();
      else await work(pick(3));
    }
    while (begun !== null || waiting.length > 0) await work(0);
    expect(await bench.claim()).toEqual([]);

    async function offer(): Promise<void> {
      const arrival = arrivals++;
      const isSpooled = pick(2) === 0;
      const cameMs = clock.nowMs() - (isSpooled ? pick(KEPT_MS_MAX) : 0);
      const id = `e${arrival}`;
      expect(await bench.accept({ id }, isSpooled ? { spooledAtMs: cameMs } : {})).toEqual({
        kind: "accepted",
      });
      waiting.push({ id, cameMs, arrival });
    }

    async function work(how: number): Promise<void> {
      const [job] = await bench.claim(1);
      waiting.sort((a, b) => a.cameMs - b.cameMs || a.arrival - b.arrival);
      const expected: Waiting | undefined = begun ?? waiting[0];
      expect(job?.event.id).toBe(expected?.id);
      if (job === undefined || expected === undefined) return;
      waiting = waiting.filter((other) => other !== expected);
      begun = null;
      if (how === 0) {
        await queue.settle(job, DONE);
      } else if (how === 1) {
        await queue.settle(job, { kind: "retry", afterMs: 0, cause: "x" });
        begun = expected;
      } else {
        await queue.settle(job, { kind: "defer", afterMs: 0, cause: "x" });
        // One that was tried before has begun, however often it is put off since.
        if (job.attempt > 1) begun = expected;
        else waiting.push(expected);
      }
    }
  },
);
