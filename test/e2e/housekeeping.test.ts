import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { ask } from "./ask.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import { scrape } from "./scrape.ts";

/** As in src/app/housekeeping.ts: how long a process that was killed is believed in, and how soon the others ask again. */
const HOLD_MS = 10_000;
const ASKED_AGAIN_MS = HOLD_MS / 3;

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

function replica(): Promise<GatewayProcess> {
  return startGateway({
    dataDir: temporaryFolder(),
    // One run each, so that both are busy.
    config: configFolder(`${NO_LIMITS}  queue: { concurrency: 1 }\n`),
    env: { REDIS_URL: redis.url },
  });
}

const isHolder = async ({ url }: GatewayProcess) =>
  (await scrape(url)).value("parley_housekeeping_holder") === 1;

async function housekeepingOf({ url }: GatewayProcess): Promise<unknown> {
  const { components } = (await (await fetch(`${url}/ready`)).json()) as {
    components: Record<string, { details: string }>;
  };
  return components.housekeeping?.details;
}

/** How long it takes until this one is the holder. */
async function elected(gateway: GatewayProcess, withinMs: number): Promise<number> {
  const startedAt = performance.now();
  await eventually(async () => expect(await isHolder(gateway)).toBe(true), withinMs);
  return performance.now() - startedAt;
}

describe("the housekeeping of two replicas", () => {
  it("is one's alone; killed, it is taken over when its time is over; told to end, at once", async () => {
    await using first = await replica();
    await elected(first, 10_000);
    await using second = await replica();
    await using third = await replica();
    expect(await isHolder(second)).toBe(false);
    expect(await housekeepingOf(first)).toContain("this process sweeps");
    expect(await housekeepingOf(second)).toContain("another process sweeps");

    // Not a word of it to anybody.
    await first.end("SIGKILL");
    const both = [second, third];
    const killedAt = performance.now();
    await eventually(
      async () => expect((await Promise.all(both.map(isHolder))).filter(Boolean)).toHaveLength(1),
      HOLD_MS + ASKED_AGAIN_MS + 5_000,
    );
    expect(performance.now() - killedAt).toBeLessThan(HOLD_MS + ASKED_AGAIN_MS + 1_000);

    const [holder, standby] = (await isHolder(second)) ? [second, third] : [third, second];
    // What runs takes its time to drain; the housekeeping does not wait for it.
    const long = ["one", "two"].map((conversation) =>
      ask(standby.url, { message: "long\ndemo: sleep 6s", conversation, wait: 20 }),
    );
    await eventually(
      async () => expect((await scrape(holder.url)).value("parley_runs_active")).toBe(1),
      10_000,
    );
    const ending = holder.end("SIGTERM");
    expect(await elected(standby, 5_000)).toBeLessThan(2_000);
    expect(holder.stdout()).not.toContain("gateway.stopped");
    for (const asked of long) expect((await asked).reply).toBe("You said: long");
    expect(await ending).toBe(0);
    expect(await standby.end("SIGTERM")).toBe(0);
  }, 60_000);
});
