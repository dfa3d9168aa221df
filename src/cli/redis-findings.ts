import { redisConnection } from "../app/store.ts";
import type { Config } from "../config/load.ts";
import { GatewayError } from "../domain/errors.ts";
import { inspectRedis } from "../store/redis/index.ts";
import { judge } from "../store/redis/inspect.ts";
import { type Finding, fail, ok, warn } from "./findings.ts";

const FIXES: Partial<Record<string, string>> = {
  STORE_UNAVAILABLE: "start it, or check REDIS_URL and store.redis in gateway.yaml",
  STORE_UNSAFE: "see docs/replicas.md",
};

const WRITE_FIX =
  "see to what it says: its memory, its disk or its replicas. Until then events are spooled, or refused";

/** What the servers behind REDIS_URL say of themselves, judged as `serve` judges it. Nothing is opened or written. */
export async function redisFindings(config: Config): Promise<Finding[]> {
  try {
    const { nodes, refusal } = await inspectRedis(redisConnection(config), Math.random);
    const { durability, report } = judge(nodes, config.gateway.store.redis.accept_loss);
    if (refusal !== null)
      return [fail("redis", `STORE_UNAVAILABLE: it takes no writes: ${refusal}`, WRITE_FIX)];
    return [
      durability === "none"
        ? warn("redis", report, "CONFIG SET appendonly yes, and the same in redis.conf")
        : ok("redis", report),
    ];
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return [fail("redis", `${error.code}: ${error.message}`, FIXES[error.code] ?? "see docs/errors.md")];
  }
}
