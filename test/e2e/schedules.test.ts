import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

async function turns({ url }: GatewayProcess): Promise<{ id: string; state: string }[]> {
  const response = await fetch(`${url}/api/v1/events?platform=test`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  return ((await response.json()) as { events: { id: string; state: string }[] }).events;
}

it("a turn whose sender is killed as it is due is run once, by whoever is left, who sees to the next", async () => {
  const config =
    `${NO_LIMITS}  store: { redis: { prefix: p${randomUUID().slice(0, 8)} } }\n` +
    '  schedules: [{ name: tick, cron: "* * * * *", agent: assistant, to: { platform: test, tenant: T1, channel: C1 }, text: hello }]\n';
  const env = { REDIS_URL: redis.url, PARLEY_ADMIN_TOKEN: TOKEN };
  const start = () => startGateway({ dataDir: temporaryFolder(), config: configFolder(config), env });
  await using one = await start();
  await one.logged('"name":"housekeeping"');
  await using two = await start();
  const due = await one.logged(/"due":"([^"]+)","outcome":"fired"/);
  await one.end("SIGKILL");
  const first = `test:schedule:tick:${Date.parse(due)}`;
  const next = `test:schedule:tick:${Date.parse(due) + 60_000}`;
  await eventually(async () => expect((await turns(two)).map(({ id }) => id)).toContain(next), 90_000);
  await eventually(async () => {
    const found = await turns(two);
    expect(found.filter(({ id }) => id === first)).toMatchObject([{ state: "done" }]);
    expect(found.filter(({ id }) => id === next)).toMatchObject([{ state: "done" }]);
  }, 60_000);
  expect(
    two
      .logLines()
      .filter(({ msg }) => msg === "schedule.due")
      .map((line) => line.due),
  ).not.toContain(due);
}, 240_000);
