import { expect, it } from "vitest";
import { configFolder } from "./configuration.ts";
import { startGateway, temporaryFolder } from "./gateway-process.ts";
import {
  type Conversation,
  Door,
  nextQuestion,
  openConversations,
  type Sending,
  sendUntilTaken,
  Tally,
  tokensIn,
} from "./load.ts";
import { CHAT_PLATFORMS, openPlatforms, type Platforms } from "./platforms.ts";
import { recordsOf } from "./records.ts";
import { scrapeWhenIdle } from "./scrape.ts";

/** `PARLEY_KILLS=200 PARLEY_SEED=7 npx vitest run test/e2e/kill-loop.test.ts` soaks, and repeats a run. */
const KILLS = Number(process.env.PARLEY_KILLS ?? 15);
const SEED = Number(process.env.PARLEY_SEED ?? Date.now() % 1_000_000);
const CONVERSATIONS = 64;
const SECONDS_PER_KILL = 10;

const CONFIG = `  limits: { user: off, conversation: off, tenant: off, global: off }
  routes: [{ agent: assistant }]
`;

it("loses, repeats and reorders nothing, however often it is killed", {
  timeout: (60 + KILLS * SECONDS_PER_KILL) * 1000,
}, async () => {
  const random = generator(SEED);
  await using platforms = await openPlatforms();
  const options = { dataDir: temporaryFolder(), config: configFolder(CONFIG), env: platforms.env };
  const conversations = openConversations(CONVERSATIONS);
  const sending = { door: new Door(), begun: new Tally(), acknowledged: new Tally() };

  let gateway = await startGateway(options);
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      sending.door.open(gateway.url);
      const speakers = shuffled(conversations, random).slice(0, 24 + pick(random, 32));
      const moment = momentToKill(speakers, { platforms, sending, random });
      const round = Promise.all(speakers.map((speaker) => speak(speaker, sending, random)));
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

  const result = judge(platforms, conversations);
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
async function speak(speaker: Conversation, sending: Sending, random: () => number): Promise<void> {
  const copies = random() < 0.2 ? 2 : 1;
  const old = random() < 0.1 ? speaker.asked[pick(random, speaker.asked.length)] : undefined;
  const request = nextQuestion(speaker);
  const requests = [...Array.from({ length: copies }, () => request), ...(old ? [old] : [])];
  await Promise.all(requests.map((one) => sendUntilTaken(one, sending)));
}

/** Among the next events of this round, all of which are certain to come. */
function momentToKill(
  speakers: readonly Conversation[],
  { platforms, sending, random }: { platforms: Platforms; sending: Sending; random: () => number },
): Promise<unknown> {
  const kind = pick(random, 4);
  // Just started, it has begun on all that was left behind.
  if (kind === 0) return Promise.resolve();
  if (kind === 1) return sending.begun.after(1 + pick(random, speakers.length));
  if (kind === 2) return sending.acknowledged.after(1 + pick(random, speakers.length));
  // The platform has taken a call, and its answer is on the way.
  const platform = CHAT_PLATFORMS[pick(random, CHAT_PLATFORMS.length)] ?? "slack";
  const certain = speakers.filter((speaker) => speaker.platform === platform).length;
  const { calls } = platforms[platform];
  return certain === 0
    ? sending.begun.after(1)
    : platforms[platform].waitFor(() => true, calls.length + 1 + pick(random, certain));
}

interface Judgement {
  readonly lost: string[];
  readonly duplicated: string[];
  readonly reordered: string[];
  /** Messages that say of themselves that they may be a repeat, and those of them that are one. */
  readonly marked: number;
  readonly repeats: number;
}

function judge(platforms: Platforms, conversations: readonly Conversation[]): Judgement {
  const lost: string[] = [];
  const duplicated: string[] = [];
  const reordered: string[] = [];
  let repeats = 0;
  const all = CHAT_PLATFORMS.flatMap((platform) =>
    recordsOf(platforms, platform).map((record) => ({ ...record, platform })),
  );
  for (const { platform, place, expected } of conversations) {
    const records = all.filter((record) => record.platform === platform && record.place === place);
    const plain = records.filter(({ isMarked }) => !isMarked).flatMap(({ text }) => tokensIn(text));
    const firsts = [...new Set(records.flatMap(({ text }) => tokensIn(text)))];
    const marked = records.filter(({ isMarked }) => isMarked).flatMap(({ text }) => tokensIn(text));
    repeats += marked.filter((token) => token.startsWith("ask-") && plain.includes(token)).length;
    const label = (token: string) => `${platform} ${place} ${token}`;
    lost.push(...expected.filter((token) => !firsts.includes(token)).map(label));
    duplicated.push(...plain.filter((token, at) => plain.indexOf(token) !== at).map(label));
    const inOrder = expected.filter((token) => firsts.includes(token));
    if (firsts.join() !== inOrder.join()) reordered.push(label(firsts.join()));
  }
  const marked = all.filter(({ isMarked }) => isMarked).length;
  return { lost, duplicated, reordered, marked, repeats };
}

/** Uniform in [0, 1), the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function pick(random: () => number, count: number): number {
  return Math.floor(random() * count);
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
