import { Queue } from "bullmq";
import { systemClock } from "../../../src/system/clock.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { median } from "../drive.ts";
import { cpuMicrosOf } from "../server-process.ts";
import { anOffer, inFlight, openBenchStore } from "./store.ts";
import { startTeam, type Team } from "./team.ts";

/** One half of the way of an event: into the queue, or out of it. */
export interface Half {
  readonly perSecond: number;
  /** Processor time of Redis for one event. */
  readonly redisMicros: number;
  /** Processor time of who asks. */
  readonly clientMicros: number;
}

export interface WorkRow {
  readonly name: string;
  readonly accept: Half;
  readonly drain: Half;
  /** Medians over the rounds: how many times BullMQ's rate of the same round. */
  readonly acceptRatio: number;
  readonly drainRatio: number;
}

const PRODUCERS = 64;
const CONVERSATIONS = 500;
const WORKERS = 2;
const TEXT = "benchmark message: what is the state of the deployment?";

interface Contender {
  readonly name: string;
  readonly add: (index: number) => Promise<unknown>;
  readonly team: Team;
}

interface Round {
  readonly accept: Half;
  readonly drain: Half;
}

/**
 * Events of 500 conversations go into the queue from one process, and two others take them out. BullMQ does plain jobs,
 * in no order, by the same connection options; its job ids stand for deduplication.
 */
export async function benchRedisWork(options: { events: number; rounds: number }): Promise<WorkRow[]> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis({ fsync: "everysec" }));
  const contenders = [
    await parley(redis, "settle", "claim and settle", stack),
    await parley(redis, "answer", "a whole answer", stack),
    await bullmq(redis, stack),
  ];
  const rounds = contenders.map(() => [] as Round[]);
  let index = 0;
  // The first round warms up and is not counted.
  for (let round = 0; round <= options.rounds; round++) {
    for (const [i, contender] of contenders.entries()) {
      const result = await roundOf(contender, redis, options.events, index);
      if (round > 0) rounds[i]?.push(result);
    }
    index += options.events;
  }
  const bull = rounds.at(-1) ?? [];
  return contenders.map(({ name }, i) => rowOf(name, rounds[i] ?? [], bull));
}

async function roundOf({ add, team }: Contender, redis: RedisServer, events: number, from: number) {
  const own = () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  };
  const accept = await half(redis, events, own, () => inFlight(events, PRODUCERS, (i) => add(from + i)));
  const drain = await half(
    redis,
    events,
    () => team.cpuMicros(),
    () => team.finish(events),
  );
  return { accept, drain };
}

async function half(
  redis: RedisServer,
  events: number,
  clientMicros: () => number,
  work: () => Promise<{ seconds: number }>,
): Promise<Half> {
  const before = { redis: cpuMicrosOf(redis.pid), client: clientMicros() };
  const { seconds } = await work();
  return {
    perSecond: events / seconds,
    redisMicros: (cpuMicrosOf(redis.pid) - before.redis) / events,
    clientMicros: (clientMicros() - before.client) / events,
  };
}

function rowOf(name: string, rounds: readonly Round[], bull: readonly Round[]): WorkRow {
  const medianOf = (which: keyof Round): Half => ({
    perSecond: median(rounds.map((round) => round[which].perSecond)),
    redisMicros: median(rounds.map((round) => round[which].redisMicros)),
    clientMicros: median(rounds.map((round) => round[which].clientMicros)),
  });
  const ratioOf = (which: keyof Round) =>
    median(rounds.map((round, i) => round[which].perSecond / (bull[i]?.[which].perSecond ?? Number.NaN)));
  return {
    name,
    accept: medianOf("accept"),
    drain: medianOf("drain"),
    acceptRatio: ratioOf("accept"),
    drainRatio: ratioOf("drain"),
  };
}

async function parley(
  redis: RedisServer,
  kind: "settle" | "answer",
  name: string,
  stack: AsyncDisposableStack,
): Promise<Contender> {
  const store = stack.use(await openBenchStore(redis.url, kind, "producer"));
  return {
    name: `Parley, ${name}`,
    team: stack.use(await startTeam(WORKERS, kind, redis.url, kind)),
    async add(index) {
      const place = `C${index % CONVERSATIONS}`;
      const offer = anOffer({ id: String(index), place, text: TEXT, clock: systemClock });
      const { kind: answer } = await store.inbox.accept(offer);
      if (answer !== "accepted") throw new Error(`Expected accepted, got ${answer}`);
    },
  };
}

async function bullmq(redis: RedisServer, stack: AsyncDisposableStack): Promise<Contender> {
  const queue = new Queue("events", {
    connection: { host: "127.0.0.1", port: redis.port },
    prefix: "bull",
  });
  stack.defer(() => queue.close());
  return {
    name: "BullMQ, plain jobs",
    team: stack.use(await startTeam(WORKERS, "bullmq", redis.url, "bull")),
    async add(index) {
      const place = `C${index % CONVERSATIONS}`;
      const { event } = anOffer({ id: String(index), place, text: TEXT, clock: systemClock });
      await queue.add("event", event, { jobId: `Ev${index}` });
    },
  };
}
