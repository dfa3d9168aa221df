import { Redis } from "ioredis";
import { startRedis } from "../../support/redis.ts";
import { commandsFor, copyOften, MARK, MARKED_SEQ } from "./clone.ts";
import { answerAll, ask, openPast, type Past } from "./past.ts";

export interface MemoryRow {
  readonly name: string;
  readonly bytes: number;
}

interface Thing {
  readonly name: string;
  /** Makes one such thing, in the conversation that is marked. */
  readonly make: (past: Past) => Promise<void>;
  /** The keys that are part of it, by what follows the prefix; see the list in prelude.lua. */
  readonly keys: RegExp;
}

const PREFIX = "parley";
const DAY_MS = 86_400_000;
export const SHORT_CHARS = 56;
export const LONG_CHARS = 1_536;
export const TURN_CHARS = 200;
export const ANSWER_CHARS = 500;

const EVENT = /^(e:|o:|l:|q|live|done)/;
const CONVERSATION = /^(c:|t:|idle)/;

const THINGS: readonly Thing[] = [
  { name: `waiting event, text of ${SHORT_CHARS} characters`, make: waiting(SHORT_CHARS), keys: EVENT },
  { name: `waiting event, text of ${LONG_CHARS} characters`, make: waiting(LONG_CHARS), keys: EVENT },
  {
    name: `finished event, text of ${SHORT_CHARS} and answer of ${ANSWER_CHARS} characters`,
    make: finished,
    keys: EVENT,
  },
  { name: "idle conversation, nothing remembered", make: idle(0), keys: CONVERSATION },
  { name: `idle conversation, 2 turns of ${TURN_CHARS} characters`, make: idle(2), keys: CONVERSATION },
  { name: `idle conversation, 20 turns of ${TURN_CHARS} characters`, make: idle(20), keys: CONVERSATION },
  { name: "idempotency key that expires", make: waiting(SHORT_CHARS), keys: /^k:slack:Ev/ },
  { name: "idempotency key of an event", make: waiting(SHORT_CHARS), keys: /^k:slack:T1/ },
  { name: "rate limits of a person and a conversation", make: waiting(SHORT_CHARS), keys: /^limits$/ },
];

/** Bytes of Redis for each: what its memory grows by, a hundred thousand times. */
export async function benchRedisMemory({ copies }: { copies: number }): Promise<MemoryRow[]> {
  await using redis = await startRedis({ fsync: "off" });
  const client = new Redis({ port: redis.port });
  const rows: MemoryRow[] = [];
  try {
    for (const { name, make, keys } of THINGS) {
      await client.flushall();
      await makeOnce(redis.url, client, make);
      const isPart = (key: string) => keys.test(key.slice(PREFIX.length + 3));
      const commands = await commandsFor(client, PREFIX, isPart);
      if (commands.length === 0) throw new Error(`Expected something to be kept for "${name}", got nothing`);
      await client.flushall();
      const before = await usedBytes(client);
      await copyOften(client, commands, copies);
      rows.push({ name, bytes: ((await usedBytes(client)) - before) / copies });
    }
  } finally {
    client.disconnect();
  }
  return rows;
}

export async function usedBytes(client: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await client.info("memory"))?.[1]);
}

async function makeOnce(url: string, client: Redis, make: Thing["make"]): Promise<void> {
  await using past = await openPast(url, PREFIX);
  await client.hset(`{${PREFIX}}:meta`, "seq", MARKED_SEQ - 1);
  await make(past);
}

function waiting(chars: number): Thing["make"] {
  return (past) => ask(past, MARK, textOf(chars));
}

async function finished(past: Past): Promise<void> {
  await ask(past, MARK, textOf(SHORT_CHARS));
  await answerAll(past, textOf(ANSWER_CHARS), { remember: false });
}

/** Its events are past their time and swept. */
function idle(turns: number): Thing["make"] {
  return async (past) => {
    for (let round = 0; round < Math.max(1, turns / 2); round++) {
      await ask(past, MARK, textOf(TURN_CHARS), round);
      await answerAll(past, textOf(TURN_CHARS), { remember: turns > 0 });
    }
    past.clock.advance(8 * DAY_MS);
    await past.store.sweep({ finishedMs: 7 * DAY_MS, deadMs: 30 * DAY_MS, turnsMs: 30 * DAY_MS });
  };
}

function textOf(chars: number): string {
  return "What is the state of the deployment? ".repeat(Math.ceil(chars / 37)).slice(0, chars);
}
