import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { MODULES } from "../../adapters/index.ts";
import { newValue, retire, rotate } from "../../src/cli/secret-rotation.ts";
import type { SampleRequest } from "../../src/ports/sampler.ts";
import { run } from "../cli/helpers.ts";
import { eventually } from "../support/eventually.ts";
import { startRedis } from "../support/redis.ts";
import { ask } from "./ask.ts";
import { configFolder } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import { deliver, openPlatforms, SECRETS, webhook } from "./platforms.ts";

/** Puts each into a file of its own. */
function inFiles(secrets: Readonly<Record<string, string>>): Record<string, string> {
  const folder = join(temporaryFolder(), "secrets");
  mkdirSync(folder, { mode: 0o700 });
  return Object.fromEntries(
    Object.entries(secrets).map(([name, value]) => {
      const path = join(folder, name);
      writeFileSync(path, value, { mode: 0o600 });
      return [`${name}_FILE`, path];
    }),
  );
}

/** Resolves when the gateway has said that each of these is another one, and forgets that it has. */
function renewals(gateway: GatewayProcess) {
  let seen = 0;
  return async (...names: readonly string[]) => {
    const missing = new Set(names);
    await eventually(async () => {
      const lines = gateway.logLines().filter(({ msg }) => msg === "secrets.renewed");
      for (const { secrets } of lines.slice(seen))
        for (const name of secrets as string[]) missing.delete(name);
      seen = lines.length;
      expect([...missing]).toEqual([]);
    }, 30_000);
  };
}

const OWN = {
  PARLEY_ADMIN_TOKEN: "the-first-admin-token-0123456789abcdef",
  PARLEY_METRICS_TOKEN: "the-first-metrics-token-0123456789abcd",
  PARLEY_DEV_KEY: "the-first-dev-key-0123",
};
type Guard = keyof typeof GUARDS;

/** Whether this value opens what the secret guards. */
const GUARDS = {
  PARLEY_ADMIN_TOKEN: async (url: string, value: string) =>
    await statusOf(`${url}/api/v1/kill-switch`, { authorization: `Bearer ${value}` }),
  PARLEY_METRICS_TOKEN: async (url: string, value: string) =>
    await statusOf(`${url}/metrics`, { authorization: `Bearer ${value}` }),
  PARLEY_DEV_KEY: async (url: string, value: string) => {
    const headers = { "content-type": "application/json", "x-dev-key": value };
    const body = JSON.stringify({ message: "hello", conversation: "dev" });
    return (await fetch(`${url}/webhooks/test`, { method: "POST", headers, body })).status;
  },
  SLACK_SIGNING_SECRET: async (url: string, value: string) => await signed(url, "slack", value),
  TELEGRAM_WEBHOOK_SECRET: async (url: string, value: string) => await signed(url, "telegram", value),
  WHATSAPP_APP_SECRET: async (url: string, value: string) => await signed(url, "whatsapp", value),
  WHATSAPP_VERIFY_TOKEN: async (url: string, value: string) =>
    await statusOf(
      `${url}/webhooks/whatsapp?hub.mode=subscribe&hub.challenge=1&hub.verify_token=${encodeURIComponent(value)}`,
      {},
    ),
};

async function statusOf(url: string, headers: Record<string, string>): Promise<number> {
  return (await fetch(url, { headers })).status;
}

async function signed(
  url: string,
  platform: "slack" | "telegram" | "whatsapp",
  secret: string,
): Promise<number> {
  const request: SampleRequest = webhook(platform, { text: "hello", secret });
  return (await deliver(url, request)).status;
}

