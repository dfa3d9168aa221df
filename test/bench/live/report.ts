import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { percentile } from "../drive.ts";
import { inOwnProcess } from "../own-process.ts";
import { nodeArgs } from "../server-process.ts";
import { type Said, steadyMs, type Telling } from "./orders.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";
const CONNECTIONS = 1_000;
const MESSAGES_PER_SECOND = 10_000;
const TENANTS = 20;

interface Options {
  readonly seconds: number;
  readonly shape: Shape;
}

/** Who wants what: each its own conversation, with the token of its workspace; or operators, all of them everything. */
type Shape = "own" | "all";

interface LiveRow {
  readonly shape: Shape;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly expected: number;
  readonly dropped: number;
  /** Neither came nor were told to be dropped. */
  readonly unaccounted: number;
  readonly cpuMicros: number;
  readonly rssBytes: number;
}

/** Events over WebSocket: 1,000 connections of one process, and 10,000 messages a second to all of them together. */
export async function liveTable(isQuick: boolean): Promise<string> {
  const rows: LiveRow[] = [];
  for (const shape of ["own", "all"] as const)
    rows.push(await inOwnProcess(new URL(import.meta.url), benchLive, { seconds: isQuick ? 5 : 30, shape }));
  return `## Live events over WebSocket

${CONNECTIONS.toLocaleString("en")} connections of one process, ${MESSAGES_PER_SECOND.toLocaleString("en")} messages a second to all of them together, for ${isQuick ? 5 : 30} seconds after
as many of warming up. Latency is from when a change was due to be published, through feed and bus, to when its reader has the
message. Readers are in one process of their own, on the same machine.

| | messages/s | p50 ms | p95 ms | p99 ms | longest ms | dropped | not counted | CPU µs/message | resident MiB | goal |
|-|-|-|-|-|-|-|-|-|-|-|
${rows.map(lineOf).join("\n")}
`;
}

const WORDS: Readonly<Record<Shape, string>> = {
  own: `each its own conversation, with ${TENANTS} tokens of workspaces`,
  all: "all of them the same, ten changes a second",
};

function lineOf(row: LiveRow): string {
  const share = ((100 * row.dropped) / row.expected).toFixed(2);
  const ms = (value: number) => value.toFixed(1);
  const cells = [
    WORDS[row.shape],
    row.perSecond.toFixed(0),
    ...[row.p50Ms, row.p95Ms, row.p99Ms, row.maxMs].map(ms),
    `${share} %`,
    String(row.unaccounted),
    row.cpuMicros.toFixed(0),
    (row.rssBytes / 2 ** 20).toFixed(0),
    "p95 < 150, dropped < 1 %, each counted",
  ];
  return `| ${cells.join(" | ")} |`;
}

export async function benchLive({ seconds, shape }: Options): Promise<LiveRow> {
  const server = startServer();
  const port = (await server.hear("port")).port;
  server.order({ tokensOf: TENANTS });
  const { tokens } = await server.hear("tokens");
  const counts = new Counts();
  const sockets: WebSocket[] = [];
  // A hundred at a time: the queue of a listening socket is bounded.
  for (let from = 0; from < CONNECTIONS; from += 100)
    sockets.push(
      ...(await Promise.all(
        Array.from({ length: 100 }, (_, n) => connect(port, { n: from + n, shape, tokens, counts })),
      )),
    );
  try {
    const changes = shape === "own" ? MESSAGES_PER_SECOND : MESSAGES_PER_SECOND / CONNECTIONS;
    const order: Telling = { perSecond: changes, seconds, conversations: CONNECTIONS, tenants: TENANTS };
    const expected = MESSAGES_PER_SECOND * seconds;
    await run(server, order, { counts, expected });
    const startedAt = performance.now();
    const { cpuMicros, rssBytes, missed } = await run(server, order, { counts, expected });
    const took = (performance.now() - startedAt) / 1000;
    const latencies = counts.latencies.slice(0, counts.got).sort();
    // Whoever has the token of a workspace is told that some of all are missing, and not how many.
    const dropped = counts.dropped + (shape === "own" ? missed : 0);
    return {
      ...{ shape, perSecond: counts.got / took, expected, rssBytes },
      p50Ms: percentile(latencies, 0.5),
      p95Ms: percentile(latencies, 0.95),
      p99Ms: percentile(latencies, 0.99),
      maxMs: latencies.at(-1) ?? 0,
      dropped,
      unaccounted: expected - counts.got - dropped,
      cpuMicros: cpuMicros / expected,
    };
  } finally {
    for (const socket of sockets) socket.terminate();
    server.end();
  }
}

/** What of it has not come five seconds after the end will not come. */
const LATE_MS = 5_000;

async function run(
  server: BenchServer,
  order: Telling,
  { counts, expected }: { counts: Counts; expected: number },
): Promise<{ cpuMicros: number; rssBytes: number; missed: number }> {
  const all = counts.begin(expected);
  server.order(order);
  const used = await server.hear("cpuMicros");
  const late = new Promise<void>((resolve) => setTimeout(resolve, LATE_MS).unref());
  await Promise.race([all, late]);
  return used;
}

/** What came in one run. */
class Counts {
  latencies = new Float64Array();
  got = 0;
  dropped = 0;
  #expected = 0;
  #done = () => {};

  begin(expected: number): Promise<void> {
    this.latencies = new Float64Array(expected);
    this.got = 0;
    this.dropped = 0;
    this.#expected = expected;
    return new Promise((resolve) => {
      this.#done = resolve;
    });
  }

  hear(data: Buffer): void {
    const frame = JSON.parse(data.toString("latin1")) as {
      type: string;
      detail?: string;
      count?: number | null;
    };
    if (frame.type === "event") {
      this.latencies[this.got++] = steadyMs() - Number(frame.detail);
    } else if (frame.type === "dropped") this.dropped += frame.count ?? 0;
    if (this.got + this.dropped >= this.#expected) this.#done();
  }
}

async function connect(
  port: number,
  { n, shape, tokens, counts }: { n: number; shape: Shape; tokens: readonly string[]; counts: Counts },
): Promise<WebSocket> {
  const tenant = n % TENANTS;
  const query = shape === "own" ? `?conversation=slack:T${tenant}:C${n}` : "";
  const token = shape === "own" ? tokens[tenant] : TOKEN;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws${query}`, {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
  });
  // It is watched by now.
  await once(socket, "message");
  socket.on("message", (data: Buffer) => counts.hear(data));
  return socket;
}

type BenchServer = ReturnType<typeof startServer>;

function startServer() {
  const child = spawn(process.execPath, [...nodeArgs(), join(import.meta.dirname, "server.ts")], {
    env: { ...process.env, PARLEY_ADMIN_TOKEN: TOKEN },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    order: (order: object) => child.stdin.write(`${JSON.stringify(order)}\n`),
    async hear<K extends "port" | "tokens" | "cpuMicros">(
      key: K,
    ): Promise<Extract<Said, Record<K, unknown>>> {
      const { value, done } = await lines.next();
      const said = done === true ? {} : (JSON.parse(value) as object);
      if (!(key in said)) throw new Error(`Expected ${key} of the server, got ${JSON.stringify(said)}`);
      return said as Extract<Said, Record<K, unknown>>;
    },
    end: () => child.kill("SIGTERM"),
  };
}
