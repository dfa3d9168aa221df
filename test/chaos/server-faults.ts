import { setTimeout as sleep } from "node:timers/promises";
import type { Dice } from "../simulation/dice.ts";
import type { RedisServer } from "../support/redis.ts";
import type { Fleet } from "./fleet.ts";

export const GATEWAY_FAULTS = ["a gateway killed", "all gateways killed"] as const;
export const REDIS_FAULTS = [
  "Redis killed",
  "Redis stopped",
  "clients of Redis paused",
  "Redis out of memory",
  "Redis read-only",
  "Redis without enough replicas",
  "Redis cannot save",
] as const;
export type ServerFault = (typeof GATEWAY_FAULTS)[number] | (typeof REDIS_FAULTS)[number];

export interface Trouble {
  readonly fleet: Fleet;
  readonly redis: RedisServer;
  /** Those that may happen. */
  readonly faults: readonly ServerFault[];
  /** No gateway is killed while Redis is away or before the spools are empty again. */
  readonly isApart: boolean;
  /** Of how long Redis is away. */
  readonly awayMsMax: number;
  /** Of how long all is well between two faults. */
  readonly restMsMax: number;
  /** Hears of each fault when it is over. */
  readonly happened: (fault: ServerFault, durationMs: number) => void;
  /** Whoever has nothing broken at that moment breaks nothing more. */
  readonly isOver: () => boolean;
}

const DOWN_MS_MAX = 1_500;
const AWAY_MS_MIN = 100;
const NOBODY_PORT = 1;

/** Kills and starts gateways, takes Redis away and brings it back. Ends with all mended. */
export async function troubleServers(trouble: Trouble, dice: Dice): Promise<void> {
  const { faults, isApart } = trouble;
  const groups = isApart
    ? [faults]
    : [GATEWAY_FAULTS, REDIS_FAULTS].map((group) => group.filter((fault) => faults.includes(fault)));
  await Promise.all(groups.map((group) => inTurns(group, trouble, dice.fork())));
}

/** All of them once before any comes again. */
async function inTurns(group: readonly ServerFault[], trouble: Trouble, dice: Dice): Promise<void> {
  const { fleet, isApart, restMsMax, isOver, happened } = trouble;
  while (group.length > 0) {
    for (const fault of dice.shuffled(group)) {
      await sleep(dice.between(Math.ceil(restMsMax / 4), restMsMax));
      if (isOver()) return;
      if (isApart) await fleet.spoolsEmpty();
      const startedAt = performance.now();
      await hurt(fault, trouble, dice);
      happened(fault, performance.now() - startedAt);
    }
  }
}

async function hurt(fault: ServerFault, trouble: Trouble, dice: Dice): Promise<void> {
  const { fleet, redis } = trouble;
  const all = Array.from({ length: fleet.size }, (_, index) => index);
  const awayMs = dice.between(AWAY_MS_MIN, trouble.awayMsMax);
  switch (fault) {
    case "a gateway killed":
      return await killAndStart([dice.pick(all)], fleet, dice);
    case "all gateways killed":
      return await killAndStart(all, fleet, dice);
    case "Redis killed":
      await redis.kill();
      await sleep(awayMs);
      return await redis.restart();
    case "Redis stopped":
      redis.pause();
      await sleep(awayMs);
      return redis.resume();
    case "clients of Redis paused":
      await redis.clientPause(awayMs);
      return await sleep(awayMs);
    case "Redis out of memory":
      return await meanwhile(redis, ["maxmemory", "1mb", "0"], awayMs);
    case "Redis without enough replicas":
      return await meanwhile(redis, ["min-replicas-to-write", "1", "0"], awayMs);
    case "Redis cannot save": {
      const mend = await redis.failSaving();
      await sleep(awayMs);
      return await mend();
    }
    case "Redis read-only":
      // Of a master that nobody answers at: nothing is taken from there, and all is kept.
      await redis.cli("REPLICAOF", "127.0.0.1", NOBODY_PORT);
      await sleep(awayMs);
      return void (await redis.cli("REPLICAOF", "NO", "ONE"));
  }
}

/** For so long it is set otherwise; long enough, often, for several offers to be refused. */
async function meanwhile(
  redis: RedisServer,
  [name, during, after]: readonly [string, string, string],
  awayMs: number,
): Promise<void> {
  await redis.cli("CONFIG", "SET", name, during);
  await sleep(awayMs);
  await redis.cli("CONFIG", "SET", name, after);
}

async function killAndStart(victims: readonly number[], fleet: Fleet, dice: Dice): Promise<void> {
  await Promise.all(
    victims.map(async (index) => {
      await fleet.kill(index);
      await sleep(dice.between(0, DOWN_MS_MAX));
      await fleet.start(index);
    }),
  );
}
