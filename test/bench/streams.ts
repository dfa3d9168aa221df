import { setTimeout as sleep } from "node:timers/promises";
import { configFolder, NO_LIMITS } from "../e2e/configuration.ts";
import { startGateway, temporaryFolder } from "../e2e/gateway-process.ts";
import { deliver, openPlatforms, webhook } from "../e2e/platforms.ts";
import { cpuMicrosOf } from "./server-process.ts";

export interface StreamsRow {
  readonly platform: "slack" | "discord";
  readonly preview: "on" | "off";
  /** Of one core, all threads of the gateway together, while the answers grow. */
  readonly cpuPercent: number;
  readonly changesPerSecond: number;
  /** Calls that the platform would not take. */
  readonly refused: number;
}

const CONVERSATIONS = 100;
const TOKENS_PER_SECOND = 50;
/** All of them fit into one message, so that each grows to its end. */
const TOKENS = 400;
const SETTLE_MS = 1_500;
const MEASURED_MS = 6_000;

/** A real process, its platform on loopback in this one; the demo model says a word each 20 ms in every conversation. */
export async function benchStreams({
  platform,
  preview,
}: Pick<StreamsRow, "platform" | "preview">): Promise<StreamsRow> {
  await using platforms = await openPlatforms();
  const config = configFolder(`${NO_LIMITS}  platforms: { ${platform}: { preview: ${preview} } }\n`);
  await using gateway = await startGateway({ dataDir: temporaryFolder(), config, env: { ...platforms.env } });
  const text = `demo: stream ${TOKENS} ${TOKENS_PER_SECOND}`;
  await Promise.all(
    Array.from({ length: CONVERSATIONS }, (_, n) => {
      const [channel, user] =
        platform === "slack" ? [`C${100 + n}`, `U${100 + n}`] : [`${1_000 + n}`, `${n}`];
      return deliver(gateway.url, webhook(platform, { text, channel, user }));
    }),
  );
  await sleep(SETTLE_MS);
  const fake = platforms[platform];
  const [cpuBefore, callsBefore, startedAt] = [
    cpuMicrosOf(gateway.pid),
    fake.calls.length,
    performance.now(),
  ];
  await sleep(MEASURED_MS);
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    platform,
    preview,
    cpuPercent: ((cpuMicrosOf(gateway.pid) - cpuBefore) / 1e6 / seconds) * 100,
    changesPerSecond: (fake.calls.length - callsBefore) / seconds,
    refused: fake.refused(),
  };
}

/** As the page has it. */
export function streamsTable(rows: readonly StreamsRow[]): string {
  const lines = rows.map(
    ({ platform, preview, cpuPercent, changesPerSecond, refused }) =>
      `| ${platform} | ${preview} | ${cpuPercent.toFixed(0)} % | ${changesPerSecond.toFixed(1)} | ${refused} | below 40 % |`,
  );
  return `## Answers that grow

${CONVERSATIONS} conversations at once, each answered with ${TOKENS_PER_SECOND} tokens a second by the demo model, in a real process on SQLite; the
platform is a fake on loopback that refuses what comes too often. With previews off, what is left is the model and the run.

| platform | preview | of one core | changes a second | refused | goal |
|-|-|-|-|-|-|
${lines.join("\n")}
`;
}
