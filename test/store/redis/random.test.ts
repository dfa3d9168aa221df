import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FakeClock } from "../../support/clock.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { seeded } from "../../support/seeded.ts";
import type { Command } from "../../support/tcp-proxy.ts";
import { walk } from "../random-walk.ts";
import { calls, openBench, type RedisBench } from "./bench.ts";
import { newPrefix } from "./setup.ts";

/** More with `PARLEY_SEEDS=1000`. */
const SEEDS = Number(process.env.PARLEY_SEEDS ?? 4);
const STEPS = 250;
const PROCESSES = 2;

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ fsync: "no" });
});
afterAll(() => redis[Symbol.asyncDispose]());

/** Any but the one that a process asks by itself when it is connected. */
function isWork(command: Command): boolean {
  return /^eval/i.test(command[0] ?? "") && !calls("status")(command);
}

describe("any sequence of operations of two processes, crashes, lost commands, lost answers and lost scripts", () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
    "does what a plain list does (seed %i)",
    async (seed) => {
      const clock = new FakeClock();
      const pick = seeded(seed);
      const prefix = newPrefix();
      const open = (process: number) => openBench(redis, { clock, prefix, owner: `process ${process}` });
      const benches: RedisBench[] = [];
      for (let process = 0; process < PROCESSES; process++) benches.push(await open(process));
      const bench = (process: number): RedisBench => {
        const found = benches[process];
        if (found === undefined) throw new Error(`Expected a process below ${PROCESSES}, got ${process}`);
        return found;
      };

      await walk(
        {
          clock,
          excuses: false,
          processes: PROCESSES,
          async attempt(process, _, call) {
            const current = bench(process);
            const { proxy, store } = current;
            const trouble = pick(40);
            if (trouble === 0) void proxy.loseAnswer(isWork);
            if (trouble === 1) void proxy.loseCommand(isWork);
            if (trouble === 2) await redis.cli("SCRIPT", "FLUSH");
            for (let again = false; ; again = true) {
              const whenBack = current.back();
              try {
                return { answer: await call(store), again };
              } catch (error) {
                expect(error).toMatchObject({ code: "STORE_UNAVAILABLE" });
                await whenBack;
              } finally {
                proxy.disarm();
              }
            }
          },
          async restart(process, how) {
            const { link, store } = bench(process);
            if (how === "killed") await link.close();
            else await store[Symbol.asyncDispose]();
            benches[process] = await open(process);
          },
        },
        pick,
        STEPS,
      );
    },
    30_000,
  );
});
