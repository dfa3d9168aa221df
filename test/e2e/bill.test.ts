import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Usage } from "../../src/admin/usage.ts";
import { messageEnd, messageStart, textBlock, toolBlock } from "../models/sse-server.ts";
import { Dice } from "../simulation/dice.ts";
import { eventually } from "../support/eventually.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { startGateway, temporaryFolder } from "./gateway-process.ts";

const DEV_KEY = "a-key-of-sixteen-or-more";
const TOKEN = "an-admin-token-of-at-least-32-characters";
const MESSAGES = 24;
const [PEOPLE, CONVERSATIONS] = [4, 12];
/** Half of the messages make the model use a tool, and ask it twice. */
const CALLS = MESSAGES + MESSAGES / 2;
/** After so many answers the gateway is killed. */
const KILLED_AT = [8, 22];
/** US dollars for a million tokens. */
const PRICE = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75, hourWrite: 6 };
const SEARCH_DOLLARS = 0.01;
const AGENT = `metadata: { name: assistant }
spec:
  model:
    provider: anthropic
    model: claude-of-the-test
    max_tokens: 1000
    price: { input_per_million: 3, output_per_million: 15, cache_read_per_million: 0.3, cache_write_per_million: 3.75 }
    server_tools: { web_search: { max_uses: 2 } }
  tools: [{ name: clock, type: builtin, builtin: time }]
  budgets: { tokens: 1000000, cost_cents: 1000 }
  retry: { backoff_seconds: 0 }
`;

interface Line {
  /** The message, and how far its run has come. */
  readonly about: string;
  readonly cents: number;
}

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

describe.each(["sqlite", "redis"] as const)("a day of the provider, with the state in %s", (store) => {
  it("is on its bill what it is in our books, to the cent, over kills", async () => {
    await using provider = await startProvider();
    const prefix = `  store: { redis: { prefix: p${randomUUID().slice(0, 8)} } }\n`;
    const budgets = "  budgets: { user: { cost_cents: 10000 }, global: { cost_cents: 10000 } }\n";
    const options = {
      dataDir: temporaryFolder(),
      config: configFolder(NO_LIMITS + budgets + (store === "redis" ? prefix : ""), AGENT),
      env: {
        ANTHROPIC_API_KEY: "sk-ant-test",
        ANTHROPIC_BASE_URL: provider.url,
        PARLEY_ADMIN_TOKEN: TOKEN,
        PARLEY_DEV_KEY: DEV_KEY,
        ...(store === "redis" && { REDIS_URL: redis.url }),
      },
    };
    let gateway = await startGateway(options);
    const sent = Array.from({ length: MESSAGES }, (_, n) =>
      fetch(`${gateway.url}/webhooks/test`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-dev-key": DEV_KEY },
        body: JSON.stringify({
          message: `topic-${n}${n % 2 === 0 ? " tool" : ""}`,
          conversation: `c${n % CONVERSATIONS}`,
          user: `u${n % PEOPLE}`,
        }),
      }),
    );
    for (const { status } of await Promise.all(sent)) expect(status).toBe(200);
    for (const answers of KILLED_AT) {
      provider.answer();
      await provider.answered(answers);
      await gateway.end("SIGKILL");
      gateway = await startGateway(options);
    }
    await using last = gateway;
    provider.answer();
    const { total } = await eventually(async () => {
      const usage = await usageOf(last.url);
      expect(usage.total.model_calls).toBe(CALLS);
      return usage;
    }, 60_000);

    // Of several calls for one step of a run the last one is in its record, and those before it broke off.
    const recorded = new Map(provider.bill.map((line) => [line.about, line]));
    const broken = provider.bill.filter((line) => recorded.get(line.about) !== line);
    expect(recorded.size).toBe(CALLS);
    expect(total.cost_cents).toBeCloseTo(sumOf([...recorded.values()]), 5);
    // What those may have cost is set aside; so is what was about to be asked for in each conversation at each kill.
    expect(total.held_cents).toBeGreaterThan(sumOf(broken));
    const callsLost = provider.calls() - CALLS + KILLED_AT.length * CONVERSATIONS;
    expect(total.held_cents).toBeLessThanOrEqual(callsLost * CEILING_CENTS);
    const shares = await Promise.all(
      Array.from({ length: PEOPLE }, (_, n) => usageOf(last.url, `?user=test:test:u${n}`)),
    );
    const sumOfShares = shares.reduce((cents, { by }) => cents + (by[0]?.cost_cents ?? Number.NaN), 0);
    expect(sumOfShares).toBeCloseTo(total.cost_cents, 5);
  });
});

