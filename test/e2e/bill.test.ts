import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Usage } from "../../src/admin/usage.ts";
import { messageEnd, messageStart, textBlock, toolBlock } from "../models/sse-server.ts";
import { Dice } from "../simulation/dice.ts";
import { eventually } from "../support/eventually.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";

const DEV_KEY = "a-key-of-sixteen-or-more";
const TOKEN = "an-admin-token-of-at-least-32-characters";
/** What each conversation is about. Two people share each of the busy ones. */
const KINDS = ["plain", "tool", "asked", "handed", "guarded", "away", "stopped"] as const;
type Kind = (typeof KINDS)[number];
const [ROUNDS, PEOPLE] = [4, 4];
/** After so many answers a gateway is killed. */
const KILLED_AT = [8, 24];
/** US dollars for a million tokens, by the model. */
const PRICES = {
  "claude-of-the-test": { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75, hourWrite: 6 },
  "small-of-the-test": { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25, hourWrite: 2 },
} as const;
type ModelName = keyof typeof PRICES;
const SEARCH_DOLLARS = 0.01;
const MODELS: Readonly<Record<ModelName, string>> = {
  "claude-of-the-test":
    "provider: anthropic, model: claude-of-the-test, max_tokens: 1000, price: { input_per_million: 3, output_per_million: 15, cache_read_per_million: 0.3, cache_write_per_million: 3.75 }, server_tools: { web_search: { max_uses: 2 } }",
  "small-of-the-test":
    "provider: anthropic, model: small-of-the-test, price: { input_per_million: 1, output_per_million: 5, cache_read_per_million: 0.1, cache_write_per_million: 1.25 }",
};
const SMALL = `{ ${MODELS["small-of-the-test"]} }`;

/** All that costs: another model in an outage and past a share of a budget, summaries, a guard, agents that are asked and that take over. */
function agentNamed(name: string, more = ""): string {
  return `metadata: { name: ${name} }
spec:
  system_prompt: "You are agent-${name}."
  model: { ${MODELS["claude-of-the-test"]}, fallback: [${SMALL}], cheaper: ${SMALL} }
  memory: { context_tokens: 500, compact_at: 0.5 }
  budgets: { tokens: 1000000, cost_cents: 1000 }
  retry: { backoff_seconds: 0, max_attempts: 1 }
${more}`;
}
const ASSISTANT = `  tools:
    - { name: clock, type: builtin, builtin: time }
    - { name: nothing, type: command, command: "true", effect: write }
    - { name: helper, type: agent, agent: helper, description: Helps }
  hand_over: [other]
  guard: { model: ${SMALL}, instructions: Let all through. }
`;

interface Line {
  /** The message, and how far its run has come. */
  readonly about: string;
  readonly model: ModelName;
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
    // Past half of a cent of what a person may spend, the cheaper model is asked first.
    const budgets =
      "  budgets: { warn_at: 0.001, user: { cost_cents: 10000 }, global: { cost_cents: off }, agent: { cost_cents: 10000 } }\n";
    const config = configFolder(
      NO_LIMITS + budgets + (store === "redis" ? prefix : ""),
      agentNamed("assistant", ASSISTANT),
    );
    for (const name of ["helper", "other"])
      writeFileSync(join(config, `agents/${name}.yaml`), agentNamed(name));
    const start = (dataDir: string) =>
      startGateway({
        ...{ dataDir, config },
        env: {
          ANTHROPIC_API_KEY: "sk-ant-test",
          ANTHROPIC_BASE_URL: provider.url,
          PARLEY_ADMIN_TOKEN: TOKEN,
          PARLEY_DEV_KEY: DEV_KEY,
          ...(store === "redis" && { REDIS_URL: redis.url }),
        },
      });
    const folders = Array.from({ length: store === "redis" ? 2 : 1 }, temporaryFolder);
    const gateways = await Promise.all(folders.map(start));
    await using _ = all(gateways);
    const dice = new Dice(11);
    const one = () => gateways[dice.between(0, gateways.length - 1)] as GatewayProcess;
    const sent = KINDS.flatMap((kind, k) =>
      Array.from({ length: ROUNDS }, (_, n) =>
        post(one(), { message: topicOf(kind, n), conversation: kind, user: `u${(k + n) % PEOPLE}` }),
      ),
    );
    for (const { status } of await Promise.all(sent)) expect(status).toBe(200);
    for (const answers of KILLED_AT) {
      provider.answer();
      await provider.answered(answers);
      const at = dice.between(0, gateways.length - 1);
      await gateways[at]?.end("SIGKILL");
      gateways[at] = await start(folders[at] ?? "");
    }
    provider.answer();
    for (let n = 0; n < ROUNDS; n++) {
      // In whichever order they came.
      await provider.streamed(n + 1);
      await post(one(), { message: "!stop", conversation: "stopped" });
    }
    const ends = KINDS.filter((kind) => kind !== "stopped").flatMap((kind) =>
      Array.from({ length: ROUNDS }, (_, n) => lastOf(kind, n)),
    );
    const { total } = await eventually(async () => {
      const answered = new Set(provider.bill.map(({ about }) => about));
      expect(ends.filter((end) => !answered.has(end))).toEqual([]);
      const usage = await usageOf(one().url);
      expect(usage.total.model_calls).toBe(recordedOf(provider.bill).length);
      return usage;
    }, 60_000);

