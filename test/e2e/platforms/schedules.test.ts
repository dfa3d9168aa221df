import { expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { configFolder, NO_LIMITS } from "../configuration.ts";
import { startGateway, temporaryFolder } from "../gateway-process.ts";
import { openPlatforms } from "../platforms.ts";

const SLOW_MS = 60_000;

/** Every minute, in a channel and in a thread of it. */
const schedule = (name: string, to: string) =>
  `    - { name: ${name}, cron: "* * * * *", agent: assistant, text: "It is ${name}", to: { ${to} } }\n`;
const SCHEDULES = [
  schedule("discord", 'platform: discord, tenant: "10", channel: "2010"'),
  schedule("discord-thread", 'platform: discord, tenant: "10", channel: "2010", thread: "2011"'),
  schedule("slack", "platform: slack, tenant: T1, channel: C77"),
  schedule("telegram", 'platform: telegram, tenant: "77", channel: "-1002"'),
].join("");

it("what an agent says by the clock comes to Discord, Slack and Telegram, as something new, and once", async () => {
  await using platforms = await openPlatforms();
  const { slack, discord, telegram, env } = platforms;
  const config = configFolder(`${NO_LIMITS}  schedules:\n${SCHEDULES}`);
  await using gateway = await startGateway({ dataDir: temporaryFolder(), config, env });
  const due = await gateway.logged(/"schedule":"telegram",[^\n]*"due":"([^"]+)","outcome":"fired"/);
  const said = () => ({
    discord: discord.messages.map(({ kind, channelId, content }) => [kind, channelId, content]),
    slack: slack.messages.map(({ channel, text }) => [channel, text]),
    telegram: telegram.messages.map(({ chatId, text }) => [chatId, text]),
  });
  const expected = {
    discord: expect.arrayContaining([
      ["bot", "2010", "You said: It is discord"],
      ["bot", "2011", "You said: It is discord-thread"],
    ]),
    slack: expect.arrayContaining([["C77", "You said: It is slack"]]),
    telegram: expect.arrayContaining([[-1002, "You said: It is telegram"]]),
  };
  await eventually(async () => expect(said()).toEqual(expected), SLOW_MS);
  // Beneath no message: Discord says it as it is where there is none.
  for (const { body } of discord.messages)
    expect(body).toMatchObject({
      message_reference: { fail_if_not_exists: false },
      nonce: expect.any(String),
      enforce_nonce: true,
    });
  // On a machine that is slow the next turn may have come.
  const turns = gateway.logLines().filter(({ msg }) => msg === "schedule.due");
  const allSaid = [discord.messages, slack.messages, telegram.messages].flat();
  expect(allSaid.length).toBeLessThanOrEqual(turns.length);
  const fired = gateway.logLines().filter(({ msg, due: at }) => msg === "schedule.due" && at === due);
  expect(fired.map(({ schedule, outcome }) => [schedule, outcome])).toEqual(
    ["discord", "discord-thread", "slack", "telegram"].map((name) => [name, "fired"]),
  );
}, 240_000);
