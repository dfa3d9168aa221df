import { once } from "node:events";
import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type WebSocket, WebSocketServer } from "ws";
import { slackSampler } from "../../adapters/slack/sample.ts";
import { fakeServer } from "../fakes/server.ts";
import { benchEnv } from "./accept.ts";
import { discordMention, socketDiscord } from "./discord-socket.ts";
import { type Drive, drive, median, percentile, toWire } from "./drive.ts";
import { KEYS, secretsOf } from "./secrets.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

export interface SocketsRow {
  readonly name: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicros: number;
  /** Median over the rounds of the processor time against that of the first of the same round. */
  readonly cpuRatio: number;
  readonly p50Ratio: number;
}

export interface SocketsResult {
  /** Of the same events, by webhook and over Socket Mode; and of as many messages over Discord's Gateway. */
  readonly ways: readonly SocketsRow[];
  /** Of mentions in a thread, without looking anything up and with all that is looked up, at a Slack that takes its time. */
  readonly lookUps: readonly SocketsRow[];
}

interface Slice extends Pick<Drive, "seconds" | "latencies"> {
  readonly cpuMicros: number;
}

const IN_FLIGHT = 64;
const SLOW_MS = 1_500;
const APP_TOKEN = "xapp-1-A1-12-bench";

export async function benchSockets(options: { rounds: number; requests: number }): Promise<SocketsResult> {
  return { ways: await benchWays(options), lookUps: await benchLookUps(options) };
}

/** One gateway hears all of them. */
async function benchWays({ rounds, requests }: { rounds: number; requests: number }) {
  const slack = await socketSlack();
  const discord = await socketDiscord();
  const { DISCORD_BOT_TOKEN = "" } = secretsOf();
  const heard = { DISCORD_BOT_TOKEN, DISCORD_API_URL: discord.apiUrl };
  const gateway = await startServer("gateway.ts", {
    env: slackEnv(slack.apiUrl, { SLACK_APP_TOKEN: APP_TOKEN, ...heard }, ""),
  });
  try {
    await Promise.all([slack.connected, discord.connected]);
    await occupy(gateway);
    let index = 0;
    const batch = (count: number) => Array.from({ length: count }, () => mention(index++));
    const byWebhook = (samples: readonly Sample[]) => drive(gateway.port, samples.map(toWire), IN_FLIGHT);
    const messages = (count: number) =>
      Array.from({ length: count }, () => discordMention(index++, Date.now()));
    const bySocket = (samples: readonly Sample[]) => slack.drive(samples.map(({ body }) => body));
    return await inTurns(rounds, [
      { name: "webhook", gateway, drive: () => byWebhook(batch(requests)) },
      { name: "Socket Mode", gateway, drive: () => bySocket(batch(requests)) },
      { name: "Discord's Gateway", gateway, drive: () => discord.drive(messages(requests), IN_FLIGHT) },
    ]);
  } finally {
    await gateway.stop();
    await slack.close();
    await discord.close();
  }
}

async function benchLookUps({ rounds, requests }: { rounds: number; requests: number }) {
  const slow = await fakeServer(async ({ path }) => {
    if (LOOKED_UP.some((method) => path.endsWith(method))) await sleep(SLOW_MS);
    return answerTo(path);
  });
  const apiUrl = `${slow.url}/api/`;
  const start = (spec: string) => startServer("gateway.ts", { env: slackEnv(apiUrl, {}, spec) });
  const nothing = "  platforms: { slack: { names: off, thread_context: { messages: 0 } } }\n";
  const all = "  routes: [{ match: { role: S1 }, agent: assistant }, { agent: assistant }]\n";
  const servers = [await start(nothing), await start(all)] as const;
  try {
    await Promise.all(servers.map(occupy));
    let index = 0;
    const batch = () =>
      Array.from({ length: Math.ceil(requests / 2) }, () => {
        const number = index++;
        const thread = `17${String(10_000_000 + number)}.000100`;
        return toWire(mention(number, { text: `what does <@U${number}x> say in <#C7>?`, thread }));
      });
    const contender = (name: string, gateway: ServerProcess) => ({
      ...{ name, gateway },
      drive: () => drive(gateway.port, batch(), IN_FLIGHT),
    });
    return await inTurns(rounds, [
      contender("nothing looked up", servers[0]),
      contender("names, thread and user groups", servers[1]),
    ]);
  } finally {
    await Promise.all(servers.map((one) => one.stop()));
    await slow.close();
  }
}