    const recorded = recordedOf(provider.bill);
    const broken = provider.bill.filter((line) => !recorded.includes(line));
    expect(total.cost_cents).toBeCloseTo(sumOf(recorded), 5);
    // What those may have cost is set aside; so is what was about to be asked for in each conversation at each kill.
    expect(total.held_cents).toBeGreaterThan(sumOf(broken));
    const callsLost = provider.calls() - recorded.length + KILLED_AT.length * KINDS.length;
    expect(total.held_cents).toBeLessThanOrEqual(callsLost * CEILING_CENTS);
    // Whoever it is counted by, it is the same money.
    const spentBy = async (query: string) =>
      (await usageOf(one().url, query)).by[0]?.cost_cents ?? Number.NaN;
    const people = Array.from({ length: PEOPLE }, (_, n) => `?user=test:test:u${n}`);
    for (const queries of [people, ["assistant", "helper", "other"].map((name) => `?agent=${name}`)]) {
      const shares = await Promise.all(queries.map(spentBy));
      expect(shares.reduce((sum, cents) => sum + cents, 0)).toBeCloseTo(total.cost_cents, 5);
    }
    for (const model of Object.keys(PRICES)) {
      const lines = recorded.filter((line) => line.model === model);
      expect(await spentBy(`?model=anthropic/${model}`)).toBeCloseTo(sumOf(lines), 5);
    }
    // None of what this is about was left out: the cheaper model has answered what the other one would have.
    const isCheaper = ({ about, model }: Line) =>
      model === "small-of-the-test" && about.startsWith("agent") && !about.includes("-away-");
    expect(recorded.some(isCheaper)).toBe(true);
    const kinds = new Set(recorded.map(({ about }) => about.split(" ")[0]));
    expect(kinds).toEqual(new Set(["agent-assistant", "agent-helper", "agent-other", "guard", "summary"]));
  });
});

function all(gateways: readonly GatewayProcess[]): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(gateways.map((gateway) => gateway[Symbol.asyncDispose]()));
    },
  };
}

const topicOf = (kind: Kind, n: number) => `topic-${kind}-${n}`;

/** The last call of its run. */
function lastOf(kind: Exclude<Kind, "stopped">, n: number): string {
  if (kind === "handed") return `agent-other ${topicOf(kind, n)} 0`;
  const calls = { plain: 0, tool: 1, asked: 1, guarded: 1, away: 0 };
  return `agent-assistant ${topicOf(kind, n)} ${calls[kind]}`;
}

/** Of several calls for one step of a run the last one is in its record, and those before it broke off; of a stopped one, all. */
function recordedOf(bill: readonly Line[]): readonly Line[] {
  const last = new Map(bill.map((line) => [line.about, line]));
  return [...last.values()].filter(({ about }) => !isStream(about));
}
const STREAMS = " streams";
const isStream = (about: string) => about.endsWith(STREAMS);

function post({ url }: GatewayProcess, body: object): Promise<Response> {
  return fetch(`${url}/webhooks/test`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-dev-key": DEV_KEY },
    body: JSON.stringify(body),
  });
}

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
  /** Resolves once it has begun to answer so many that are to be stopped. */
  streamed(count: number): Promise<void>;
  /** Those who wait are answered, and those to come. */
  answer(): void;
  /** Resolves with so many answers in all; nobody is answered from then on. */
  answered(count: number): Promise<void>;
}

