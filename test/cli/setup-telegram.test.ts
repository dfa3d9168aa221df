import { describe, expect, it, onTestFinished } from "vitest";
import { fakeTelegram } from "../fakes/telegram.ts";
import { call, folderWithSpec } from "./helpers.ts";

const TOKEN = "77:AAH-token-never-shown";
const SECRET = "webhook_secret-of-a-test";
const URL = "https://bot.example.com";
const ROUTES = `  routes:
    - { match: { platform: telegram, command: [/deploy, /Not-One] }, agent: assistant }
    - { match: { platform: slack, command: /elsewhere }, agent: assistant }
    - { agent: assistant }`;

async function live() {
  const fake = await fakeTelegram({ token: TOKEN, username: "gw_bot" });
  onTestFinished(() => fake.close());
  const env = {
    TELEGRAM_BOT_TOKEN: TOKEN,
    TELEGRAM_WEBHOOK_SECRET: `${SECRET},the-old-secret-of-it`,
    TELEGRAM_API_ROOT: fake.url,
  };
  const setup = (...args: string[]) =>
    call(["setup", "telegram", ...args], { env, cwd: folderWithSpec(ROUTES) });
  return { fake, env, setup };
}

describe("parley setup telegram", () => {
  it("prints the webhook and the commands, without a secret, and asks nobody when offline", async () => {
    const { setup, fake } = await live();
    const result = await setup("--offline", "--json", "--url", URL);
    expect(result).toMatchObject({ code: 0, stderr: expect.stringContaining("https://t.me/BotFather") });
    expect(JSON.parse(result.stdout)).toMatchObject({
      webhook: { url: `${URL}/webhooks/telegram`, allowed_updates: ["message", "callback_query"] },
      commands: ["start", "help", "status", "stop", "usage", "reset", "deploy"].map((command) => ({
        command,
      })),
    });
    expect(result.stdout + result.stderr).not.toMatch(/secret|never-shown/);
    expect(fake.calls).toEqual([]);
  });

  it("sets both, keeps what others have set, and says what it changed", async () => {
    const { setup, fake } = await live();
    fake.commands.push(
      { command: "theirs", description: "Not ours" },
      { command: "help", description: "Their words" },
    );
    const dry = await setup("--apply", "--dry-run", "--url", URL);
    const added = ["start", "status", "stop", "usage", "reset", "deploy"]
      .map((name) => `+ /${name}\n`)
      .join("");
    expect(dry).toMatchObject({ code: 0, stdout: `+ webhook ${URL}/webhooks/telegram\n${added}` });
    expect(fake.webhook.url).toBe("");

    expect(await setup("--apply", "--url", URL)).toMatchObject({ code: 0, stdout: dry.stdout });
    expect(fake.webhook).toMatchObject({ url: `${URL}/webhooks/telegram`, secretToken: SECRET });
    expect(fake.commands).toContainEqual({ command: "theirs", description: "Not ours" });
    expect(fake.commands).toContainEqual({ command: "help", description: "Their words" });

    // The secret is told again, since nobody can ask which one Telegram has.
    fake.webhook.secretToken = "another";
    const again = await setup("--apply", "--url", URL);
    expect(again).toMatchObject({ code: 0, stdout: "", stderr: expect.stringContaining("as it should be") });
    expect(fake.webhook.secretToken).toBe(SECRET);

    expect(await setup("--apply", "--prune", "--url", URL)).toMatchObject({ stdout: "- /theirs\n" });
    expect(fake.commands.map(({ command }) => command)).not.toContain("theirs");
  });

  it("looks without changing anything", async () => {
    const { setup, fake } = await live();
    const bare = await setup("--check");
    expect(bare.code).toBe(0);
    expect(bare.stdout).toContain("no webhook is set");
    expect(bare.stdout).toContain("/start, /help, /status, /stop, /usage, /reset, /deploy");
    await setup("--apply", "--url", URL);
    const well = await setup("--check", "--url", URL);
    expect(well.stdout.match(/^ok /gm)).toHaveLength(1);
    expect(well.stdout).not.toContain("warn");
    expect(fake.webhook.url).toBe(`${URL}/webhooks/telegram`);
  });

  it("says what is missing, and what Telegram refuses", async () => {
    const { env, setup } = await live();
    const without = { TELEGRAM_API_ROOT: env.TELEGRAM_API_ROOT };
    const words = async (args: string[], variables: Record<string, string>) =>
      await call(["setup", "telegram", ...args], { env: variables, cwd: folderWithSpec("") });
    expect(await words(["--check"], without)).toMatchObject({ code: 78 });
    expect(await words(["--apply", "--url", URL], without)).toMatchObject({
      code: 78,
      stderr: expect.stringContaining("Expected TELEGRAM_BOT_TOKEN"),
    });
    expect(await setup("--apply")).toMatchObject({
      code: 78,
      stderr: expect.stringContaining("Expected --url or PARLEY_PUBLIC_URL"),
    });
    const plain = await setup("--apply", "--url", "http://bot.example.com");
    expect(plain).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("An HTTPS URL must be provided"),
    });
    const stranger = await words(["--apply", "--url", URL], { ...env, TELEGRAM_BOT_TOKEN: "78:another" });
    expect(stranger.code).toBe(1);
    expect(plain.stderr + stranger.stderr).not.toMatch(/never-shown|78:another|webhook_secret/);
  });
});
