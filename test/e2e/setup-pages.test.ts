import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { discordSampler } from "../../adapters/discord/sample.ts";
import { slackSampler } from "../../adapters/slack/sample.ts";
import { call } from "../cli/helpers.ts";
import { linesIn } from "../deploy/runbook-pages.ts";
import { fakeDiscord } from "../fakes/discord.ts";
import { fakeSlack, slackSigned } from "../fakes/slack.ts";
import { ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";
import { deliver, discordSignature, openPlatforms, seenOn } from "./platforms.ts";

const page = (platform: string) => readFileSync(join(ROOT, `adapters/${platform}/README.md`), "utf8");
/** Of the table of step `heading`, without those that may be left out. */
const variablesIn = (text: string, heading: string) => {
  const step = text.split(/^## /m).find((part) => part.startsWith(heading)) ?? "";
  return [...step.matchAll(/^\| `([A-Z_]+)` \|(?! may be left out)/gm)].map(([, name]) => name);
};
const parley = (line: string, env: Readonly<Record<string, string>>) =>
  call(
    line
      .replace(/\s+#.*$/, "")
      .split(" ")
      .slice(1),
    { env },
  );

it("Slack's page leads from no app to an answer, step by step", async () => {
  const text = page("slack");
  const address = "https://bot.example.com";
  await using cleanup = new AsyncDisposableStack();
  const slack = cleanup.adopt(await fakeSlack({ token: "xoxb-1", nowMs: Date.now }), (fake) => fake.close());

  // 1. The manifest is what the command prints; Slack takes the scopes and the addresses from it.
  const [print = "", ...more] = linesIn(text, "sh");
  expect([print, more]).toEqual([`parley setup slack --url ${address}`, []]);
  const { stdout } = await parley(print, {});
  const [shown = ""] = /```yaml\n(.*?)```/s.exec(text)?.slice(1) ?? [];
  const manifest = parse(stdout);
  expect(manifest).toEqual(parse(shown));
  const { request_url: url, bot_events: events } = manifest.settings.event_subscriptions;
  const path = new URL(url).pathname;
  slack.scopes = manifest.oauth_config.scopes.bot;

  // 2 and 3. Two secrets, and no more, turn Slack on.
  const names = variablesIn(text, "3.");
  expect(names).toEqual(["SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN"]);
  const secret = "0123456789abcdef0123456789abcdef";
  const env = { SLACK_SIGNING_SECRET: secret, SLACK_BOT_TOKEN: "xoxb-1", SLACK_API_URL: slack.apiUrl };
  const start = (own: Readonly<Record<string, string>>) =>
    startGateway({ dataDir: temporaryFolder(), env: { SLACK_API_URL: slack.apiUrl, ...own } });
  const gateway = cleanup.use(await start(env));
  expect(text).toContain("`parley setup slack --check`");
  expect(await parley("parley setup slack --check", env)).toMatchObject({ code: 0 });

  // 4. The challenge, and why it may not be answered.
  const challenge = JSON.stringify({ type: "url_verification", challenge: "a-challenge" });
  const ask = (by: string, at: string = gateway.url) =>
    deliver(at, { method: "POST", path, ...slackSigned(challenge, { secret: by, nowMs: Date.now() }) });
  expect(await ask(secret)).toMatchObject({ status: 200, text: expect.stringContaining("a-challenge") });
  expect(await ask("of-another-app")).toMatchObject({ status: 401 });
  const half = cleanup.use(await start({ SLACK_BOT_TOKEN: "xoxb-1" }));
  expect(await ask(secret, half.url)).toMatchObject({ status: 404 });
  expect(half.stderr()).toMatch(/slack +off +incomplete: set SLACK_SIGNING_SECRET/);

  // 5. In a channel, in private, and by the command of the manifest.
  expect(manifest.features.slash_commands.map(({ command }: { command: string }) => command)).toEqual([
    "/parley",
  ]);
  expect(events).toEqual(expect.arrayContaining(["app_mention", "message.im"]));
  const say = async (kind: string, channel: string) => {
    const given = { kind, id: kind, text: "hello", channel, secret, nowMs: Date.now() };
    const request = slackSampler.build(given);
    expect(await deliver(gateway.url, { ...request, path })).toMatchObject({ status: 200 });
  };
  await say("mention", "C1");
  await say("dm", "D1");
  await say("slash", "C2");
  for (const via of ["C1", "D1"])
    await seenOn(slack, () =>
      slack.messages.find((one) => one.channel === via && one.text.startsWith("You said: hello")),
    );
  await seenOn(slack, () => slack.messages.find((one) => one.via === "response_url"));
});

it("Discord's page leads from no application to an answer, step by step", async () => {
  const text = page("discord");
  const [serve = "", ready = "", ...setup] = linesIn(text, "sh");
  await using cleanup = new AsyncDisposableStack();
  const { env: known } = cleanup.use(await openPlatforms());
  const key = known.DISCORD_PUBLIC_KEY ?? "";
  const endpoint = "https://bot.example.com/webhooks/discord";
  expect(text).toContain(`\`${endpoint}\``);
  const MESSAGE_CONTENT = 1 << 19;
  const application = {
    ...{ id: "900", verify_key: key, flags: MESSAGE_CONTENT, interactions_endpoint_url: endpoint },
  };
  const open = fakeDiscord({ botToken: "bot-1", application, channelOf: () => "40" });
  const discord = cleanup.adopt(await open, (fake) => fake.close());
  const env = { DISCORD_API_URL: discord.apiUrl, DISCORD_BOT_TOKEN: "bot-1" };

  // 2. The token alone connects; the second command shows what the page says it does.
  expect(serve).toBe("DISCORD_BOT_TOKEN=… parley serve");
  {
    await using first = await startGateway({ dataDir: temporaryFolder(), env });
    await discord.gateway.until(() => discord.gateway.holders === 1, "the Gateway to be held");
    const [asked = "", promised = ""] = ready.split(/ +# /);
    expect(asked).toBe("curl -s localhost:8080/ready");
    const said = async () => {
      const body = (await (await fetch(`${first.url}/ready`)).json()) as { components: object };
      return JSON.stringify(body.components);
    };
    // The last step of a connection is told to the component by the message that follows it.
    discord.gateway.say({ content: "<@900> hello", channel: "41" });
    await seenOn(discord, () => discord.messages.find(({ channelId }) => channelId === "41"));
    expect(await said()).toContain(promised);
    discord.gateway.say({ content: "hello", channel: "42", guild: null });
    await seenOn(discord, () => discord.messages.find(({ channelId }) => channelId === "42"));
  }

  // 2 and 3. All that the table names, and what Discord tries when the address is saved.
  const names = variablesIn(text, "2.");
  expect(names).toEqual(["DISCORD_BOT_TOKEN", "DISCORD_PUBLIC_KEY", "DISCORD_APPLICATION_ID"]);
  const whole = { ...env, DISCORD_PUBLIC_KEY: key, DISCORD_APPLICATION_ID: "900" };
  const gateway = cleanup.use(await startGateway({ dataDir: temporaryFolder(), env: whole }));
  const path = new URL(endpoint).pathname;
  const post = (body: string, headers: Readonly<Record<string, string>>) =>
    deliver(gateway.url, {
      ...{ method: "POST", path, body },
      headers: { "content-type": "application/json", ...headers },
    });
  const ping = JSON.stringify({ id: "1", application_id: "900", type: 1 });
  const pong = await post(ping, discordSignature(ping));
  expect([pong.status, JSON.parse(pong.text)]).toEqual([200, { type: 1 }]);
  expect(await post(ping, discordSignature("something else"))).toMatchObject({ status: 401 });

  // 4. Each command, in order.
  const command = (line: string) =>
    parley(line.replace("SERVER_ID", "10"), { ...whole, PARLEY_PUBLIC_URL: "https://bot.example.com" });
  expect(setup.map((line) => line.replace(/ +#.*$/, ""))).toEqual([
    "parley setup discord",
    "parley setup discord --apply --dry-run",
    "parley setup discord --apply",
    "parley setup discord --apply --guild SERVER_ID",
  ]);
  const [look = "", dry = "", apply = "", inServer = ""] = setup;
  const printed = await command(look);
  expect(printed).toMatchObject({ code: 0 });
  expect(await command(dry)).toMatchObject({ code: 0 });
  expect(discord.commands.names()).toEqual([]);
  expect(await command(apply)).toMatchObject({ code: 0 });
  expect(discord.commands.names()).toEqual(["ask", "parley"]);
  expect(await command(inServer)).toMatchObject({ code: 0 });
  expect(discord.commands.names("10")).toEqual(["ask", "parley"]);
  expect(await command("parley setup discord --check")).toMatchObject({ code: 0 });

  // 5. The link asks for what the page lists; then the command is answered.
  const link = /_Install it in a server_/.test(text)
    ? /Install it in a server.*?(https:\S+)/s.exec(printed.stderr)
    : null;
  const permissions = BigInt(new URL(link?.[1] ?? "https://none").searchParams.get("permissions") ?? "0");
  const [view, send, inThreads, history, attach] = [10n, 11n, 38n, 16n, 15n].map((bit) => 1n << bit);
  expect(permissions).toBe(
    [view, send, inThreads, history, attach].reduce<bigint>((sum, bit) => sum | (bit ?? 0n), 0n),
  );
  const given = {
    kind: "slash",
    id: "7",
    text: "hello",
    channel: "40",
    secret: "5a".repeat(32),
    nowMs: Date.now(),
  };
  expect(await deliver(gateway.url, discordSampler.build(given))).toMatchObject({ status: 200 });
  const answer = await seenOn(discord, () => discord.messages.find(({ kind }) => kind === "original"));
  expect(answer).toMatchObject({ content: expect.stringMatching(/^You said: hello/) });
});
