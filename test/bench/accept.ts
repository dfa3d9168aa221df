import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sampler } from "../../adapters/shared/sample.ts";
import { slackSampler } from "../../adapters/slack/sample.ts";
import { telegramSampler } from "../../adapters/telegram/sample.ts";
import { whatsAppSampler } from "../../adapters/whatsapp/sample.ts";
import { type Drive, drive, median, percentile, toWire } from "./drive.ts";
import { fastDiscordSampler, KEYS, secretsOf } from "./secrets.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

export interface AcceptRow {
  readonly name: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicros: number;
  /** Medians over the rounds of this contender against the bare server of the same round. */
  readonly rateRatio: number;
  readonly cpuRatio: number;
}

interface Contender {
  readonly name: string;
  readonly server: ServerProcess;
  readonly request: (index: number) => Buffer;
}

const CONNECTIONS = 64;

interface Subject {
  readonly name: string;
  readonly sampler: Sampler;
  readonly kind: string;
  readonly secret: string;
  readonly channel: (index: number) => string | undefined;
}

const SLACK: Subject = {
  name: "slack",
  sampler: slackSampler,
  kind: "mention",
  secret: KEYS.slack,
  channel: (index) => `C${index}`,
};
const SUBJECTS: readonly Subject[] = [
  SLACK,
  {
    name: "telegram",
    sampler: telegramSampler,
    kind: "message",
    secret: KEYS.telegram,
    channel: (index) => String(10_000_000 + index),
  },
  {
    name: "whatsapp",
    sampler: whatsAppSampler,
    kind: "message",
    secret: KEYS.whatsapp,
    channel: () => undefined,
  },
  {
    name: "discord",
    sampler: fastDiscordSampler,
    kind: "slash",
    secret: KEYS.discordSeed,
    channel: (index) => String(20_000_000 + index),
  },
];

/** Bare server and gateway take turns, platform by platform, with unique and correctly signed events. */
export async function benchAccept(options: { rounds: number; requests: number }): Promise<AcceptRow[]> {
  const bare = await startServer("bare.ts", {});
  const gateway = await startServer("gateway.ts", { env: benchEnv({ acceptOnly: true }) });
  try {
    const contenders: Contender[] = [
      { name: "bare node:http", server: bare, request: requestsOf(SLACK) },
      ...SUBJECTS.map((subject) => ({ name: subject.name, server: gateway, request: requestsOf(subject) })),
    ];
    return await rounds(contenders, options);
  } finally {
    await Promise.all([bare.stop(), gateway.stop()]);
  }
}

interface Slice extends Drive {
  readonly cpuMicros: number;
}

async function rounds(
  contenders: readonly Contender[],
  options: { rounds: number; requests: number },
): Promise<AcceptRow[]> {
  const slices = new Map<string, Slice[]>(contenders.map(({ name }) => [name, []]));
  let index = 0;
  // The first round warms up and is not counted.
  for (let round = 0; round <= options.rounds; round++) {
    for (const { name, server, request } of contenders) {
      const batch = Array.from({ length: options.requests }, () => request(index++));
      const before = server.cpuMicros();
      const result = await drive(server.port, batch, CONNECTIONS);
      const refused = [...result.statuses].filter(([status]) => status !== 200);
      if (refused.length > 0) throw new Error(`${name} answered ${JSON.stringify(refused)}`);
      if (round > 0)
        slices.get(name)?.push({ ...result, cpuMicros: (server.cpuMicros() - before) / options.requests });
    }
  }
  const bare = slices.get(contenders[0]?.name ?? "") ?? [];
  return contenders.map(({ name }) => rowOf(name, slices.get(name) ?? [], bare));
}

function rowOf(name: string, slices: readonly Slice[], bare: readonly Slice[]): AcceptRow {
  const rate = (slice: Slice | undefined) => (slice ? slice.latencies.length / slice.seconds : Number.NaN);
  return {
    name,
    perSecond: median(slices.map(rate)),
    p50Ms: median(slices.map(({ latencies }) => percentile(latencies, 0.5))),
    p99Ms: median(slices.map(({ latencies }) => percentile(latencies, 0.99))),
    cpuMicros: median(slices.map(({ cpuMicros }) => cpuMicros)),
    rateRatio: median(slices.map((slice, round) => rate(slice) / rate(bare[round]))),
    cpuRatio: median(
      slices.map(({ cpuMicros }, round) => cpuMicros / (bare[round]?.cpuMicros ?? Number.NaN)),
    ),
  };
}

function requestsOf({ name, sampler, kind, secret, channel }: Subject): (index: number) => Buffer {
  return (index) => {
    const place = channel(index);
    return toWire(
      sampler.build({
        kind,
        text: `benchmark message ${index}: what is the state of the deployment?`,
        id: name === "slack" ? `${process.pid}.${index}` : `${process.pid}${index}`,
        nowMs: Date.now(),
        secret,
        user: String(10_000_000 + index),
        ...(place !== undefined && { channel: place }),
      }),
    );
  };
}

/** Limits on, but far above what a benchmark sends. */
export function benchEnv({
  acceptOnly,
  env = {},
}: {
  acceptOnly: boolean;
  env?: Record<string, string>;
}): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), "parley-bench-"));
  const config = join(folder, "config");
  mkdirSync(join(config, "agents"), { recursive: true });
  const limit = "{ messages: 1000000, per_seconds: 60 }";
  writeFileSync(
    join(config, "gateway.yaml"),
    `apiVersion: parley/v1
kind: Gateway
spec:
  limits: { user: ${limit}, conversation: ${limit}, tenant: ${limit}, global: ${limit} }
  queue: { waiting: 10000000 }
`,
  );
  writeFileSync(
    join(config, "agents", "assistant.yaml"),
    "apiVersion: parley/v1\nkind: Agent\nmetadata: { name: assistant }\nspec: { model: { provider: demo, model: demo } }\n",
  );
  return {
    PARLEY_CONFIG: config,
    PARLEY_DATA_DIR: join(folder, "data"),
    ...(acceptOnly && { BENCH_ACCEPT_ONLY: "1" }),
    ...secretsOf(),
    ...env,
  };
}
