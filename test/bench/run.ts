/**
 * `npm run bench`: everything in one run, contenders taking turns. Prints the tables and writes docs/benchmarks.md.
 * `npm run bench -- --quick` is done sooner and writes nothing; neither does `--only memory`, or several names with
 * commas between.
 */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { benchAccept } from "./accept.ts";
import { firstShownTable, mcpTable, parkedTable, stepsTable } from "./agents/report.ts";
import { answeredTable } from "./answered/report.ts";
import { benchConversations } from "./conversations.ts";
import { liveTable } from "./live/report.ts";
import { benchMemory } from "./memory.ts";
import { memoryReport } from "./memory-report.ts";
import { benchOverhead } from "./overhead.ts";
import { inOwnProcess } from "./own-process.ts";
import { benchProcess } from "./process.ts";
import {
  redisAcceptTable,
  redisConversationsTable,
  redisMemoryTable,
  redisScriptsTable,
  redisWorkTable,
} from "./redis/report.ts";
import { secretsOf } from "./secrets.ts";
import { benchSockets, socketsTable } from "./sockets.ts";
import { benchStreams, type StreamsRow, streamsTable } from "./streams.ts";
import { type AcceptRow, acceptLine } from "./turns.ts";
import { benchVerify } from "./verify.ts";

const GOALS: Readonly<Record<string, string>> = {
  slack: "≥ 0.25, ≤ 4.5",
  telegram: "≤ 4",
  whatsapp: "≤ 4",
  discord: "≤ 6",
};

/** In the order of the page. */
const TABLES: Readonly<Record<string, (isQuick: boolean) => Promise<string>>> = {
  answered: answeredTable,
  accept: acceptTable,
  verify: verifyTable,
  overhead: overheadTable,
  conversations: conversationsTable,
  streams: benchStreamsTable,
  steps: stepsTable,
  first: firstShownTable,
  parked: parkedTable,
  mcp: mcpTable,
  sockets: benchSocketsTable,
  ws: liveTable,
  process: processTable,
  memory: memoryTable,
  "redis-accept": redisAcceptTable,
  "redis-work": redisWorkTable,
  "redis-conversations": redisConversationsTable,
  "redis-memory": redisMemoryTable,
  "redis-scripts": redisScriptsTable,
};

const values = new Command("npm run bench --")
  .description("Measures, against peers in the same run, and writes docs/benchmarks.md.")
  .option("--quick", "sooner and less exact; writes nothing")
  .option("--only <tables>", `some of ${Object.keys(TABLES).join(", ")}; writes nothing`, tablesIn)
  .parse()
  .opts<{ quick?: true; only?: string[] }>();
const isQuick = values.quick ?? false;
const names = values.only ?? Object.keys(TABLES);
const tables: string[] = [];
for (const name of names) tables.push((await TABLES[name]?.(isQuick)) ?? "");
const report = [intro(), ...tables].join("\n");
console.log(report);
if (!isQuick && values.only === undefined)
  writeFileSync(resolve(import.meta.dirname, "../../docs/benchmarks.md"), report);

function tablesIn(given: string): string[] {
  const names = given.split(",");
  for (const name of names)
    if (TABLES[name] === undefined)
      throw new InvalidArgumentError(`Expected names of ${Object.keys(TABLES).join(", ")}.`);
  return names;
}

function intro(): string {
  return `# Benchmarks

Written by \`npm run bench\` (Node ${process.versions.node}, ${cpus().length} cores). But for the first table nothing is
pinned: where only accepting is measured, the gateway has two busy threads, and one core for both would measure the
scheduler. Each table has a process of its own for its
load. Contenders take turns in one run, and ratios are medians over the rounds against the bare server of the same round.
Absolute figures depend on the machine and on what else it does: **trust the ratios**.
`;
}

async function acceptTable(isQuick: boolean): Promise<string> {
  const options = isQuick ? { rounds: 3, requests: 2_000 } : { rounds: 11, requests: 5_000 };
  const rows = await inOwnProcess(new URL("accept.ts", import.meta.url), benchAccept, options);
  return `## Accepting a webhook

Unique, correctly signed events over 64 connections; durability \`power\` (a commit with fsync before each 200), log,
metrics and limits on. The bare server is \`node:http\`: it reads the body and answers 200.

| | requests/s | p50 ms | p99 ms | CPU µs/request | rate ÷ bare | CPU ÷ bare | goal |
|-|-|-|-|-|-|-|-|
${rows.map(lineOf).join("\n")}
`;
}

