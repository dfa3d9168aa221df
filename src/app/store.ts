import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../config/environment.ts";
import type { Config } from "../config/load.ts";
import type { GatewaySpec } from "../config/schema.ts";
import { GatewayError } from "../domain/errors.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { Clock, NewId, Random } from "../ports/clock.ts";
import type { Offer } from "../ports/inbox.ts";
import type { StillFile } from "../ports/still-file.ts";
import type { Store } from "../ports/store.ts";
import type { RedisConnection } from "../store/redis/connect.ts";
import type { RedisStoreOptions } from "../store/redis/index.ts";
import type { LateStore } from "../store/redis/later.ts";
import type { RedisMediaLimits } from "../store/redis/media.ts";
import type { SharedStore } from "../store/redis/store.ts";
import type { Spool } from "../store/spool/index.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { measured } from "./measured-store.ts";

export interface StoreContext {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Decides again about an event that waited in the spool; null: it is not for us any more. */
  readonly offerOf: (event: TriggerEvent) => Offer | null;
  /** The store is gone for good. */
  readonly onDeath: (error: Error) => void;
}

export interface OpenedStore {
  readonly store: Store;
  /** Where events are kept and what an acknowledgement survives there, in one line. */
  readonly report: () => string;
  /** Where replicas that share no folder keep files; null: this store is of one process. */
  readonly mediaWithin: SharedStore["mediaWithin"] | null;
  /** The database file of this process, for whoever copies it; null: there is none. */
  readonly still: StillFile | null;
  /** The local file that takes events while the store is away; null: there is none. */
  readonly spool: {
    readonly waiting: () => number;
    readonly check: Store["check"];
    readonly clear: Spool["clear"];
  } | null;
}

/** SQLite, or Redis where there is a REDIS_URL. Only the driver in use is loaded: the other is memory for nothing. */
export async function openStore(context: StoreContext): Promise<OpenedStore> {
  const { redisUrl } = context.config.environment;
  return redisUrl === null ? await openOwn(context) : await openShared(context);
}

async function openOwn({ config, clock, log, metrics, onDeath }: StoreContext): Promise<OpenedStore> {
  const { openSqliteStore } = await import("../store/sqlite/index.ts");
  const { gateway, environment } = config;
  const own = await openSqliteStore({
    file: join(environment.dataDir, "parley.db"),
    clock,
    limits: limitsOf(gateway),
    durability: gateway.store.durability,
    onDeath,
    log: (line, level = "warn") => log[level]({ note: line }, "store.note"),
  });
  const survives = gateway.store.durability === "power" ? "a power cut" : "a crash of Parley";
  const report = () => `SQLite, what was acknowledged survives ${survives}`;
  return { store: measured(own, metrics), report, mediaWithin: null, still: own.still, spool: null };
}

async function openShared(context: StoreContext): Promise<OpenedStore> {
  const { config, clock, random, newId, log, metrics, offerOf } = context;
  const spool = await openSpoolIfWanted(context);
  try {
    const { redis } = config.gateway.store;
    const { store: shared, report } = await openRedis(spool !== null, {
      connection: redisConnection(config),
      prefix: redis.prefix,
      acceptLoss: redis.accept_loss,
      // Without a folder nobody remembers what this process was called: its leases then run out by themselves.
      owner: spool?.owner ?? newId("own"),
      clock,
      random,
      limits: limitsOf(config.gateway),
      log: (line) => log.warn({ note: line }, "store.note"),
    });
    const store = measured(shared, metrics);
    const mediaWithin = (limits: RedisMediaLimits) => shared.mediaWithin(limits);
    if (spool === null) return { store, report, mediaWithin, still: null, spool: null };
    const attached = spool.attach(store, {
      ...{ offerOf, watermarks: shared.watermarks },
      ...counting(spool, metrics),
    });
    return {
      store: attached,
      report,
      mediaWithin,
      still: spool.still,
      spool: {
        waiting: () => spool.waiting,
        check: () => spool.check(),
        clear: () => spool.clear(),
      },
    };
  } catch (error) {
    await spool?.[Symbol.asyncDispose]();
    throw error;
  }
}

/** With a spool there is something to do without it: take what comes. */
async function openRedis(hasSpool: boolean, options: RedisStoreOptions): Promise<LateStore> {
  if (hasSpool) {
    const { openRedisStoreLater } = await import("../store/redis/later.ts");
    return await openRedisStoreLater(options);
  }
  const { openRedisStore } = await import("../store/redis/index.ts");
  const store = await openRedisStore(options);
  return { store, report: () => store.report };
}

async function openSpoolIfWanted({
  config,
  clock,
  random,
  log,
  onDeath,
}: StoreContext): Promise<Spool | null> {
  const { gateway, environment } = config;
  if (gateway.store.spool === "off") return null;
  const { openSpool } = await import("../store/spool/index.ts");
  try {
    return await openSpool({
      folder: environment.dataDir,
      clock,
      random,
      limits: limitsOf(gateway),
      log: (line, level = "warn") => log[level]({ note: line }, "store.note"),
      onDeath,
    });
  } catch (error) {
    if (gateway.store.spool === "on" || !(error instanceof GatewayError)) throw error;
    log.warn({ code: error.code, cause: error.message }, "spool.off");
    return null;
  }
}

/** The spool tells how many wait; what went in and what came out is the difference. */
function counting(spool: Spool, metrics: Metrics): { onChange: (waiting: number) => void } {
  let before = spool.waiting;
  metrics.spoolEvents.set(before);
  return {
    onChange(waiting) {
      if (waiting > before) metrics.spooled.inc(waiting - before);
      else metrics.spoolForwarded.inc(before - waiting);
      before = waiting;
      metrics.spoolEvents.set(waiting);
    },
  };
}

/** What the driver needs to reach Redis. Reads the files of TLS, which the configuration has found to be there. */
export function redisConnection({ gateway, environment }: RedisConfig): RedisConnection {
  const { cluster, sentinel, tls, wait_replicas } = gateway.store.redis;
  const { redisUrl: url, redisSentinelPassword: password } = environment;
  if (url === null) throw new GatewayError("CONFIG_INVALID", "Expected REDIS_URL to be set, got nothing");
  const read = (file: string | undefined) => (file === undefined ? null : readFileSync(file, "utf8"));
  return {
    url,
    cluster,
    sentinel: sentinel === "off" ? null : { ...sentinel, password },
    tls: url.reveal().startsWith("rediss://")
      ? {
          ca: read(tls.ca_file),
          cert: read(tls.cert_file),
          key: read(tls.key_file),
          servername: tls.servername ?? null,
          verify: tls.verify,
        }
      : null,
    waitReplicas: wait_replicas,
  };
}

interface RedisConfig {
  readonly gateway: Pick<GatewaySpec, "store">;
  readonly environment: Pick<Environment, "redisUrl" | "redisSentinelPassword">;
}

function limitsOf({ queue }: GatewaySpec) {
  return { waitingPerLaneMax: queue.waiting_per_conversation, waitingMax: queue.waiting };
}
