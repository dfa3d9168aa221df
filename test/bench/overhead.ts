import { Agent, request as httpRequest } from "node:http";
import { telegramSampler } from "../../adapters/telegram/sample.ts";
import { fakeServer } from "../fakes/server.ts";
import { benchEnv } from "./accept.ts";
import { percentile } from "./drive.ts";
import { KEYS } from "./secrets.ts";
import { startServer } from "./server-process.ts";

export interface Overhead {
  readonly messages: number;
  readonly perSecond: number;
  /** Webhook sent to reply received by the platform, milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the gateway for one message, in all threads. */
  readonly cpuMicros: number;
}

const WARM_UP = 1_000;

/**
 * The whole path at a steady rate: a Telegram update goes in, the demo model answers at once, the platform's API
 * (here, on loopback) gets the reply. Open loop: a slow answer does not slow the sender.
 */
export async function benchOverhead(options: { messages: number; perSecond: number }): Promise<Overhead> {
  const sentAt = new Map<string, number>();
  const latencies: number[] = [];
  let finished = () => {};
  const done = new Promise<void>((resolve) => {
    finished = resolve;
  });
  const total = options.messages + WARM_UP;
  let replies = 0;
  const platform = await fakeServer(({ path, body }) => {
    if (path.endsWith("/sendMessage")) {
      const marker = /message-(\d+)-/.exec(body)?.[1] ?? "";
      const at = sentAt.get(marker);
      if (at !== undefined && Number(marker) >= WARM_UP) latencies.push(performance.now() - at);
      if (++replies === total) finished();
    }
    const result = path.endsWith("/getMe")
      ? { id: 123456, is_bot: true, username: "bench_bot" }
      : { message_id: 1 };
    return { body: { ok: true, result } };
  });
  const gateway = await startServer("gateway.ts", {
    env: benchEnv({ acceptOnly: false, env: { TELEGRAM_API_ROOT: platform.url } }),
  });
  let cpuMicros = 0;
  const agent = new Agent({ keepAlive: true, maxSockets: 128 });
  try {
    const startedAt = performance.now();
    for (let i = 0; i < total; i++) {
      if (i === WARM_UP) cpuMicros = -gateway.cpuMicros();
      const dueAt = startedAt + (i * 1000) / options.perSecond;
      const early = dueAt - performance.now();
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
      sentAt.set(String(i), performance.now());
      post(gateway.port, agent, i);
    }
    await done;
    cpuMicros += gateway.cpuMicros();
  } finally {
    agent.destroy();
    await gateway.stop();
    await platform.close();
  }
  const sorted = Float64Array.from(latencies).sort();
  return {
    ...options,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    cpuMicros: cpuMicros / options.messages,
  };
}

function post(port: number, agent: Agent, index: number): void {
  const { path, headers, body } = telegramSampler.build({
    kind: "message",
    text: `message-${index}-`,
    id: `${process.pid}${index}`,
    nowMs: Date.now(),
    secret: KEYS.telegram,
    user: String(5_000_000 + index),
    channel: String(5_000_000 + index),
  });
  const outgoing = httpRequest(
    { port, host: "127.0.0.1", agent, method: "POST", path, headers },
    (response) => {
      if (response.statusCode !== 200) throw new Error(`The gateway answered ${response.statusCode}`);
      response.resume();
    },
  );
  outgoing.end(body);
}
