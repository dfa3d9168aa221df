import type { Redis } from "ioredis";
import type { TriggerEvent } from "../../../src/domain/event.ts";
import type { Progress, Turn } from "../../../src/domain/run.ts";
import type { Ledger, Part, Row } from "../ledger.ts";

const STATES = ["done", "dropped", "dead", "merged"] as const;

/** Of all keys under a prefix, read with the plainest commands: the scripts are what is on trial. */
export async function readLedger(client: Redis, prefix: string): Promise<Ledger> {
  const base = `{${prefix}}:`;
  const keys = (await keysUnder(client, base)).map((key) => key.slice(base.length)).sort();
  const among = (kind: string) => keys.filter((key) => key.startsWith(`${kind}:`)).map((key) => key.slice(2));
  const events = await Promise.all(
    among("e").map(async (seq) => toRow(seq, await client.hgetall(`${base}e:${seq}`))),
  );
  const rows = events.toSorted((a, b) => a.seq - b.seq);
  const parts = await Promise.all(
    among("o").map(async (seq) => toParts(seq, await client.hgetall(`${base}o:${seq}`))),
  );
  const turns = await Promise.all(
    among("t").map(async (name) => toTurns(name, await client.lrange(`${base}t:${name}`, 0, -1))),
  );
  const counts = await Promise.all(
    among("c").map(async (name) => [name, await client.hget(`${base}c:${name}`, "n")] as const),
  );
  const days = keys.filter((key) => key.startsWith("money:"));
  const money = await Promise.all(days.map((day) => client.hmget(base + day, "spent global", "held global")));
  const members = await Promise.all(
    STATES.map(async (state) => [state, await client.zrange(base + state, "0", "-1")] as const),
  );
  return {
    rows,
    parts: parts.flat(),
    turns: turns.flat(),
    money: money.flat().reduce((sum, amount) => sum + Number(amount ?? 0), 0),
    leftovers: [
      ...keys.filter(isForWork),
      ...counts.filter(([, n]) => Number(n ?? 0) !== 0).map(([name, n]) => `${n} live events of ${name}`),
      ...members.flatMap(([state, seqs]) => misplaced(state, seqs, rows)),
    ],
  };
}

export async function keysUnder(client: Redis, base: string): Promise<string[]> {
  const keys = new Set<string>();
  let cursor = "0";
  do {
    const [next, found] = await client.scan(cursor, "MATCH", `${base}*`, "COUNT", 1_000);
    for (const key of found) keys.add(key);
    cursor = next;
  } while (cursor !== "0");
  return [...keys];
}

/** Lanes, rings, leases, delays: empty ones do not exist. */
function isForWork(key: string): boolean {
  return /^(l:|q$|q:|urgent$|held$|leases$|owners$|live$|retrying$|parked$)/.test(key);
}

function misplaced(state: string, seqs: readonly string[], rows: readonly Row[]): string[] {
  const listed = new Set(seqs.map(Number));
  return [
    ...rows
      .filter((row) => (row.state === state) !== listed.has(row.seq))
      .map(({ id }) => `${id} in ${state}`),
    ...seqs.filter((seq) => !rows.some((row) => row.seq === Number(seq))).map((seq) => `${seq} in ${state}`),
  ];
}

function toRow(seq: string, event: Record<string, string>): Row {
  return {
    seq: Number(seq),
    id: event.id ?? "",
    acceptedMs: Number(event.since ?? event.at),
    state: event.state ?? null,
    attempt: Number(event.attempt ?? 0),
    cause: event.cause ?? null,
    event: JSON.parse(event.body ?? "null") as TriggerEvent,
    progress: event.progress === undefined ? null : (JSON.parse(event.progress) as Progress),
    into: event.into === undefined ? null : Number(event.into),
  };
}

function toParts(seq: string, outbox: Record<string, string>): Part[] {
  return Object.entries(outbox).map(([partId, value]) => ({
    partId,
    seq: Number(seq),
    state: value.split(" ", 1)[0] ?? "",
  }));
}

function toTurns(conversation: string, turns: readonly string[]): { conversation: string; turn: Turn }[] {
  return turns.map((turn) => ({
    conversation,
    turn: JSON.parse(turn.replace(/^\S+ -?\d+ /, "")) as Turn,
  }));
}
