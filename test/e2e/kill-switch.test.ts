import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startRedis } from "../support/redis.ts";
import { type GatewayProcess, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";
import { scrape } from "./scrape.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";
const ENV = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_RUN: "compiled" };

async function parley(gateway: GatewayProcess, ...args: readonly string[]): Promise<string> {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...ENV, PARLEY_URL: gateway.url };
  const script = join(ROOT, "bin/parley.js");
  return (await promisify(execFile)(process.execPath, [script, ...args], { cwd: temporaryFolder(), env }))
    .stdout;
}

const isPaused = async ({ url }: GatewayProcess) => (await scrape(url)).value("parley_paused") === 1;

it("a kill switch is thrown on one replica, holds on the other within two seconds, and over restarts", async () => {
  await using redis = await startRedis();
  const start = () => startGateway({ dataDir: temporaryFolder(), env: { ...ENV, REDIS_URL: redis.url } });
  await using one = await start();
  await using other = await start();
  await parley(one, "kill-switch", "on", "--reason", "a drill");
  const thrownAtMs = Date.now();
  await eventually(async () => expect(await isPaused(other)).toBe(true), 10_000);
  const { components } = (await (await fetch(`${other.url}/ready`)).json()) as {
    components: Record<string, { code?: string; since?: string }>;
  };
  expect(components.kill_switch?.code).toBe("PAUSED");
  expect(Math.abs(Date.parse(components.kill_switch?.since ?? "") - thrownAtMs)).toBeLessThan(30_000);

  await using third = await start();
  expect(await isPaused(third)).toBe(true);
  expect(await parley(third, "kill-switch", "status")).toMatch(
    /^on: everything is paused\n.* \(a drill\)\n$/,
  );
  await parley(third, "kill-switch", "off");
  for (const gateway of [one, other, third])
    await eventually(async () => expect(await isPaused(gateway)).toBe(false), 10_000);
  for (const gateway of [one, other, third]) expect(await gateway.end("SIGTERM")).toBe(0);
});

it("limits and the level of the log are set on one replica, hold on the other, and over restarts", async () => {
  await using redis = await startRedis();
  const start = () => startGateway({ dataDir: temporaryFolder(), env: { ...ENV, REDIS_URL: redis.url } });
  await using one = await start();
  await using other = await start();
  await parley(one, "limits", "set", "user", "1/3600");
  await parley(one, "log-level", "debug");
  await eventually(async () => expect(await parley(other, "log-level")).toMatch(/^debug, set at /), 10_000);
  await using third = await start();
  const { replicas } = JSON.parse(await parley(third, "replicas", "--json")) as {
    replicas: { pid: number; configuration: string }[];
  };
  expect(new Set(replicas.map(({ pid }) => pid))).toEqual(new Set([one.pid, other.pid, third.pid]));
  expect(new Set(replicas.map(({ configuration }) => configuration)).size).toBe(1);
  expect(await parley(third, "limits", "show")).toMatch(/^user: 1 in 3600 s, set at /);
  expect(await parley(third, "log-level")).toMatch(/^debug, set at /);
  await parley(third, "log-level", "configured");
  await eventually(async () => expect(await parley(one, "log-level")).toBe("info, as configured\n"), 10_000);
});

it("with SQLite it holds over a restart, too, and a message is told so", async () => {
  const dataDir = temporaryFolder();
  const env = { ...ENV, PARLEY_DATA_DIR: dataDir };
  {
    await using gateway = await startGateway({ dataDir, env });
    await parley(gateway, "kill-switch", "on", "--agent", "assistant");
    expect(await gateway.end("SIGKILL")).not.toBe(0);
  }
  await using gateway = await startGateway({ dataDir, env });
  expect(await parley(gateway, "kill-switch", "status")).toMatch(/^off\nagent assistant: paused since /);
  expect((await scrape(gateway.url)).value('parley_paused_part{kind="agent",name="assistant"}')).toBe(1);
});