/** Its only place for a run is taken by one that sleeps, so that it does nothing but accept. */
async function occupy({ port }: ServerProcess): Promise<void> {
  await drive(port, [toWire(mention(0, { text: "demo: sleep 10m", kind: "dm" }))], 1);
}

type Sample = ReturnType<typeof slackSampler.build>;

function mention(index: number, more: { text?: string; thread?: string; kind?: string } = {}): Sample {
  return slackSampler.build({
    ...{ kind: "mention", text: `benchmark message ${index}: what is the state?`, secret: KEYS.slack },
    ...{
      id: `${process.pid}.${index}`,
      nowMs: Date.now(),
      user: `U${10_000_000 + index}`,
      channel: `C${index}`,
    },
    ...more,
  });
}

function slackEnv(apiUrl: string, more: Record<string, string>, spec: string): Record<string, string> {
  const { SLACK_SIGNING_SECRET = "", SLACK_BOT_TOKEN = "" } = secretsOf();
  const secrets = { SLACK_SIGNING_SECRET, SLACK_BOT_TOKEN, SLACK_API_URL: apiUrl, ...more };
  const env = benchEnv({ acceptOnly: false, secrets });
  const limits =
    "  limits: { user: off, conversation: off, tenant: off, global: off }\n  queue: { waiting: 10000000, concurrency: 1 }\n";
  const folder = env.PARLEY_CONFIG ?? "";
  writeFileSync(join(folder, "gateway.yaml"), `kind: Gateway\nspec:\n${limits}${spec}`);
  // What sleeps is not woken by its budget.
  const long = "limits: { max_execution_time_seconds: 900 }, budgets: { time_seconds: 900 }";
  const agent = `kind: Agent\nmetadata: { name: assistant }\nspec: { model: { provider: demo }, ${long} }\n`;
  writeFileSync(join(folder, "agents", "assistant.yaml"), agent);
  return env;
}

const LOOKED_UP = ["users.info", "conversations.info", "conversations.replies", "usergroups.list"];

function answerTo(path: string): { readonly body: object } {
  if (path.endsWith("auth.test")) return { body: { ok: true, team_id: "T1", user_id: "UBOT", bot_id: "B1" } };
  return { body: { ok: true, ts: "1800000000.000100", channel: "C1", messages: [], usergroups: [] } };
}

/** Slack as far as Socket Mode needs it: what it hears is counted, and nothing else is kept. */
async function socketSlack() {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const address = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const api = await fakeServer(({ path }) =>
    path.endsWith("apps.connections.open") ? { body: { ok: true, url: address } } : answerTo(path),
  );
  const acked = new Map<string, () => void>();
  const sockets: WebSocket[] = [];
  server.on("connection", (socket) => {
    sockets.push(socket);
    socket.on("message", (data: Buffer) => {
      const { envelope_id: id } = JSON.parse(String(data)) as { envelope_id: string };
      acked.get(id)?.();
    });
    socket.send(
      JSON.stringify({ type: "hello", num_connections: sockets.length, connection_info: { app_id: "A1" } }),
    );
  });
  let sent = 0;
  const deliver = (payload: string) =>
    new Promise<void>((resolve) => {
      const id = `env-${++sent}`;
      acked.set(id, () => {
        acked.delete(id);
        resolve();
      });
      const head = `{"envelope_id":"${id}","type":"events_api","accepts_response_payload":false`;
      sockets[sent % sockets.length]?.send(
        `${head},"retry_attempt":0,"retry_reason":"","payload":${payload}}`,
      );
    });
  return {
    apiUrl: `${api.url}/api/`,
    connected: once(server, "connection"),
    async drive(payloads: readonly string[]): Promise<Pick<Drive, "seconds" | "latencies">> {
      const latencies = new Float64Array(payloads.length);
      let next = 0;
      const lane = async () => {
        for (let at = next++; at < payloads.length; at = next++) {
          const sentAt = performance.now();
          await deliver(payloads[at] ?? "");
          latencies[at] = performance.now() - sentAt;
        }
      };
      const startedAt = performance.now();
      await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
      return { seconds: (performance.now() - startedAt) / 1000, latencies: latencies.sort() };
    },
    async close() {
      for (const client of server.clients) client.terminate();
      server.close();
      await api.close();
    },
  };
}

