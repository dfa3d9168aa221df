import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Sampler } from "../../adapters/shared/sample.ts";
import { slackSampler } from "../../adapters/slack/sample.ts";
import { telegramSampler } from "../../adapters/telegram/sample.ts";
import { whatsAppSampler } from "../../adapters/whatsapp/sample.ts";
import { toWire } from "./drive.ts";
import { benchFolder } from "./folder.ts";
import { fastDiscordSampler, KEYS, secretsOf } from "./secrets.ts";
import { startServer } from "./server-process.ts";
import { type AcceptRow, type Contender, takeTurns } from "./turns.ts";

interface Subject {
  readonly name: string;
  readonly sampler: Sampler;
  readonly kind: string;
  readonly secret: string;
  readonly channel: (index: number) => string | undefined;
}

export const SLACK: Subject = {
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
    return await takeTurns(contenders, options);
  } finally {
    await Promise.all([bare.stop(), gateway.stop()]);
  }
}

export function requestsOf({ name, sampler, kind, secret, channel }: Subject): (index: number) => Buffer {
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
  secrets = secretsOf(),
  env = {},
}: {
  acceptOnly: boolean;
  secrets?: Record<string, string>;
  env?: Record<string, string>;
}): Record<string, string> {
  const folder = benchFolder();
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
    ...secrets,
    ...env,
  };
}