/** Claude, as far as its bill goes: it counts tokens as it likes, and charges for what it has begun to say. */
async function startProvider(): Promise<BillingProvider> {
  const dice = new Dice(7);
  const bill: Line[] = [];
  const watchers = new Set<() => void>();
  let [isOpen, opened] = [false, Promise.withResolvers<void>()];
  let calls = 0;
  let [answers, enough] = [0, { count: 0, reached: () => {} }];

  function costOf(model: ModelName) {
    const price = PRICES[model];
    const tokens = {
      input_tokens: dice.between(1, 900),
      cache_read_input_tokens: dice.between(0, 5_000),
      cache_creation_input_tokens: dice.between(0, 700),
    };
    const output = dice.between(1, 500);
    const hourTokens = dice.between(0, tokens.cache_creation_input_tokens);
    const cache_creation = {
      ephemeral_5m_input_tokens: tokens.cache_creation_input_tokens - hourTokens,
      ephemeral_1h_input_tokens: hourTokens,
    };
    const searches = model === "claude-of-the-test" ? dice.between(0, 2) : 0;
    const microDollars =
      tokens.input_tokens * price.input +
      tokens.cache_read_input_tokens * price.cacheRead +
      cache_creation.ephemeral_5m_input_tokens * price.cacheWrite +
      hourTokens * price.hourWrite +
      output * price.output +
      searches * SEARCH_DOLLARS * 1_000_000;
    return { usage: { ...tokens, cache_creation }, output, searches, cents: microDollars / 10_000 };
  }

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of incoming) body += String(chunk);
    calls++;
    while (!isOpen) await opened.promise;
    await sleep(dice.between(1, 30));
    if (outgoing.destroyed) return;
    const asked = JSON.parse(body) as { model: ModelName; messages: readonly { content: unknown }[] };
    const kind = kindOf(body);
    const topic = body.match(/topic-\w+-\d+/g)?.at(-1) ?? "?";
    const turn = asked.messages.findLastIndex(
      ({ content }) => JSON.stringify(content).includes(topic) && !isResult(content),
    );
    const results = asked.messages.slice(turn).filter(({ content }) => isResult(content)).length;
    if (topic.includes("-away-") && kind.startsWith("agent") && asked.model === "claude-of-the-test") {
      outgoing.writeHead(529, { "content-type": "application/json" });
      outgoing.end(JSON.stringify({ type: "error", error: { type: "overloaded_error", message: "away" } }));
      return;
    }
    const streams = topic.includes("-stopped-") && kind.startsWith("agent");
    const { usage, output, searches, cents } = costOf(asked.model);
    const about = `${kind} ${topic} ${results}`;
    bill.push({ about: streams ? topic + STREAMS : about, model: asked.model, cents });
    for (const watcher of watchers) watcher();
    const { stop, content } = saidBy(kind, topic, results);
    const end = messageEnd(stop, {
      output_tokens: output,
      server_tool_use: { web_search_requests: searches, web_fetch_requests: 0 },
    });
    outgoing.writeHead(200, { "content-type": "text/event-stream" });
    // One that is to be stopped says something, and does not come to its end.
    const events = streams
      ? [messageStart(usage), ...content.slice(0, 2)]
      : [messageStart(usage), ...content, ...end];
    for (const event of events)
      outgoing.write(`event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`);
    if (streams) return;
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
    streamed: (count) =>
      new Promise((streamed) => {
        const look = () => {
          if (new Set(bill.map(({ about }) => about).filter(isStream)).size < count) return;
          watchers.delete(look);
          streamed();
        };
        watchers.add(look);
        look();
      }),
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

const isResult = (content: unknown) => JSON.stringify(content).includes('"type":"tool_result"');

/** Who asks: an agent by its name, or what looks at its work. */
function kindOf(body: string): string {
  if (body.includes("You guard what an agent does")) return "guard";
  if (body.includes("the older part of a conversation")) return "summary";
  return /agent-\w+/.exec(body)?.[0] ?? "?";
}

/** What a model would say that does as its message wants. */
function saidBy(kind: string, topic: string, results: number): { stop: string; content: object[] } {
  const use = (name: string, input: object) => ({
    stop: "tool_use",
    content: toolBlock(0, name, JSON.stringify(input)),
  });
  const isFirst = kind === "agent-assistant" && results === 0;
  if (isFirst && topic.includes("-tool-")) return use("clock__time", {});
  if (isFirst && topic.includes("-asked-")) return use("helper", { task: topic });
  if (isFirst && topic.includes("-guarded-")) return use("nothing", {});
  if (isFirst && topic.includes("-handed-")) return use("hand_over", { agent: "other", note: "yours" });
  const text = kind === "guard" ? '{"verdict":"allow"}' : `Said. ${"And more of it. ".repeat(20)}`;
  return { stop: "end_turn", content: textBlock(0, text) };
}
