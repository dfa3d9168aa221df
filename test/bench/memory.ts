import { setTimeout as wait } from "node:timers/promises";
import { telegramSampler } from "../../adapters/telegram/sample.ts";
import { type FakeServer, fakeServer } from "../fakes/server.ts";
import { benchEnv } from "./accept.ts";
import { type BoundedGateway, startBounded } from "./bounded.ts";
import { drive, toWire } from "./drive.ts";
import { flood } from "./flood.ts";
import { KEYS, secretsOf } from "./secrets.ts";
import { startServer } from "./server-process.ts";

/** Resident memory, of the whole process. */
export interface MemoryRow {
  readonly name: string;
  /** The most that it was. */
  readonly peakBytes: number;
  /** A while after the last message. */
  readonly laterBytes: number;
  readonly goal: string;
}

export interface MemoryCost {
  readonly options: MemoryOptions;
  readonly isBounded: boolean;
  readonly rows: readonly MemoryRow[];
  /** Share of a core when nothing happens. */
  readonly idleShare: number;
  /** Processor time for one message at a low rate, the idle one included. */
  readonly cpuMicros: number;
  /** The same for a server that only verifies and makes the same call: what any server takes there whose caches are cold. */
  readonly bareMicros: number;
  /** What was answered to unverified bodies. */
  readonly statuses: Readonly<Record<string, number>>;
}

export interface MemoryOptions {
  readonly boundBytes: number;
  readonly events: number;
  readonly waiting: number;
  readonly connections: number;
  readonly bodyBytes: number;
  /** How long after the last message memory is looked at again. */
  readonly laterMs: number;
  /** How long the cost of idleness, and of a low rate, is measured. */
  readonly idleMs: number;
  readonly perSecond: number;
}

const SLICE = 2_500;
const CONNECTIONS = 64;
/** Away from what starting leaves to be done, and to be collected. */
const WARM_UP_MS = 25_000;

/** What a gateway takes of a small machine: while much comes, while much waits, and when nothing happens. */
export async function benchMemory(options: MemoryOptions): Promise<MemoryCost> {
  const platform = await countingPlatform();
  const env = { TELEGRAM_API_ROOT: platform.url };
  const start = () => startBounded(benchEnv({ acceptOnly: false, env }), options.boundBytes);
  try {
    const quiet = await start();
    const idle = await idleAndSlow(quiet, platform, options);
    const flooded = await start();
    const { statuses } = await floodUnverified(flooded, options);
    const full = await start();
    await send(full, options.waiting, () => "demo: sleep 60m");
    const busy = await start();
    const before = platform.messages;
    await send(busy, options.events, (index) => `message ${index}: what is the state of the deployment?`);
    await platform.heard(before + options.events);
    await wait(options.laterMs);
    const rows = [
      rowOf(`${options.events.toLocaleString("en")} events answered`, busy, "300, then 200"),
      rowOf(
        `${options.connections} × ${options.bodyBytes / 2 ** 20} MiB unverified`,
        flooded,
        "300, then 200",
      ),
      rowOf(`${options.waiting.toLocaleString("en")} events waiting`, full, "300"),
      rowOf(`idle, and ${options.perSecond} a second`, quiet, "150"),
    ];
    await Promise.all([quiet, flooded, full, busy].map((one) => one.stop()));
    return { options, isBounded: busy.isBounded, rows, ...idle, statuses };
  } finally {
    await platform.close();
  }
}

function rowOf(name: string, gateway: BoundedGateway, goal: string): MemoryRow {
  const { nowBytes, peakBytes } = gateway.rss();
  return { name, peakBytes, laterBytes: nowBytes, goal };
}

/** The signature has the right form and is false, so that only the whole body tells. */
function floodUnverified({ port, pid }: BoundedGateway, { connections, bodyBytes }: MemoryOptions) {
  const url = `http://127.0.0.1:${port}`;
  return flood({
    url,
    pid,
    path: "/webhooks/slack",
    headers: {
      "content-type": "application/json",
      "x-slack-request-timestamp": String(Math.floor(Date.now() / 1000)),
      "x-slack-signature": `v0=${"0".repeat(64)}`,
    },
    connections,
    bytes: bodyBytes,
    afterMs: 0,
    honest: async () => (await fetch(`${url}/health`)).status,
  });
}

async function idleAndSlow(
  gateway: BoundedGateway,
  platform: CountingPlatform,
  { idleMs, perSecond }: MemoryOptions,
): Promise<{ idleShare: number; cpuMicros: number; bareMicros: number }> {
  await using stack = new AsyncDisposableStack();
  const bare = await startServer("answered/bare.ts", {
    env: { ...secretsOf(), TELEGRAM_API_ROOT: platform.url },
  });
  stack.defer(() => bare.stop());
  const servers = [gateway, bare];
  for (const server of servers) {
    const before = platform.messages;
    await send(server, 100, () => "warm up");
    await platform.heard(before + 100);
  }
  await wait(WARM_UP_MS);
  const atStart = gateway.cpuMicros();
  await wait(idleMs);
  const idleMicros = gateway.cpuMicros() - atStart;

  const messages = Math.round((idleMs / 1000) * perSecond);
  const startedAt = performance.now();
  const before = { cpu: servers.map((server) => server.cpuMicros()), messages: platform.messages };
  for (let index = 0; index < messages; index++) {
    await wait(Math.max(0, startedAt + (index * 1000) / perSecond - performance.now()));
    // Both have the same neighbours then.
    await Promise.all(servers.map((server) => send(server, 1, () => "slow")));
  }
  await platform.heard(before.messages + servers.length * messages);
  const [cpuMicros = 0, bareMicros = 0] = servers.map(
    (server, n) => (server.cpuMicros() - (before.cpu[n] ?? 0)) / messages,
  );
  return { idleShare: idleMicros / 1000 / idleMs, cpuMicros, bareMicros };
}

/** Of a new person each, in a conversation each. */
async function send(
  { port }: Pick<BoundedGateway, "port">,
  count: number,
  text: (index: number) => string,
): Promise<void> {
  for (let from = 0; from < count; from += SLICE) {
    const batch = Array.from({ length: Math.min(SLICE, count - from) }, (_, i) => update(text(from + i)));
    const { statuses } = await drive(port, batch, CONNECTIONS);
    if (statuses.get(200) !== batch.length) throw new Error(`Got ${JSON.stringify([...statuses])}`);
  }
}

let updates = 0;
function update(text: string): Buffer {
  const id = String(10_000_000 + updates++);
  const options = { kind: "message", nowMs: Date.now(), secret: KEYS.telegram, user: id, channel: id };
  return toWire(telegramSampler.build({ ...options, text, id }));
}

interface CountingPlatform extends FakeServer {
  readonly messages: number;
  heard(messages: number): Promise<void>;
}

/** Answers at once, and counts what is said. */
async function countingPlatform(): Promise<CountingPlatform> {
  let messages = 0;
  let onMessage = () => {};
  const server = await fakeServer(({ path }) => {
    if (path.endsWith("/sendMessage")) {
      messages++;
      server.calls.length = 0;
      onMessage();
    }
    const me = { id: 123456, is_bot: true, username: "bench_bot" };
    return { body: { ok: true, result: path.endsWith("/getMe") ? me : { message_id: 1 } } };
  });
  return {
    ...server,
    get messages() {
      return messages;
    },
    heard: (expected) =>
      new Promise((resolve) => {
        onMessage = () => {
          if (messages >= expected) resolve();
        };
        onMessage();
      }),
  };
}