interface Contender {
  readonly name: string;
  readonly gateway: ServerProcess;
  readonly drive: () => Promise<Pick<Drive, "seconds" | "latencies">>;
}

/** The first round warms up and is not counted. */
async function inTurns(rounds: number, contenders: readonly Contender[]): Promise<SocketsRow[]> {
  const slices = contenders.map((): Slice[] => []);
  for (let round = 0; round <= rounds; round++)
    for (const [at, { gateway, drive }] of contenders.entries()) {
      const before = gateway.cpuMicros();
      const { seconds, latencies } = await drive();
      const cpuMicros = (gateway.cpuMicros() - before) / latencies.length;
      if (round > 0) slices[at]?.push({ seconds, latencies, cpuMicros });
    }
  const [first = []] = slices;
  return contenders.map(({ name }, at) => rowOf(name, slices[at] ?? [], first));
}

function rowOf(name: string, slices: readonly Slice[], first: readonly Slice[]): SocketsRow {
  const p50 = ({ latencies }: Slice) => percentile(latencies, 0.5);
  const ratio = (of: (slice: Slice) => number) =>
    median(slices.map((slice, round) => of(slice) / of(first[round] ?? slice)));
  return {
    name,
    perSecond: median(slices.map(({ latencies, seconds }) => latencies.length / seconds)),
    p50Ms: median(slices.map(p50)),
    p99Ms: median(slices.map(({ latencies }) => percentile(latencies, 0.99))),
    cpuMicros: median(slices.map(({ cpuMicros }) => cpuMicros)),
    cpuRatio: ratio(({ cpuMicros }) => cpuMicros),
    p50Ratio: ratio(p50),
  };
}

/** What looking up may add to the acknowledgement, as a share: nothing, and the noise of a machine. */
const ADDS_MAX = 1.1;

/** As the page has it. */
export function socketsTable({ ways, lookUps }: SocketsResult): string {
  const figures = ({ name, perSecond, p50Ms, p99Ms, cpuMicros }: SocketsRow) =>
    [name, perSecond.toFixed(0), p50Ms.toFixed(1), p99Ms.toFixed(1), cpuMicros.toFixed(0)].join(" | ");
  const said = (isReached: boolean) => (isReached ? "reached" : "**missed**");
  const waysLines = ways.map((row, at) => {
    const verdict = at === 0 ? "" : `≤ 1: ${said(row.cpuRatio <= 1)}`;
    return `| ${figures(row)} | ${row.cpuRatio.toFixed(2)} | ${verdict} |`;
  });
  const lookUpLines = lookUps.map((row, at) => {
    const [waits, adds] = [row.p99Ms < SLOW_MS, row.p50Ratio <= ADDS_MAX];
    const verdict = at === 0 ? "" : `p99 < ${SLOW_MS}: ${said(waits)}; p50 ≤ ${ADDS_MAX}: ${said(adds)}`;
    return `| ${figures(row)} | ${row.p50Ratio.toFixed(2)} | ${verdict} |`;
  });
  return `## Sockets, and what is looked up

The same mentions on Slack, ${IN_FLIGHT} at a time, by webhook and over Socket Mode: until the acknowledgement, which says that they are on
disk; and as many on Discord over its Gateway, until a heartbeat says so. One gateway hears all in turns. Here and below the only place for a run is taken, so that nothing but accepting is measured.

| | events/s | p50 ms | p99 ms | CPU µs/event | CPU ÷ webhook | goal |
|-|-|-|-|-|-|-|
${waysLines.join("\n")}

Mentions in threads that the bot does not know, of people and channels that it does not know, as many at a time, at a Slack that
takes ${SLOW_MS} ms for each name, thread and list of user groups. A run waits for them; an acknowledgement that did would take that long.

| | events/s | p50 ms | p99 ms | CPU µs/event | p50 ÷ nothing | goal |
|-|-|-|-|-|-|-|
${lookUpLines.join("\n")}
`;
}