it("every secret is another one without a restart: two are live until the old one is retired, and no message is refused", async () => {
  await using platforms = await openPlatforms();
  const secrets = { ...SECRETS, ...OWN };
  const files = inFiles(secrets);
  const env = {
    ...Object.fromEntries(Object.entries(platforms.env).filter(([name]) => !(name in secrets))),
    ...files,
  };
  await using gateway = await startGateway({ dataDir: temporaryFolder(), config: configFolder(), env });
  const { url } = gateway;
  const renewed = renewals(gateway);
  const place = { env, cwd: "/", modules: MODULES };

  const names = Object.keys(GUARDS) as Guard[];
  const pairs = names.filter((name) => name !== "WHATSAPP_VERIFY_TOKEN");
  const next = Object.fromEntries(names.map((name) => [name, newValue("PARLEY_DEV_KEY", MODULES)])) as Record<
    Guard,
    string
  >;
  for (const name of names) {
    expect([name, await GUARDS[name](url, secrets[name])]).toEqual([name, 200]);
    rotate(name, next[name], place);
  }
  // Nobody tells the gateway: it looks by itself.
  await renewed(...names);
  for (const name of pairs) {
    expect([name, await GUARDS[name](url, secrets[name]), await GUARDS[name](url, next[name])]).toEqual([
      name,
      200,
      200,
    ]);
    retire(name, place);
  }
  await renewed(...pairs);
  for (const name of names)
    expect([
      name,
      await GUARDS[name](url, next[name]),
      (await GUARDS[name](url, secrets[name])) >= 401,
    ]).toEqual([name, 200, true]);

  // What we show to others is shown from the next call on.
  const shown = {
    SLACK_BOT_TOKEN: { fake: platforms.slack, platform: "slack", secret: next.SLACK_SIGNING_SECRET },
    TELEGRAM_BOT_TOKEN: {
      fake: platforms.telegram,
      platform: "telegram",
      secret: next.TELEGRAM_WEBHOOK_SECRET,
    },
    WHATSAPP_ACCESS_TOKEN: {
      fake: platforms.whatsapp,
      platform: "whatsapp",
      secret: next.WHATSAPP_APP_SECRET,
    },
  } as const;
  const tokens = {
    SLACK_BOT_TOKEN: "xoxb-the-next-one",
    TELEGRAM_BOT_TOKEN: "77:the-next-one",
    WHATSAPP_ACCESS_TOKEN: "EAA-the-next-one",
  };
  for (const [name, token] of Object.entries(tokens)) rotate(name, token, place);
  process.kill(gateway.pid, "SIGHUP");
  await renewed(...Object.keys(tokens));
  for (const [name, { fake, platform, secret }] of Object.entries(shown)) {
    const token = tokens[name as keyof typeof tokens];
    expect(await signed(url, platform, secret)).toBe(200);
    await fake.until(() =>
      fake.calls.some(({ path, headers }) => `${path} ${headers.authorization}`.includes(token)),
    );
  }

  const checked = await run(["secrets", "check", "--json"], { env });
  expect([checked.code, checked.stderr]).toEqual([0, ""]);
  for (const text of [gateway.stdout(), gateway.stderr(), checked.stdout])
    for (const value of [...Object.values(secrets), ...Object.values(next), ...Object.values(tokens)])
      expect(text).not.toContain(value);
  expect(await gateway.end("SIGTERM")).toBe(0);
}, 120_000);

it("the password of Redis is another one without a restart, also for connections that are made anew", async () => {
  await using redis = await startRedis();
  const user = async (...rules: string[]) => await redis.cli("ACL", "SETUSER", "parley", ...rules);
  await user("on", ">the-old-password", "~*", "&*", "+@all");
  const address = (password: string) => `redis://parley:${password}@127.0.0.1:${redis.port}`;
  const env = inFiles({ REDIS_URL: address("the-old-password") });
  await using gateway = await startGateway({ dataDir: temporaryFolder(), config: configFolder(), env });
  const say = async (message: string) =>
    (await ask(gateway.url, { message, conversation: "c", wait: 20 })).reply;
  expect(await say("before")).toBe("You said: before");

  await user(">the-new-password");
  rotate("REDIS_URL", address("the-new-password"), { env, cwd: "/", modules: MODULES });
  await renewals(gateway)("REDIS_URL");
  await user("<the-old-password");
  expect(Number(await redis.cli("CLIENT", "KILL", "USER", "parley"))).toBeGreaterThan(0);
  await eventually(async () => expect(await say("after")).toBe("You said: after"), 30_000);
  expect(gateway.stdout()).not.toMatch(/the-(?:old|new)-password/);
  expect(await gateway.end("SIGTERM")).toBe(0);
}, 60_000);
