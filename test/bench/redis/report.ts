import { inOwnProcess } from "../own-process.ts";
import { type AcceptRow, acceptLine } from "../turns.ts";
import { benchRedisAccept, type RedisAccept } from "./accept.ts";
import { benchRedisConversations, type RedisConversationsCost } from "./conversations.ts";
import { benchRedisMemory, type MemoryRow } from "./memory.ts";
import { benchRedisScripts, type ScriptRow } from "./scripts.ts";
import { benchRedisWork, type WorkRow } from "./work.ts";

export async function redisAcceptTable(isQuick: boolean): Promise<string> {
  const module = new URL("accept.ts", import.meta.url);
  const options = isQuick ? { rounds: 3, requests: 2_000 } : { rounds: 11, requests: 5_000 };
  return acceptReport(await inOwnProcess(module, benchRedisAccept, options));
}

export async function redisWorkTable(isQuick: boolean): Promise<string> {
  const module = new URL("work.ts", import.meta.url);
  const options = isQuick ? { rounds: 2, events: 3_000 } : { rounds: 7, events: 10_000 };
  return workReport(await inOwnProcess(module, benchRedisWork, options));
}

export async function redisConversationsTable(isQuick: boolean): Promise<string> {
  const module = new URL("conversations.ts", import.meta.url);
  const options = isQuick ? { many: 50_000, rounds: 5 } : { many: 1_000_000, rounds: 15 };
  return conversationsReport(await inOwnProcess(module, benchRedisConversations, options));
}

export async function redisMemoryTable(isQuick: boolean): Promise<string> {
  const module = new URL("memory.ts", import.meta.url);
  return memoryReport(await inOwnProcess(module, benchRedisMemory, { copies: isQuick ? 10_000 : 100_000 }));
}

export async function redisScriptsTable(isQuick: boolean): Promise<string> {
  const module = new URL("scripts.ts", import.meta.url);
  const waiting = isQuick ? 10_000 : 100_000;
  return scriptsReport(await inOwnProcess(module, benchRedisScripts, { waiting }), waiting);
}

const GOALS: Readonly<Record<string, string>> = {
  "slack, appendfsync everysec": "≥ 0.25",
  "slack, appendfsync always": "≥ 0.20",
};

function acceptReport(accept: RedisAccept): string {
  return `## On Redis: accepting a webhook

As above, with \`REDIS_URL\` instead of the file, one gateway process and one Redis. Each event is of a new person in a new
conversation. No rewrite of the append-only file falls into it.

| | requests/s | p50 ms | p99 ms | CPU µs/request, gateway | CPU µs/request, Redis | rate ÷ bare | goal |
|-|-|-|-|-|-|-|-|
${accept.rows.map(lineOf).join("\n")}

${accept.spooled > 0 ? `Redis was away for a moment: ${number(accept.spooled)} events went through the spool. ` : ""}For ${number(accept.webhooks)} webhooks the gateway asked Redis for ${commandsOf(accept)}, by \`MONITOR\`. Only \`accept\` comes with
webhooks, one round trip for up to 16 that came at once; anything else comes with time.
`;
}

function workReport(work: readonly WorkRow[]): string {
  const [settled] = work;
  return `## On Redis: through two workers

Events of 500 conversations go into the queue from one process with 64 in flight, \`appendfsync everysec\`, and then out of
it through two worker processes with 100 slots each. *Claim and settle* has an agent that does nothing; *a whole answer*
is what a run asks of the store when the model answers at once: history, progress, reservation, receipt, settlement. BullMQ
does plain jobs with job ids in the same run: no order, no limits, no fairness, no claims that a stalled worker could lose
without saying anything twice. CPU is in µs for one event, of Redis and of its clients.

| | in, events/s | CPU Redis | CPU client | in ÷ BullMQ | out, events/s | CPU Redis | CPU clients | out ÷ BullMQ |
|-|-|-|-|-|-|-|-|-|
${work.map(workLine).join("\n")}

From claim to settlement: **${number(settled?.drain.perSecond ?? 0)} events a second** (goal: at least 2,000).
`;
}

function conversationsReport(conversations: RedisConversationsCost): string {
  const { few, many } = conversations;
  return `## On Redis: many conversations

Microseconds for one event, 64 in flight, with ${number(few)} and with ${number(many)} conversations in Redis that were answered
once, taking turns. The events are messages in some of those.

| | ${number(few)} | ${number(many)} | ratio (goal: at most 1.5) |
|-|-|-|-|
| accept | ${conversations.accept.fewMicros.toFixed(0)} | ${conversations.accept.manyMicros.toFixed(0)} | **${conversations.accept.ratio.toFixed(2)}** |
| claim and settle | ${conversations.drain.fewMicros.toFixed(0)} | ${conversations.drain.manyMicros.toFixed(0)} | **${conversations.drain.ratio.toFixed(2)}** |
`;
}

function memoryReport(memory: readonly MemoryRow[]): string {
  return `## On Redis: memory

What \`used_memory\` grows by for each of a hundred thousand. [replicas.md](replicas.md#memory) makes a sum of it.

| | bytes |
|-|-|
${memory.map(({ name, bytes }) => `| ${name} | ${number(bytes)} |`).join("\n")}
`;
}

function scriptsReport(rows: readonly ScriptRow[], waiting: number): string {
  return `## On Redis: how long a script holds it

With ${number(waiting)} events that wait for a retry, each in a conversation of its own. While a script runs, nobody else is
served, so each that walks looks at so many at a time. Goal: 10 ms. \`SLOWLOG\` counts what else the machine does,
too; CPU is that of Redis.

| | scripts | longest by \`SLOWLOG\`, ms | CPU of one, ms |
|-|-|-|-|
${rows.map(scriptLine).join("\n")}
`;
}

function scriptLine({ name, scripts, longestMs, cpuMs }: ScriptRow): string {
  return `| ${name} | ${number(scripts)} | ${longestMs.toFixed(1)} | ${cpuMs.toFixed(1)} |`;
}

function lineOf(row: AcceptRow): string {
  return acceptLine(row, [row.besideMicros.toFixed(0), row.rateRatio.toFixed(2), GOALS[row.name] ?? ""]);
}

function commandsOf({ commands }: RedisAccept): string {
  return [...commands].map(([name, count]) => `${number(count)} \`${name}\``).join(", ");
}

function workLine({ name, accept, drain, acceptRatio, drainRatio }: WorkRow): string {
  const cells = [
    accept.perSecond.toFixed(0),
    accept.redisMicros.toFixed(0),
    accept.clientMicros.toFixed(0),
    acceptRatio.toFixed(2),
    drain.perSecond.toFixed(0),
    drain.redisMicros.toFixed(0),
    drain.clientMicros.toFixed(0),
    drainRatio.toFixed(2),
  ];
  return `| ${name} | ${cells.join(" | ")} |`;
}

function number(value: number): string {
  return Math.round(value).toLocaleString("en");
}
