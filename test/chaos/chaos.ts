import { configFolder, NO_LIMITS } from "../e2e/configuration.ts";
import { allRecords } from "../e2e/judge.ts";
import { openConversations } from "../e2e/load.ts";
import { openPlatforms } from "../e2e/platforms.ts";
import { Dice } from "../simulation/dice.ts";
import { startRedis } from "../support/redis.ts";
import { Fleet, type Role } from "./fleet.ts";
import { type ModelCall, startModelServer } from "./model-server.ts";
import {
  calmPlatforms,
  PLATFORM_FAULTS,
  type PlatformFault,
  saidAtMs,
  troublePlatforms,
} from "./platform-faults.ts";
import { GATEWAY_FAULTS, REDIS_FAULTS, type ServerFault, troubleServers } from "./server-faults.ts";
import { startTraffic } from "./traffic.ts";
import type { Evidence } from "./verdict.ts";

export interface ChaosOptions {
  readonly seed: number;
  /** Traffic and trouble last at least so long, until each fault has happened and every conversation has spoken. */
  readonly seconds: number;
  readonly conversations: number;
  readonly roles: readonly Role[];
  readonly spool: "on" | "off";
  /** See Trouble. */
  readonly isApart: boolean;
  readonly awayMsMax: number;
  /** How long all is well between two faults, at the longest. */
  readonly restMsMax: number;
  readonly without: readonly FaultGroup[];
  readonly note?: (line: string) => void;
}

export type FaultGroup = keyof typeof FAULTS;
type Fault = ServerFault | PlatformFault;

/** Everything that can go wrong, by whom it happens to. */
export const FAULTS = {
  gateways: GATEWAY_FAULTS,
  redis: REDIS_FAULTS,
  platforms: PLATFORM_FAULTS,
} as const;

export interface ChaosRun extends Evidence {
  readonly faults: Readonly<Record<string, number>>;
  /** Webhooks that were sent, and how many of them although they had been acknowledged. */
  readonly webhooks: number;
  readonly redelivered: number;
  readonly refused: ReadonlyMap<string, number>;
  readonly seconds: number;
  /** Every webhook with its answer, and what the gateways have said: to find out what went wrong. */
  readonly trail: readonly string[];
  readonly gatewaysSaid: string;
}

/** With room for a few turns, so that what is forgotten or remembered twice is seen. */
const AGENT = `apiVersion: parley/v1
kind: Agent
metadata: { name: assistant }
spec:
  model: { provider: anthropic, model: claude-sonnet-5, timeout_seconds: 20 }
  memory: { max_messages: 12 }
  budgets: { tokens: 1000000, cost_cents: 100000 }
`;

/** What a broken call may have cost counts for its day, and in an hour thousands are killed: over the usual 100 dollars. */
const GATEWAY = `${NO_LIMITS}  budgets: { global: { cost_cents: 1000000000 } }
`;

/** Gateways that share a real Redis, real traffic, and everything that can go wrong, from a seed. Gives what was seen. */
export async function chaos(options: ChaosOptions): Promise<ChaosRun> {
  const { seed, seconds, roles, spool, isApart, awayMsMax, restMsMax, without, note = () => {} } = options;
  const dice = new Dice(seed);
  const startedAt = performance.now();
  const elapsed = () => (performance.now() - startedAt) / 1000;
  await using platforms = await openPlatforms();
  await using model = await startModelServer(dice.fork(), Date.now);
  await using redis = await startRedis({ fsync: "always" });
  await using fleet = new Fleet({
    roles,
    config: configFolder(`${GATEWAY}  store: { spool: ${spool} }\n`, AGENT),
    env: { ...platforms.env, REDIS_URL: redis.url, ANTHROPIC_BASE_URL: model.url, PARLEY_LOG_LEVEL: "warn" },
  });
  await fleet.startAll();

  const conversations = openConversations(options.conversations);
  const wanted = (Object.keys(FAULTS) as FaultGroup[]).filter((group) => !without.includes(group));
  const faults = new Map<Fault, number>(wanted.flatMap((group) => FAULTS[group].map((fault) => [fault, 0])));
  const happened = (fault: Fault) => faults.set(fault, (faults.get(fault) ?? 0) + 1);
  const isOver = () =>
    elapsed() > seconds &&
    [...faults.values()].every((count) => count > 0) &&
    conversations.every(({ asked }) => asked.length > 0);

  if (wanted.includes("platforms")) troublePlatforms(platforms, dice.fork(), happened);
  const answered = answeredBy(model.calls);
  const traffic = startTraffic(conversations, { fleet, dice: dice.fork(), isOver, answered });
  const trouble = {
    ...{ fleet, redis, isApart, awayMsMax, restMsMax, isOver },
    faults: [...GATEWAY_FAULTS, ...REDIS_FAULTS].filter((fault) => faults.has(fault)),
    happened(fault: ServerFault, durationMs: number) {
      happened(fault);
      note(
        `${elapsed().toFixed(1)} s: ${fault}, for ${Math.round(durationMs)} ms; ${traffic.sent()} webhooks`,
      );
    },
  };
  await troubleServers(trouble, dice.fork());
  await traffic.done;
  note(`${elapsed().toFixed(1)} s: calm; ${traffic.sent()} webhooks, all messages acknowledged`);

  calmPlatforms(platforms);
  const stuck = await fleet.idle().then(
    () => [],
    (error: Error) => [error.message],
  );
  const endings = await fleet.stopAll();
  note(`${elapsed().toFixed(1)} s: all answered, all stopped`);
  return {
    conversations,
    said: allRecords(platforms),
    saidAtMs: saidAtMs(platforms),
    calls: model.calls,
    deaths: fleet.deaths,
    stuck,
    endings,
    faults: Object.fromEntries(faults),
    webhooks: traffic.sent(),
    redelivered: traffic.redelivered(),
    refused: traffic.refused,
    seconds: Math.round(elapsed()),
    trail: traffic.trail,
    gatewaysSaid: fleet.said,
  };
}

/** How many questions the model has been asked so far. */
function answeredBy(calls: readonly ModelCall[]): () => number {
  const topics = new Set<string>();
  let read = 0;
  return () => {
    for (; read < calls.length; read++) topics.add(calls[read]?.topic ?? "");
    return topics.size;
  };
}
