import { setTimeout as sleep } from "node:timers/promises";
import { configFolder, NO_LIMITS } from "../e2e/configuration.ts";
import { startGateway, temporaryFolder } from "../e2e/gateway-process.ts";
import { deliver, openPlatforms, webhook } from "../e2e/platforms.ts";
import { cpuMicrosOf } from "./server-process.ts";

export interface StreamsRow {
  readonly platform: "slack" | "discord";
  readonly preview: "on" | "off";
  readonly conversations: number;
  /**
   * Of one core, all threads of the gateway together: what all of it takes, from the messages to the last word, over the time
   * that the answers take at their pace, which a machine without time for them does not shorten.
   */
  readonly cpuPercent: number;
  readonly changesPerSecond: number;
  /** Of the answer that was whole last, from its message on: less where the machine had no time. */
  readonly tokensPerSecond: number;
  /** Calls that the platform would not take. */
  readonly refused: number;
}

/** Percent of one core, by how many answers grow at once. */
const goalOf = (conversations: number) => (conversations <= 100 ? 40 : 120);
const TOKENS_PER_SECOND = 50;
/** All of them fit into one message, so that each grows to its end. */
const TOKENS = 400;
const SETTLE_MS = 1_500;
const MEASURED_MS = 6_000;
const PATIENCE_MS = 120_000;

/** A real process, its platform on loopback in this one; the demo model says a word each 20 ms in every conversation. */
export async function benchStreams({
  platform,
  preview,
  conversations,
}: Pick<StreamsRow, "platform" | "preview" | "conversations">): Promise<StreamsRow> {
  await using platforms = await openPlatforms();
  const config = configFolder(
    `${NO_LIMITS}  platforms: { ${platform}: { preview: ${preview} } }\n  queue: { concurrency: ${conversations} }\n`,
  );
  await using gateway = await startGateway({ dataDir: temporaryFolder(), config, env: { ...platforms.env } });
  const text = `demo: stream ${TOKENS} ${TOKENS_PER_SECOND}`;
  const [sentAt, cpuBefore] = [performance.now(), cpuMicrosOf(gateway.pid)];
  await Promise.all(
    Array.from({ length: conversations }, (_, n) => {
      const [channel, user] =
        platform === "slack" ? [`C${100 + n}`, `U${100 + n}`] : [`${1_000 + n}`, `${n}`];
      return deliver(gateway.url, webhook(platform, { text, channel, user }));
    }),
  );
  await sleep(SETTLE_MS);
  const fake = platforms[platform];
  const [callsBefore, startedAt] = [fake.calls.length, performance.now()];
  await sleep(MEASURED_MS);
  const seconds = (performance.now() - startedAt) / 1000;
  const callsAfter = fake.calls.length;
  const whole = ({ body }: { body: string }) => body.includes(`w${TOKENS}`);
  await fake.until(() => fake.calls.filter(whole).length >= conversations, PATIENCE_MS);
  return {
    platform,
    preview,
    conversations,
    cpuPercent: ((cpuMicrosOf(gateway.pid) - cpuBefore) / 1e6 / (TOKENS / TOKENS_PER_SECOND)) * 100,
    changesPerSecond: (callsAfter - callsBefore) / seconds,
    tokensPerSecond: TOKENS / ((performance.now() - sentAt) / 1000),
    refused: fake.refused(),
  };
}

/** As the page has it. */
export function streamsTable(rows: readonly StreamsRow[]): string {
  const lines = rows.map(
    ({ platform, preview, conversations, cpuPercent, tokensPerSecond, changesPerSecond, refused }) =>
      `| ${platform} | ${preview} | ${conversations} | ${cpuPercent.toFixed(0)} % | ${tokensPerSecond.toFixed(0)} | ${changesPerSecond.toFixed(1)} | ${refused} | below ${goalOf(conversations)} % |`,
  );
  return `## Answers that grow

Conversations at once, each answered with ${TOKENS_PER_SECOND} tokens a second by the demo model, in a real process on SQLite; the
platform is a fake on loopback that refuses what comes too often. With previews off, what is left is the model and the run.

| platform | preview | conversations | of one core | tokens a second, each | changes a second | refused | goal |
|-|-|-|-|-|-|-|-|
${lines.join("\n")}
`;
}
