import { expect, it } from "vitest";
import { Dice } from "../simulation/dice.ts";
import { configFolder } from "./configuration.ts";
import { startGateway, temporaryFolder } from "./gateway-process.ts";
import { allRecords, judgeReplies } from "./judge.ts";
import {
  type Conversation,
  Door,
  nextQuestion,
  openConversations,
  type Sending,
  sendUntilTaken,
  Tally,
} from "./load.ts";
import { CHAT_PLATFORMS, openPlatforms, type Platforms } from "./platforms.ts";
import { scrapeWhenIdle } from "./scrape.ts";

/** `npm run soak -- kills` kills more often; with `--seed 7` it repeats a run. */
const KILLS = Number(process.env.PARLEY_KILLS ?? 8);
const SEED = Number(process.env.PARLEY_SEED ?? Date.now() % 1_000_000);
const CONVERSATIONS = 64;
const SECONDS_PER_KILL = 10;

const CONFIG = `  limits: { user: off, conversation: off, tenant: off, global: off }
  routes: [{ agent: assistant }]
`;

it("loses, repeats and reorders nothing, however often it is killed", {
  timeout: (130 + KILLS * SECONDS_PER_KILL) * 1000,
}, async () => {
  const dice = new Dice(SEED);
  await using platforms = await openPlatforms();
  const options = { dataDir: temporaryFolder(), config: configFolder(CONFIG), env: platforms.env };
  const conversations = openConversations(CONVERSATIONS);
  const sending = { door: new Door(), begun: new Tally(), acknowledged: new Tally() };

  let gateway = await startGateway(options);
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      sending.door.open(gateway.url);
      const speakers = dice.shuffled(conversations).slice(0, dice.between(24, 55));
      const moment = momentToKill(speakers, { platforms, sending, dice });
      const round = Promise.all(speakers.map((speaker) => speak(speaker, sending, dice)));
      await moment;
      sending.door.shut();
      await gateway.end("SIGKILL");
      gateway = await startGateway(options);
      sending.door.open(gateway.url);
      await round;
    }
    await scrapeWhenIdle(gateway.url, 60_000);
    expect(await gateway.end("SIGTERM")).toBe(0);
  } finally {
    await gateway[Symbol.asyncDispose]();
  }

  const result = judgeReplies(allRecords(platforms), conversations);
  const asked = conversations.reduce((sum, conversation) => sum + conversation.asked.length, 0);
  console.info(
    `seed ${SEED}: ${KILLS} kills, ${asked} messages in ${CONVERSATIONS} conversations; ` +
      `lost ${result.lost.length}, duplicated ${result.duplicated.length}, ` +
      `reordered ${result.reordered.length}, marked as possible repeats ${result.marked}, of which are ${result.repeats}`,
  );
  const { lost, duplicated, reordered } = result;
  expect({ lost, duplicated, reordered }).toEqual({ lost: [], duplicated: [], reordered: [] });
});

/** Asks the next question, once or twice at a time, and now and then an old one again. */
async function speak(speaker: Conversation, sending: Sending, dice: Dice): Promise<void> {
  const copies = dice.chance(0.2) ? 2 : 1;
  const old = speaker.asked.length > 0 && dice.chance(0.1) ? [dice.pick(speaker.asked)] : [];
  const question = nextQuestion(speaker);
  const all = [...Array.from({ length: copies }, () => question), ...old];
  await Promise.all(all.map((one) => sendUntilTaken(one, sending)));
}

/** Among the next events of this round, all of which are certain to come. */
function momentToKill(
  speakers: readonly Conversation[],
  { platforms, sending, dice }: { platforms: Platforms; sending: Sending; dice: Dice },
): Promise<unknown> {
  const kind = dice.pick(["at once", "begun", "acknowledged", "said"]);
  // Just started, it has begun on all that was left behind.
  if (kind === "at once") return Promise.resolve();
  if (kind !== "said")
    return sending[kind === "begun" ? "begun" : "acknowledged"].after(dice.between(1, speakers.length));
  // The platform has taken a call, and its answer is on the way.
  const platform = dice.pick(CHAT_PLATFORMS);
  const certain = speakers.filter((speaker) => speaker.platform === platform).length;
  const { calls } = platforms[platform];
  return certain === 0
    ? sending.begun.after(1)
    : platforms[platform].waitFor(() => true, calls.length + dice.between(1, certain));
}
