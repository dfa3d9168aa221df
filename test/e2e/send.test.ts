import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SAMPLES } from "../../src/cli/samples.ts";
import { PLATFORMS, type Platform } from "../../src/domain/event.ts";
import { call } from "../cli/helpers.ts";
import { fakeTelegram } from "../fakes/telegram.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import { openPlatforms, type Platforms } from "./platforms.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";
const IN_SECRET = "whsec_aW5ib3VuZC1zZWNyZXQtb2YtdGVzdHM=";
const DISCORD_SEED = "5a".repeat(32);

/** What becomes of each kind where the bot answers mentions, commands and direct messages. */
const EXPECTED: Readonly<Record<string, string>> = {
  "slack message": "ignored: not_addressed",
  "slack thread": "ignored: not_addressed",
  "slack url_verification": "handshake",
  "discord ping": "handshake",
  "discord autocomplete": "handshake",
  "whatsapp status": "ignored: status_delivered",
  "whatsapp verify": "handshake",
};

let platforms: Platforms;
let telegram: Awaited<ReturnType<typeof fakeTelegram>>;
let gateway: GatewayProcess;
let env: Record<string, string>;
const dataDir = temporaryFolder();
beforeAll(async () => {
  platforms = await openPlatforms();
  // Another bot than the samples' own.
  telegram = await fakeTelegram({ token: "4242:another-bot", username: "ops_bot" });
  env = {
    ...platforms.env,
    TELEGRAM_BOT_TOKEN: "4242:another-bot",
    TELEGRAM_API_ROOT: telegram.url,
    DISCORD_APPLICATION_ID: "901",
  };
  gateway = await startGateway({
    dataDir,
    config: configFolder(`${NO_LIMITS}  inbound: [{ name: default, secret: "${IN_SECRET}" }]\n`),
    env: { ...env, PARLEY_ADMIN_TOKEN: TOKEN },
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await Promise.all([platforms[Symbol.asyncDispose](), telegram.close()]);
  rmSync(dataDir, { recursive: true, force: true });
});

interface Told {
  readonly outcome: string;
  readonly reason?: string;
  readonly event_id?: string;
  readonly request_id: string;
}

async function send(args: readonly string[], more: Readonly<Record<string, string>>) {
  const all = { ...env, DISCORD_PRIVATE_SEED: DISCORD_SEED, PARLEY_IN_SECRET: IN_SECRET, ...more };
  const { code, stdout, stderr } = await call(["send", ...args, "--json", "--url", gateway.url], {
    env: all,
  });
  expect(stderr).toBe("");
  return { code, ...(JSON.parse(stdout) as Told) };
}

const ALL_KINDS = PLATFORMS.flatMap((platform) =>
  SAMPLES[platform].kinds.map((kind) => [platform, kind] as const),
);

describe("parley send against a gateway", () => {
  it.each(ALL_KINDS)("says what became of it: %s --kind %s", async (platform: Platform, kind) => {
    const told = await send([platform, "--kind", kind], { PARLEY_DATA_DIR: dataDir });
    const asked = await send([platform, "--kind", kind], {
      PARLEY_ADMIN_TOKEN: TOKEN,
      ...(platform === "test" && { PARLEY_DATA_DIR: dataDir }),
    });
    const expected = EXPECTED[`${platform} ${kind}`] ?? "accepted";
    for (const { code, outcome, reason, event_id, request_id } of [told, asked]) {
      expect(reason === undefined ? outcome : `${outcome}: ${reason}`).toBe(expected);
      expect(code).toBe(expected.startsWith("ignored") ? 1 : 0);
      expect(request_id).toMatch(/^req_/);
      if (expected !== "accepted") continue;
      const shown = await call(["events", "show", event_id ?? "", "--url", gateway.url], {
        env: { PARLEY_ADMIN_TOKEN: TOKEN },
      });
      expect(shown.code).toBe(0);
    }
  });

  it("follows the event to its answer", async () => {
    const args = ["telegram", "--kind", "command", "--text", "hello", "--wait", "30"];
    expect(await send(args, { PARLEY_ADMIN_TOKEN: TOKEN })).toMatchObject({
      code: 0,
      status: 200,
      outcome: "accepted",
      state: "done",
      reply: expect.stringContaining("hello"),
    });
  });

  it("tells of a duplicate, and of a refusal", async () => {
    const more = { PARLEY_DATA_DIR: dataDir };
    await send(["slack", "--id", "same"], more);
    expect(await send(["test", "--id", "same"], more)).toMatchObject({ code: 0, outcome: "accepted" });
    expect(await send(["test", "--id", "same"], more)).toMatchObject({ code: 0, outcome: "duplicate" });
    expect(await send(["whatsapp", "--secret", "wrong"], more)).toMatchObject({
      code: 1,
      status: 401,
      outcome: "forged",
      reason: "X-Hub-Signature-256 does not match the app secret",
    });
    expect(await send(["whatsapp", "--channel", "PN2"], more)).toMatchObject({
      code: 1,
      outcome: "ignored",
      reason: "other_phone_number",
    });
    expect(await send(["discord"], { ...more, DISCORD_APPLICATION_ID: "902" })).toMatchObject({
      code: 1,
      outcome: "ignored",
      reason: "other_application",
    });
  });

  it("is told nothing without the key: an answer says no more than the platform wants", async () => {
    for (const key of [undefined, "wrong", ""]) {
      const headers = key === undefined ? {} : { "x-dev-key": key };
      const { headers: told } = await fetch(`${gateway.url}/webhooks/slack`, {
        method: "POST",
        body: "{}",
        headers,
      });
      expect([...told.keys()].filter((name) => name.startsWith("x-parley"))).toEqual([]);
    }
  });

  it("logs the port that it listens on", () => {
    const [started] = gateway.logLines().filter(({ msg }) => msg === "gateway.started");
    expect(started).toMatchObject({ port: Number(new URL(gateway.url).port) });
  });
});
