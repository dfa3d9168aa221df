import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomFrom } from "../simulation/dice.ts";
import { eventually } from "../support/eventually.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import { deliver, openPlatforms, type Platforms, privateMessage } from "./platforms.ts";
import { recordsOf } from "./records.ts";
import { eventLines } from "./request-ids.ts";
import { scrape } from "./scrape.ts";

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
  await platforms.slack.until(() => persons.every(isSaid), 60_000);
}

/** What this person was answered, without what surrounds it; `d?` says of itself that it may be a repeat. */
function answersTo(person: number): readonly string[] {
  return recordsOf(platforms, "slack")
    .filter(({ place }) => place === `D${person}`)
    .map(({ text, isMarked }) => `${/(\w+)-\d+/.exec(text)?.[1] ?? text}${isMarked ? "?" : ""}`);
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
    expect(eventLines([one, other]).unnamed).toEqual([]);
  });
});

const REFUSED = 'parley_store_call_failures_total{operation="accept",code="STORE_UNAVAILABLE"}';

/** Resolves when this replica has heard so many refusals; in an outage it asks again once a second at most. */
async function refused({ url }: GatewayProcess, times: number): Promise<void> {
  await eventually(async () => {
    const failures = (await scrape(url)).value(REFUSED) ?? 0;
    if (failures < times) throw new Error(`Expected ${times} refused offers, got ${failures}`);
  }, 60_000);
}

describe("two replicas, while the Redis that they share refuses to take events for long", () => {
  const seed = Number(process.env.PARLEY_SEED ?? Date.now() % 1_000_000);
  const random = randomFrom(seed);

  it.each<[string, () => Promise<unknown>, () => Promise<unknown>]>([
    [
      "because it has no memory left",
      () => redis.cli("CONFIG", "SET", "maxmemory", "1mb"),
      () => redis.cli("CONFIG", "SET", "maxmemory", "0"),
    ],
    [
      "because it has too few replicas of its own",
      () => redis.cli("CONFIG", "SET", "min-replicas-to-write", "1"),
      () => redis.cli("CONFIG", "SET", "min-replicas-to-write", "0"),
    ],
  ])(`%s, keep the order of each conversation (seed ${seed})`, async (_, takeAway, bringBack) => {
    await using one = await replica();
    await using other = await replica();
    const persons = newPeople(CONVERSATIONS);
    await converse([one, other], persons, ["a"]);
    await takeAway();
    try {
      await converse([one, other], persons, ["b"]);
      // Long enough for each to find out more than once that nothing is taken: five to ten seconds.
      await Promise.all([one, other].map((gateway) => refused(gateway, 6 + Math.floor(random() * 6))));
      await converse([other, one], persons, ["c", "d"]);
    } finally {
      await bringBack();
    }
    await converse([one, other], persons, ["e"]);
    await answered(persons, "e");
    for (const person of persons) expect(answersTo(person)).toEqual(["a", "b", "c", "d", "e"]);
    for (const gateway of [one, other]) expect(await gateway.end("SIGTERM")).toBe(0);
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
      // What was being answered when it died may be said again, marked as that.
      const answers = answersTo(person).map((answer) => answer.replace("?", ""));
      expect([...new Set(answers)]).toEqual(["a", "b", "c", "d"]);
    }
    expect(gateway.stdout()).toMatch(/\d+ events wait in .*spool-0\.db to be forwarded/);
    expect(await gateway.end("SIGTERM")).toBe(0);
  });
});
