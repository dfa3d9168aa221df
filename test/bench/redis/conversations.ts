import { Redis } from "ioredis";
import { LEASE_MS } from "../../../src/domain/bounds.ts";
import type { Settlement } from "../../../src/ports/queue.ts";
import type { Store } from "../../../src/ports/store.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { startRedis } from "../../support/redis.ts";
import { median } from "../drive.ts";
import { commandsFor, copyOften, MARK, MARKED_SEQ, numberOf } from "./clone.ts";
import { usedBytes } from "./memory.ts";
import { answerAll, ask, openPast } from "./past.ts";
import { anOffer, inFlight, openBenchStore } from "./store.ts";

export interface RedisConversationsCost {
  readonly few: number;
  readonly many: number;
  readonly accept: Flatness;
  readonly drain: Flatness;
  readonly bytesEach: number;
}

/** Microseconds for one event, and the median over the rounds of many against few. */
export interface Flatness {
  readonly fewMicros: number;
  readonly manyMicros: number;
  readonly ratio: number;
}

const FEW = 1_000;
const EVENTS = 1_000;
const PRODUCERS = 64;
/** Has no divisor in common with a power of ten: goes through all conversations before it comes back to one. */
const STRIDE = 7_919;
const QUESTION = "benchmark message: what is the state of the deployment?";
const ANSWER = "The deployment is green.";
const PREFIX = "parley";

/**
 * What an event costs with few and with very many idle conversations in Redis, each of which was answered once. The
 * events are messages in some of those. Without a file: nothing of this is about the disk.
 */
export async function benchRedisConversations(options: {
  many: number;
  rounds: number;
}): Promise<RedisConversationsCost> {
  await using stack = new AsyncDisposableStack();
  await checkCopies();
  const servers: Record<"few" | "many", Subject> = {
    few: await filled(FEW, stack),
    many: await filled(options.many, stack),
  };
  const rounds: { few: Cost; many: Cost }[] = [];
  for (let round = 0; round <= options.rounds; round++) {
    const few = await costOf(servers.few, round);
    const many = await costOf(servers.many, round);
    if (round > 0) rounds.push({ few, many });
  }
  const flatness = (half: keyof Cost): Flatness => ({
    fewMicros: median(rounds.map(({ few }) => few[half])),
    manyMicros: median(rounds.map(({ many }) => many[half])),
    ratio: median(rounds.map(({ few, many }) => many[half] / few[half])),
  });
  return {
    few: FEW,
    many: options.many,
    accept: flatness("accept"),
    drain: flatness("drain"),
    bytesEach: servers.many.bytesEach,
  };
}

interface Cost {
  readonly accept: number;
  readonly drain: number;
}

interface Subject {
  readonly idle: number;
  readonly bytesEach: number;
  readonly store: Store;
}

async function filled(idle: number, stack: AsyncDisposableStack): Promise<Subject> {
  const redis = stack.use(await startRedis({ fsync: "off" }));
  const client = new Redis({ port: redis.port });
  stack.defer(() => client.disconnect());
  await makeTemplate(redis.url);
  // Limits are over a minute after a conversation went idle.
  const commands = await commandsFor(client, PREFIX, (key) => !key.endsWith(":limits"));
  await client.flushall();
  const before = await usedBytes(client);
  await copyOften(client, commands, idle);
  const bytesEach = ((await usedBytes(client)) - before) / idle;
  const store = stack.use(await openBenchStore(redis.url, PREFIX, "bench"));
  await client.hset(`{${PREFIX}}:meta`, "seq", idle);
  return { idle, bytesEach, store };
}

async function makeTemplate(url: string): Promise<void> {
  await using past = await openPast(url, PREFIX);
  const client = new Redis(url);
  await client.hset(`{${PREFIX}}:meta`, "seq", MARKED_SEQ - 1);
  client.disconnect();
  await ask(past, MARK, QUESTION);
  await answerAll(past, ANSWER);
}

/** That a thousand copies are what the scripts make of a thousand conversations. */
async function checkCopies(): Promise<void> {
  await using redis = await startRedis({ fsync: "off" });
  const client = new Redis({ port: redis.port });
  try {
    await makeTemplate(redis.url);
    const template = await commandsFor(client, PREFIX);
    await client.flushall();
    await copyOften(client, template, FEW);
    const copies = await contentOf(client);
    await client.flushall();
    await using past = await openPast(redis.url, PREFIX);
    for (let i = 0; i < FEW; i++) await ask(past, numberOf(i), QUESTION);
    await answerAll(past, ANSWER);
    const originals = await contentOf(client);
    for (const name of new Set([...copies, ...originals])) {
      if (copies.has(name) && originals.has(name)) continue;
      const where = copies.has(name) ? "in the copies alone" : "in the originals alone";
      throw new Error(`Expected copies to be as the scripts make them, got ${where}: ${name}`);
    }
  } finally {
    client.disconnect();
  }
}

/** Counters of the whole installation, which no copy has. */
const COMMON = /:(meta|limits)$/;

async function contentOf(client: Redis): Promise<ReadonlySet<string>> {
  const commands = await commandsFor(client, PREFIX, (key) => !COMMON.test(key));
  return new Set(
    commands.map(([name, key, ...rest]) => {
      // Time has passed between the two.
      if (name === "PEXPIRE") return `${name} ${key}`;
      // Counts what this process has recorded, in whatever conversation.
      const step = name === "HSET" ? rest.indexOf("step") : -1;
      if (step !== -1) rest.splice(step, 2);
      // The fields of a hash come in any order.
      return [name, key, ...rest.sort()].join(" ");
    }),
  );
}

async function costOf({ idle, store }: Subject, round: number): Promise<Cost> {
  const accept = await micros(async () => {
    await inFlight(EVENTS, PRODUCERS, async (i) => {
      const n = round * EVENTS + i;
      const place = numberOf((n * STRIDE) % idle);
      const offer = anOffer({ id: `${place}.now.${n}`, place, text: QUESTION, clock: systemClock });
      const { kind } = await store.inbox.accept(offer);
      if (kind !== "accepted") throw new Error(`Expected accepted, got ${kind}`);
    });
  });
  const drain = await micros(async () => {
    for (let done = 0; done < EVENTS; ) {
      const jobs = await store.queue.claim({ jobsMax: PRODUCERS, leaseMs: LEASE_MS });
      if (jobs.length === 0) throw new Error(`Expected ${EVENTS} jobs, got ${done}`);
      const settled = jobs.map((job) => store.queue.settle(job, ANSWERED));
      await Promise.all(settled);
      done += jobs.length;
    }
  });
  return { accept, drain };
}

const ANSWERED: Settlement = { kind: "done", outcome: "answered", turns: [] };

/** For one event. */
async function micros(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return ((performance.now() - startedAt) * 1_000) / EVENTS;
}
