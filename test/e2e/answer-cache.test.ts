import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { call } from "../cli/helpers.ts";
import { eventually } from "../support/eventually.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { ask } from "./ask.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { startGateway, temporaryFolder } from "./gateway-process.ts";
import { scrape } from "./scrape.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";
const AGENT = `kind: Agent
metadata: { name: assistant }
spec:
  model: { provider: demo, model: demo }
  memory: { max_messages: 0 }
  cache: { ttl_seconds: 600 }
`;
const MESSAGE = "qzxa the gate\ndemo: cost 9";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

it.each(["SQLite", "Redis"])(
  "an agent with a cache answers the same in one conversation once, also after a restart, on %s",
  async (store) => {
    const prefix = `  store: { redis: { prefix: p${randomUUID().slice(0, 8)} } }\n`;
    const options = {
      dataDir: temporaryFolder(),
      config: configFolder(store === "Redis" ? NO_LIMITS + prefix : NO_LIMITS, AGENT),
      env: { PARLEY_ADMIN_TOKEN: TOKEN, ...(store === "Redis" && { REDIS_URL: redis.url }) },
    };
    let url = "";
    const say = async (id: string, conversation: string) => {
      expect((await ask(url, { message: MESSAGE, id, conversation, wait: 20 })).reply).toContain("qzxa");
      const headers = { authorization: `Bearer ${TOKEN}` };
      const shown = await fetch(`${url}/api/v1/events/${encodeURIComponent(`test:${id}`)}`, { headers });
      const { progress } = (await shown.json()) as {
        progress: { answer: { from_cache?: true; usage: { cost_cents: number } } };
      };
      return [progress.answer.from_cache ?? false, progress.answer.usage.cost_cents];
    };
    await using first = await startGateway(options);
    ({ url } = first);
    expect(await say("1", "one")).toEqual([false, 9]);
    expect(await say("2", "two")).toEqual([false, 9]);
    await eventually(async () => expect(await say(randomUUID(), "one")).toEqual([true, 0]), 20_000);
    const metrics = await scrape(url);
    expect(metrics.value('parley_answer_cache_total{agent="assistant",outcome="hit"}')).toBeGreaterThan(0);
    await first.end("SIGKILL");

    await using next = await startGateway(options);
    ({ url } = next);
    expect(await say("3", "one")).toEqual([true, 0]);
    const env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: url };
    const erased = await call(["conversations", "erase", "--user", "test:test:developer", "--yes"], { env });
    expect(erased.code).toBe(0);
    expect(await say("4", "one")).toEqual([false, 9]);
  },
  120_000,
);
