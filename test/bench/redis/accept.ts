import { type RedisServer, startRedis } from "../../support/redis.ts";
import { benchEnv, requestsOf, SLACK } from "../accept.ts";
import { drive } from "../drive.ts";
import { cpuMicrosOf, type ServerProcess, startServer } from "../server-process.ts";
import { type AcceptRow, type Contender, takeTurns } from "../turns.ts";
import { commandsDuring } from "./monitor.ts";

export interface RedisAccept {
  readonly rows: readonly AcceptRow[];
  /** Events that did not go straight to Redis. */
  readonly spooled: number;
  readonly webhooks: number;
  /** What the gateway sent to Redis for them. */
  readonly commands: ReadonlyMap<string, number>;
}

const FSYNCS = ["everysec", "always"] as const;
const COUNTED = 1_000;

/** The gateway with Redis as its store against the bare server, taking turns. */
export async function benchRedisAccept(options: { rounds: number; requests: number }): Promise<RedisAccept> {
  await using stack = new AsyncDisposableStack();
  const bare = await startServer("bare.ts");
  stack.defer(() => bare.stop());
  const contenders: Contender[] = [{ name: "bare node:http", server: bare, request: requestsOf(SLACK) }];
  const gateways: { redis: RedisServer; server: ServerProcess }[] = [];
  for (const fsync of FSYNCS) {
    // Its file is not rewritten meanwhile: that would come whenever the file has doubled, and so to some rounds only.
    const redis = stack.use(await startRedis({ fsync, args: ["--auto-aof-rewrite-percentage", "0"] }));
    const env = benchEnv({ acceptOnly: true, env: { REDIS_URL: redis.url } });
    const server = await startServer("gateway.ts", { env });
    stack.defer(() => server.stop());
    gateways.push({ redis, server });
    contenders.push({
      name: `slack, appendfsync ${fsync}`,
      server,
      request: requestsOf(SLACK),
      besideMicros: () => cpuMicrosOf(redis.pid),
    });
  }
  const rows = await takeTurns(contenders, options);
  const [first] = gateways;
  if (first === undefined) throw new Error("Expected a gateway, got none");
  const { redis, server } = first;
  const spooled = await Promise.all(gateways.map((gateway) => spooledBy(gateway.server)));
  const request = requestsOf(SLACK);
  const batch = Array.from({ length: COUNTED }, (_, index) => request(1e9 + index));
  const commands = await commandsDuring(redis.port, async () => {
    await drive(server.port, batch, 64);
  });
  return { rows, spooled: spooled.reduce((sum, count) => sum + count, 0), webhooks: COUNTED, commands };
}

/** What Redis was too slow for once went to the file; that is another benchmark. */
async function spooledBy({ port }: ServerProcess): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  return Number(/^parley_spooled_total (\d+)/m.exec(await response.text())?.[1]);
}
