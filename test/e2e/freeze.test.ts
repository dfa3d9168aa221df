import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { Dice } from "../simulation/dice.ts";
import { startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";
import { allRecords, judgeReplies } from "./judge.ts";
import { nextQuestion, openConversations, sendUntilTaken, Tally } from "./load.ts";
import { CHAT_PLATFORMS, openPlatforms, type Platforms } from "./platforms.ts";
import { scrapeWhenIdle } from "./scrape.ts";

/** `npm run soak -- freezes` does it more often; with `--seed 7` it repeats a run. */
const FREEZES = Number(process.env.PARLEY_FREEZES ?? 3);
const SEED = Number(process.env.PARLEY_SEED ?? Date.now() % 1_000_000);
const CONVERSATIONS = 48;
const LEASE_MS = 2_000;
const SECONDS_PER_FREEZE = 20;

it("says nothing twice unmarked, though a replica is stopped while it sends, for longer than its lease", {
  timeout: (80 + FREEZES * SECONDS_PER_FREEZE) * 1000,
}, async () => {
  const dice = new Dice(SEED);
  await using platforms = await openPlatforms();
  await using redis = await startRedis();
  await using open = new AsyncDisposableStack();
  const start = async (role: string) =>
    open.use(
      await startGateway({
        command: [process.execPath, join(ROOT, "test/e2e/short-lease.ts"), String(LEASE_MS)],
        dataDir: temporaryFolder(),
        config: configFolder(NO_LIMITS),
        env: { ...platforms.env, REDIS_URL: redis.url, PARLEY_ROLE: role },
      }),
    );
  const ingress = await start("ingress");
  const workers = [await start("worker"), await start("worker")] as const;

  const conversations = openConversations(CONVERSATIONS);
  const sending = {
    door: { url: async () => ingress.url },
    begun: new Tally(),
    acknowledged: new Tally(),
  };
  for (let freeze = 0; freeze < FREEZES; freeze++) {
    const victim = dice.pick(workers);
    const moment = momentToFreeze(platforms, dice);
    const round = Promise.all(conversations.map((speaker) => sendUntilTaken(nextQuestion(speaker), sending)));
    await moment;
    await stoppedFor(victim, LEASE_MS + dice.between(500, 2_500));
    await round;
    for (const worker of workers) await scrapeWhenIdle(worker.url, 60_000);
  }
  for (const gateway of [ingress, ...workers]) expect(await gateway.end("SIGTERM")).toBe(0);

  const result = judgeReplies(allRecords(platforms), conversations);
  const lost = workers.flatMap((worker) =>
    worker.logLines().filter(({ msg, cause }) => msg === "event.failed" && /lease-lost/.test(String(cause))),
  );
  console.info(
    `seed ${SEED}: ${FREEZES} freezes, ${FREEZES * CONVERSATIONS} messages; lost ${result.lost.length}, ` +
      `duplicated ${result.duplicated.length}, marked ${result.marked}, of which are repeats ${result.repeats}; ` +
      `runs that found their lease lost ${lost.length}`,
  );
  expect({ lost: result.lost, duplicated: result.duplicated }).toEqual({ lost: [], duplicated: [] });
});

/** Somewhere in the burst of replies: after so many calls, and a moment that no call marks. */
async function momentToFreeze(platforms: Platforms, dice: Dice): Promise<void> {
  const fake = platforms[dice.pick(CHAT_PLATFORMS)];
  await fake.waitFor(() => true, fake.calls.length + dice.between(1, CONVERSATIONS / 6), 60_000);
  // No wait for an event: the moment itself is left to chance.
  await sleep(dice.between(0, 20));
}

/** Frozen is the process, not its connections: the kernel goes on for it. */
async function stoppedFor({ pid }: GatewayProcess, ms: number): Promise<void> {
  process.kill(pid, "SIGSTOP");
  await sleep(ms);
  process.kill(pid, "SIGCONT");
}
