import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { configFolder, NO_LIMITS } from "../../e2e/configuration.ts";
import { startGateway, temporaryFolder } from "../../e2e/gateway-process.ts";
import { type ChatPlatform, deliver, openPlatforms, webhook } from "../../e2e/platforms.ts";
import { messageEnd, messageStart, textBlock } from "../../models/sse-server.ts";
import { percentile } from "../drive.ts";

export interface FirstShown {
  readonly platform: ChatPlatform;
  readonly answers: number;
  /** From the model's first words to the call that shows them. */
  readonly p50Ms: number;
  readonly p95Ms: number;
}

const PLATFORMS = ["slack", "discord", "telegram"] as const;
/** Longer than what is answered at once, and not shown before. */
const THINKS_MS = 700;
const WORDS = 60;
const EVERY_MS = 20;
const AGENT = `metadata: { name: assistant }
spec:
  model: { provider: anthropic, model: claude-of-the-benchmark, price: free }
`;

/** Answers that grow, one after the other on each platform, each in a conversation of its own. */
export async function benchFirstShown({ answers }: { answers: number }): Promise<FirstShown[]> {
  await using platforms = await openPlatforms();
  await using model = await startModel();
  await using gateway = await startGateway({
    dataDir: temporaryFolder(),
    config: configFolder(NO_LIMITS, AGENT),
    env: { ...platforms.env, ANTHROPIC_API_KEY: "sk-ant-bench", ANTHROPIC_BASE_URL: model.url },
  });
  return await Promise.all(
    PLATFORMS.map(async (platform) => {
      const delays: number[] = [];
      // The first one warms up and is not counted.
      for (let n = 0; n <= answers; n++) {
        const mark = `mark-${platform}-${n}-`;
        const place = String(10_000 + n);
        const [channel, user] = platform === "slack" ? [`C${place}`, `U${place}`] : [place, place];
        await deliver(gateway.url, webhook(platform, { text: mark, channel, user }));
        const fake = platforms[platform];
        const isShown = ({ body }: { body: string }) => body.includes(mark);
        await fake.until(() => fake.calls.some(isShown));
        const shownAtMs = performance.now();
        if (n > 0) delays.push(shownAtMs - ((await model.said(mark)) ?? Number.NaN));
        await model.done(mark);
      }
      const sorted = Float64Array.from(delays).sort();
      return { platform, answers, p50Ms: percentile(sorted, 0.5), p95Ms: percentile(sorted, 0.95) };
    }),
  );
}

interface StreamingModel extends AsyncDisposable {
  readonly url: string;
  /** When the first words of this answer were written. */
  said(mark: string): Promise<number | undefined>;
  done(mark: string): Promise<void>;
}

/** Claude, as far as this goes: it thinks for a moment, says as much as is ever shown, and goes on word by word. */
async function startModel(): Promise<StreamingModel> {
  const saidAtMs = new Map<string, number>();
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const endOf = (mark: string) => {
    const end = ends.get(mark) ?? Promise.withResolvers<void>();
    ends.set(mark, end);
    return end;
  };

  async function answer(body: string, outgoing: ServerResponse): Promise<void> {
    const mark = body.match(/mark-\w+-\d+-/g)?.at(-1) ?? "?";
    const write = (events: readonly object[]) => {
      for (const event of events)
        outgoing.write(`event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`);
    };
    const [start, , stop] = textBlock(0, "");
    outgoing.writeHead(200, { "content-type": "text/event-stream" });
    write([messageStart()]);
    await sleep(THINKS_MS);
    write([start ?? {}]);
    saidAtMs.set(mark, performance.now());
    for (let word = 0; word < WORDS; word++) {
      const text = word === 0 ? `${mark} is what I have thought of, and ` : "word ";
      write([{ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }]);
      await sleep(EVERY_MS);
    }
    write([stop ?? {}, ...messageEnd("end_turn")]);
    outgoing.end();
    endOf(mark).resolve();
  }

  const server = createServer((incoming, outgoing) => {
    let body = "";
    incoming.setEncoding("utf8").on("data", (chunk: string) => {
      body += chunk;
    });
    incoming.on("end", () => void answer(body, outgoing));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    said: async (mark) => saidAtMs.get(mark),
    done: (mark) => endOf(mark).promise,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