async function verifyTable(isQuick: boolean): Promise<string> {
  const verify = benchVerify({ rounds: isQuick ? 3 : 11 });
  return `## Verifying Ed25519

| | µs |
|-|-|
| Parley (node:crypto, cached key) | ${verify.parleyMicros.toFixed(0)} |
| tweetnacl | ${verify.tweetnaclMicros.toFixed(0)} |
| **ratio** | **${verify.ratio.toFixed(0)}** (goal: at least 50) |
`;
}

async function overheadTable(isQuick: boolean): Promise<string> {
  const options = { messages: isQuick ? 1_000 : 6_000, perSecond: 200 };
  const overhead = await inOwnProcess(new URL("overhead.ts", import.meta.url), benchOverhead, options);
  return `## From webhook to reply

${overhead.messages} Telegram messages at ${overhead.perSecond} a second, open loop; the demo model answers at once; the
platform's API is a server on loopback. Everything between is the gateway: accept, run, deliver, each durable.

| p50 ms | p99 ms | CPU µs/message | goal |
|-|-|-|-|
| ${overhead.p50Ms.toFixed(1)} | ${overhead.p99Ms.toFixed(1)} | ${overhead.cpuMicros.toFixed(0)} | 5 and 20 ms |
`;
}

async function benchStreamsTable(): Promise<string> {
  const rows: StreamsRow[] = [];
  for (const order of [
    { platform: "slack", preview: "on", conversations: 100 },
    { platform: "discord", preview: "on", conversations: 100 },
    { platform: "discord", preview: "off", conversations: 100 },
    { platform: "slack", preview: "on", conversations: 200 },
    { platform: "discord", preview: "on", conversations: 200 },
  ] as const)
    rows.push(await inOwnProcess(new URL("streams.ts", import.meta.url), benchStreams, order));
  return streamsTable(rows);
}

async function benchSocketsTable(isQuick: boolean): Promise<string> {
  const options = isQuick ? { rounds: 3, requests: 1_000 } : { rounds: 5, requests: 2_000 };
  return socketsTable(await inOwnProcess(new URL("sockets.ts", import.meta.url), benchSockets, options));
}

async function conversationsTable(isQuick: boolean): Promise<string> {
  const options = isQuick ? { idle: 100_000, rounds: 3 } : { idle: 1_000_000, rounds: 7 };
  const module = new URL("conversations.ts", import.meta.url);
  const conversations = await inOwnProcess(module, benchConversations, options);
  return `## Many conversations

Accept latency at one request in flight, with ${conversations.idle.toLocaleString("en")} idle conversations in the store and with none, taking turns.

| | p50 ms |
|-|-|
| empty store | ${conversations.emptyP50Ms.toFixed(2)} |
| full store | ${conversations.fullP50Ms.toFixed(2)} |
| **ratio** | **${conversations.ratio.toFixed(2)}** (goal: at most 1.5) |
`;
}

async function processTable(): Promise<string> {
  const started = await benchProcess(secretsOf());
  return `## The process

| | | goal |
|-|-|-|
| from start to the first reply | ${(started.firstReplyMs / 1000).toFixed(2)} s | 3 s |
| resident memory when idle, four platforms on | ${(started.idleRssBytes / 2 ** 20).toFixed(0)} MiB | 150 MB |
`;
}

async function memoryTable(isQuick: boolean): Promise<string> {
  const options = {
    boundBytes: 512 * 2 ** 20,
    events: isQuick ? 20_000 : 100_000,
    waiting: 40_000,
    connections: 300,
    bodyBytes: 4 * 2 ** 20,
    laterMs: isQuick ? 20_000 : 60_000,
    idleMs: 10_000,
    perSecond: 10,
  };
  return memoryReport(await inOwnProcess(new URL("memory.ts", import.meta.url), benchMemory, options));
}

function lineOf(row: AcceptRow): string {
  return acceptLine(row, [row.rateRatio.toFixed(2), row.cpuRatio.toFixed(2), GOALS[row.name] ?? ""]);
}
