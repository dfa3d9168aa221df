import { afterAll, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { fakeDiscord } from "../fakes/discord.ts";
import { fakeSlack } from "../fakes/slack.ts";
import { Dice } from "../simulation/dice.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import { SECRETS, seenOn, webhook } from "./platforms.ts";

/** `npm run soak -- socket-kills` kills more often; with `--seed 7` it repeats a run. */
const KILLS = Number(process.env.PARLEY_KILLS ?? 1);
const SEED = Number(process.env.PARLEY_SEED ?? Date.now() % 1_000_000);
const SECONDS_PER_KILL = 40;
const EVENTS_PER_KILL = 24;
const MARK = /may be a repeat/i;
const APP_TOKEN = "xapp-1-A1-12-kills-3c1e";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis({ fsync: "no" });
});
afterAll(() => redis[Symbol.asyncDispose]());

interface Heard {
  readonly env: Readonly<Record<string, string>>;
  readonly component: string;
  /** Somebody says it to the bot, in a conversation of its own; while nobody listens, the platform keeps it. */
  say(text: string): void;
  /** What people read. */
  texts(): readonly string[];
  until(isSo: () => boolean): Promise<unknown>;
}

async function slackHeard(): Promise<Heard> {
  const slack = await fakeSlack({
    token: SECRETS.SLACK_BOT_TOKEN,
    appToken: APP_TOKEN,
    sockets: { ackMs: 3_000, retries: 1_000 },
    nowMs: Date.now,
  });
  onTestFinished(() => slack.close());
  return {
    env: {
      SLACK_BOT_TOKEN: SECRETS.SLACK_BOT_TOKEN,
      SLACK_APP_TOKEN: APP_TOKEN,
      SLACK_API_URL: slack.apiUrl,
    },
    component: "slack.socket",
    say(text) {
      const envelope = JSON.parse(webhook("slack", { kind: "mention", text }).body) as object;
      slack.sockets.send("events_api", envelope);
    },
    texts: () => slack.messages.map(({ text }) => text),
    until: (isSo) => seenOn(slack, () => isSo() || undefined),
  };
}

async function discordHeard(): Promise<Heard> {
  const discord = await fakeDiscord({ botToken: SECRETS.DISCORD_BOT_TOKEN });
  onTestFinished(() => discord.close());
  let channel = 300;
  return {
    env: { DISCORD_BOT_TOKEN: SECRETS.DISCORD_BOT_TOKEN, DISCORD_API_URL: discord.apiUrl },
    component: "discord.gateway",
    say: (text) =>
      void discord.gateway.say({
        content: `<@900> ${text}`,
        channel: String(++channel),
        user: String(channel + 1_000),
      }),
    texts: () => discord.messages.map(({ content }) => content),
    until: (isSo) => seenOn(discord, () => isSo() || undefined),
  };
}

async function stateOf({ url }: GatewayProcess, component: string): Promise<string | undefined> {
  const { components } = (await (await fetch(`${url}/ready`)).json()) as {
    components: Record<string, { status: string }>;
  };
  return components[component]?.status;
}

it.each([
  ["Slack's Socket Mode", slackHeard],
  ["Discord's Gateway", discordHeard],
] as const)(
  "%s loses nothing and is answered once, however often whoever holds it is killed",
  { timeout: (60 + KILLS * SECONDS_PER_KILL) * 1_000 },
  async (_, open) => {
    const dice = new Dice(SEED);
    const platform = await open();
    await redis.flushAll();
    const start = () =>
      startGateway({
        dataDir: temporaryFolder(),
        config: configFolder(`${NO_LIMITS}  store: { spool: off }\n`),
        env: { REDIS_URL: redis.url, ...platform.env },
      });
    const replicas: GatewayProcess[] = [];
    onTestFinished(async () => {
      await Promise.all(replicas.map((one) => one[Symbol.asyncDispose]()));
    });
    const said: string[] = [];
    const say = (text: string) => {
      said.push(text);
      platform.say(text);
    };
    const holder = () =>
      vi.waitFor(
        async () => {
          const states = await Promise.all(replicas.map((one) => stateOf(one, platform.component)));
          const found = replicas[states.indexOf("ok")];
          if (found === undefined)
            throw new Error(`Expected one to hold the connection, got ${states.join()}`);
          return found;
        },
        { timeout: 30_000, interval: 50 },
      );

    replicas.push(await start(), await start());
    for (let kill = 0; kill < KILLS; kill++) {
      const victim = await holder();
      const answered = platform.texts().length;
      // Some before it dies, some of them answered by then; the rest while nobody listens, or the other begins to.
      const before = dice.between(1, EVENTS_PER_KILL - 1);
      for (let n = 0; n < before; n++) say(`kill ${kill} event ${n}.`);
      const seen = dice.between(0, before);
      await platform.until(() => platform.texts().length >= answered + seen);
      const ending = victim.end("SIGKILL");
      for (let n = before; n < EVENTS_PER_KILL; n++) say(`kill ${kill} event ${n}.`);
      await ending;
      replicas.splice(replicas.indexOf(victim), 1, await start());
    }
    const answersTo = (text: string) => platform.texts().filter((one) => one.includes(`You said: ${text}`));
    await platform.until(() => said.every((text) => answersTo(text).length > 0));
    // Of what was being said at a kill nobody can tell whether it was heard: that is marked, and nothing else is said twice.
    const unmarked = (text: string) => answersTo(text).filter((one) => !MARK.test(one)).length;
    const twice = said.filter((text) => unmarked(text) > 1);
    const marked = platform.texts().filter((one) => MARK.test(one)).length;
    console.info(`seed ${SEED}: ${KILLS} kills, ${said.length} events, ${marked} marked as possible repeats`);
    expect(twice).toEqual([]);
    expect(marked).toBeLessThanOrEqual(KILLS * EVENTS_PER_KILL);
  },
);
