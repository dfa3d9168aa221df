import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import { deliver, openPlatforms, type Platforms, privateMessage } from "./platforms.ts";
import { recordsOf } from "./records.ts";

const CONVERSATIONS = 24;
/** Slack gives up after three seconds. */
const ACK_MS_MAX = 2_900;

let redis: RedisServer;
let platforms: Platforms;
beforeAll(async () => {
  redis = await startRedis();
  platforms = await openPlatforms();
});
afterAll(async () => {
  await platforms[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
});

function replica(dataDir = temporaryFolder()): Promise<GatewayProcess> {
  return startGateway({
    dataDir,
    config: configFolder(),
    env: { ...platforms.env, REDIS_URL: redis.url },
  });
}

let people = 70_000;
function newPeople(count: number): readonly number[] {
  return Array.from({ length: count }, () => ++people);
}

/** One message, to be acknowledged in time. */
async function tell({ url }: GatewayProcess, person: number, text: string): Promise<void> {
  const startedAt = performance.now();
  const { status } = await deliver(url, privateMessage("slack", { person, text: `${text}-${person}` }));
  expect(status).toBe(200);
  expect(performance.now() - startedAt).toBeLessThan(ACK_MS_MAX);
}

/** Resolves when all have the answer to this. Slack takes one message a second in a place, so that takes a while. */
async function answered(persons: readonly number[], word: string): Promise<void> {
  const isSaid = (person: number) => answersTo(person).includes(word);
  await platforms.slack.waitFor(() => persons.every(isSaid), 1, 60_000);
}

/** What this person was answered, without what surrounds it. */
function answersTo(person: number): readonly string[] {
  return recordsOf(platforms, "slack")
    .filter(({ place }) => place === `D${person}`)
    .map(({ text }) => /(\w+)-\d+/.exec(text)?.[1] ?? text);
}

/** Each person says these words one after the other, to one replica after the other. */
async function converse(
  replicas: readonly GatewayProcess[],
  persons: readonly number[],
  words: readonly string[],
): Promise<void> {
  await Promise.all(
    persons.map(async (person, n) => {
      for (const [i, word] of words.entries()) {
        const gateway = replicas[(n + i) % replicas.length];
        if (gateway !== undefined) await tell(gateway, person, word);
      }
    }),
  );
}

describe("two replicas, while the Redis that they share", () => {
  it.each<[string, () => Promise<unknown>, () => Promise<unknown>]>([
    ["is killed", () => redis.kill(), () => redis.restart()],
    ["stands still", async () => redis.pause(), async () => redis.resume()],
    [
      "has no memory left",
      () => redis.cli("CONFIG", "SET", "maxmemory", "1mb"),
      () => redis.cli("CONFIG", "SET", "maxmemory", "0"),
    ],
  ])("%s, acknowledge in time, and answer each message once and in order", async (_, takeAway, bringBack) => {
    await using one = await replica();
    await using other = await replica();
    const persons = newPeople(CONVERSATIONS);
    await converse([one, other], persons, ["a"]);
    await takeAway();
    try {
      await converse([one, other], persons, ["b", "c", "d"]);
    } finally {
      await bringBack();
    }
    await converse([one, other], persons, ["e"]);
    await answered(persons, "e");
    for (const person of persons) expect(answersTo(person)).toEqual(["a", "b", "c", "d", "e"]);
    for (const gateway of [one, other]) {
      expect(gateway.stdout()).toMatch(/The store takes events again after \d+ s/);
      expect(await gateway.end("SIGTERM")).toBe(0);
    }
  });
});

describe("a replica that is killed while its Redis is away", () => {
  it("brings what it acknowledged as soon as both are there again", async () => {
    const dataDir = temporaryFolder();
    const persons = newPeople(CONVERSATIONS);
    {
      await using gateway = await replica(dataDir);
      await converse([gateway], persons, ["a"]);
      await redis.kill();
      await converse([gateway], persons, ["b", "c"]);
      await gateway.end("SIGKILL");
    }
    await redis.restart();
    await using gateway = await replica(dataDir);
    await converse([gateway], persons, ["d"]);
    await answered(persons, "d");
    for (const person of persons) {
      const answers = answersTo(person);
      // What was being answered when it died may be said again, marked as that.
      expect([...new Set(answers)]).toEqual(["a", "b", "c", "d"]);
    }
    expect(gateway.stdout()).toMatch(/\d+ events wait in .*spool-0\.db to be forwarded/);
    expect(await gateway.end("SIGTERM")).toBe(0);
  });
});