/** More than one call may cost at most: its 1,000 tokens of an answer, what was said, and two searches with what they find. */
const CEILING_CENTS = 25;

function sumOf(lines: readonly Line[]): number {
  return lines.reduce((cents, line) => cents + line.cents, 0);
}

async function usageOf(url: string, query = ""): Promise<Usage> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  return (await (await fetch(`${url}/api/v1/usage${query}`, { headers })).json()) as Usage;
}

interface BillingProvider extends AsyncDisposable {
  readonly url: string;
  /** A line for each call that was answered, whoever heard it. */
  readonly bill: readonly Line[];
  /** All that came. */
  calls(): number;
  /** Those who wait are answered, and those to come. */
  answer(): void;
  /** Resolves with so many answers in all; nobody is answered from then on. */
  answered(count: number): Promise<void>;
}

/** Claude, as far as its bill goes: it counts tokens as it likes, and charges for what it has begun to say. */
async function startProvider(): Promise<BillingProvider> {
  const dice = new Dice(7);
  const bill: Line[] = [];
  let [isOpen, opened] = [false, Promise.withResolvers<void>()];
  let calls = 0;
  let [answers, enough] = [0, { count: 0, reached: () => {} }];

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of incoming) body += String(chunk);
    calls++;
    while (!isOpen) await opened.promise;
    await sleep(dice.between(1, 30));
    if (outgoing.destroyed) return;
    const { messages } = JSON.parse(body) as { messages: unknown[] };
    const said = JSON.stringify(messages);
    const topic = said.match(/topic-\d+( tool)?/g)?.at(-1) ?? "?";
    const isResult = JSON.stringify(messages.at(-1)).includes("tool_result");
    const usage = {
      input_tokens: dice.between(1, 900),
      cache_read_input_tokens: dice.between(0, 5_000),
      cache_creation_input_tokens: dice.between(0, 700),
    };
    const output_tokens = dice.between(1, 500);
    const hourTokens = dice.between(0, usage.cache_creation_input_tokens);
    const cache_creation = {
      ephemeral_5m_input_tokens: usage.cache_creation_input_tokens - hourTokens,
      ephemeral_1h_input_tokens: hourTokens,
    };
    const searches = dice.between(0, 2);
    const microDollars =
      usage.input_tokens * PRICE.input +
      usage.cache_read_input_tokens * PRICE.cacheRead +
      cache_creation.ephemeral_5m_input_tokens * PRICE.cacheWrite +
      hourTokens * PRICE.hourWrite +
      output_tokens * PRICE.output +
      searches * SEARCH_DOLLARS * 1_000_000;
    bill.push({ about: `${topic}${isResult ? " result" : ""}`, cents: microDollars / 10_000 });
    const usesTool = topic.endsWith("tool") && !isResult;
    const content = usesTool ? toolBlock(0, "clock__time", "{}") : textBlock(0, "Said.");
    const end = messageEnd(usesTool ? "tool_use" : "end_turn", {
      output_tokens,
      server_tool_use: { web_search_requests: searches, web_fetch_requests: 0 },
    });
    outgoing.writeHead(200, { "content-type": "text/event-stream" });
    for (const event of [messageStart({ ...usage, cache_creation }), ...content, ...end])
      outgoing.write(`event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`);
    outgoing.end();
    if (++answers !== enough.count) return;
    [isOpen, opened] = [false, Promise.withResolvers()];
    enough.reached();
  }

  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch((error: unknown) => outgoing.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bill,
    calls: () => calls,
    answer() {
      isOpen = true;
      opened.resolve();
    },
    answered: (count) =>
      new Promise((reached) => {
        if (answers >= count) reached();
        else enough = { count, reached };
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
