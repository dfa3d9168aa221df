import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { run } from "../cli/helpers.ts";
import { eventually } from "../support/eventually.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { ask } from "./ask.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";
/** Of no word that anybody said. */
const SUMMARY = "qzxs: they look for a thimble";
const TURN = "tell me more of it, please ".repeat(8);

interface Call {
  readonly system: string;
  readonly text: string;
}

/** A model as many local servers have it: no key, chat completions, and a price that the agent's file says. */
interface Model extends AsyncDisposable {
  readonly url: string;
  readonly calls: readonly Call[];
  /** From now on answers are held back, but for summaries. */
  hold(isHeld: boolean): void;
  breakSummaries(): void;
}

async function startModel(): Promise<Model> {
  const calls: Call[] = [];
  const held = new Set<ServerResponse>();
  let isHolding = false;
  let areBroken = false;
  const say = (outgoing: ServerResponse, content: string) => {
    const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };
    const chunks = [
      { choices: [{ index: 0, delta: { content }, finish_reason: null }] },
      { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
      { choices: [], usage },
    ];
    outgoing.writeHead(200, { "content-type": "text/event-stream" });
    for (const chunk of chunks)
      outgoing.write(`data: ${JSON.stringify({ id: "1", object: "chat.completion.chunk", ...chunk })}\n\n`);
    outgoing.end("data: [DONE]\n\n");
  };
  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const body = Buffer.concat(await incoming.toArray()).toString();
    const { messages } = JSON.parse(body) as { messages: { role: string; content: string }[] };
    const system = messages.find(({ role }) => role === "system")?.content ?? "";
    calls.push({
      system,
      text: messages
        .filter(({ role }) => role !== "system")
        .map(({ content }) => content)
        .join("\n"),
    });
    if (!isSummaryCall(system)) {
      if (isHolding) held.add(outgoing);
      else say(outgoing, `answer ${calls.length}`);
    } else if (areBroken) outgoing.writeHead(500).end("{}");
    else say(outgoing, SUMMARY);
  };
  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch((error: unknown) => outgoing.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls,
    hold(isHeld) {
      isHolding = isHeld;
      for (const outgoing of held) say(outgoing, "held");
      held.clear();
    },
    breakSummaries() {
      areBroken = true;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const isSummaryCall = (system: string) => system.includes("older part of a conversation");
const summaries = ({ calls }: Model) => calls.filter(({ system }) => isSummaryCall(system)).length;

function folder(url: string): string {
  const path = temporaryFolder();
  mkdirSync(join(path, "agents"));
  writeFileSync(
    join(path, "agents/assistant.yaml"),
    `apiVersion: parley/v1
kind: Agent
metadata: { name: assistant }
spec:
  model:
    provider: openai
    model: mine
    base_url: ${url}
    api: chat
    price: { input_per_million: 1000, output_per_million: 1000 }
  memory: { context_tokens: 600, compact_at: 0.8 }
  retry: { max_attempts: 1 }
  budgets: { tokens: 100000, cost_cents: 100000 }
`,
  );
  writeFileSync(
    join(path, "gateway.yaml"),
    "apiVersion: parley/v1\nkind: Gateway\nspec:\n  budgets: { global: { cost_cents: off } }\n  routes: [{ agent: assistant }]\n",
  );
  return path;
}

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

let model: Model;
beforeEach(async () => {
  model = await startModel();
});
afterEach(() => model[Symbol.asyncDispose]());

describe.each(["sqlite", "redis"] as const)("a memory near its limit, in %s", (store) => {
  const place = () => ({
    dataDir: temporaryFolder(),
    config: folder(model.url),
    env: { PARLEY_ADMIN_TOKEN: TOKEN, ...(store === "redis" && { REDIS_URL: redis.url }) },
  });
  let asked = 0;
  const conversation = `c-${store}`;
  const say = (gateway: GatewayProcess, user: string, more: { wait?: number } = { wait: 30 }) =>
    ask(gateway.url, { message: `${user} ${++asked} ${TURN}`, conversation, user, ...more } as Parameters<
      typeof ask
    >[1]);
  const cli = (gateway: GatewayProcess, ...args: string[]) =>
    run(args, { env: { PARLEY_URL: gateway.url, PARLEY_ADMIN_TOKEN: TOKEN } });

  it("is made a summary of once, though the process is killed right behind it, and goes with whoever is in it", async () => {
    const options = place();
    await using first = await startGateway(options);
    for (const user of ["Ann", "Bob", "Bob", "Bob"]) await say(first, user);
    expect(summaries(model)).toBe(0);
    model.hold(true);
    await say(first, "Bob", {});
    await first.logged('"memory.compacted"');
    // The step is recorded, and the answer asked for.
    await eventually(async () => expect(model.calls).toHaveLength(6), 20_000);
    expect(summaries(model)).toBe(1);
    await first.end("SIGKILL");

    model.hold(false);
    await using second = await startGateway(options);
    await second.logged('"run.finished"');
    expect(summaries(model)).toBe(1);
    const last = model.calls.at(-1);
    expect(last?.text).toMatch(/^⟦Summary of the earlier part[^⟧]*⟧\nqzxs/);
    expect(last?.system).not.toContain("qzxs");
    expect(last?.text).not.toContain("Ann 1 ");
    // The next message is shown it, and pays for no other.
    await say(second, "Bob");
    expect(summaries(model)).toBe(1);
    expect(model.calls.at(-1)?.text).toContain("qzxs");
    const shown = await cli(second, "conversations", "list", "--json");
    const id =
      (JSON.parse(shown.stdout) as { id: string }[])
        .map((one) => one.id)
        .find((one) => one.includes(conversation)) ?? "";
    expect((await cli(second, "conversations", "show", id)).stdout).toContain("(summary): ");

    // Each call was paid for, the summary among them; what the broken one cost is not known, so all that was held counts.
    const { stdout } = await cli(second, "usage", "--json");
    const { total } = JSON.parse(stdout) as { total: { model_calls: number; held_cents: number } };
    expect(total.model_calls).toBe(model.calls.length - 1);
    expect(total.held_cents).toBeGreaterThan(0);

    const where = store === "redis" ? redis.folder : options.dataDir;
    expect(holding(where, "qzxs")).not.toEqual([]);
    const erased = await cli(
      second,
      "conversations",
      "erase",
      "--user",
      `test:${id.split(":")[1]}:Ann`,
      "--yes",
      "--json",
    );
    expect(JSON.parse(erased.stdout)).toMatchObject({ complete: true, events: 1 });
    await eventually(async () => expect(holding(where, "qzxs")).toEqual([]), 5_000);
    const left = (await cli(second, "conversations", "show", id)).stdout;
    expect(left).toContain("Bob 2 ");
    expect(left).not.toMatch(/summary|Ann/);
  }, 120_000);

  it("fails no run when it cannot be made", async () => {
    model.breakSummaries();
    await using gateway = await startGateway(place());
    for (let turn = 1; summaries(model) === 0; turn++) {
      expect(turn).toBeLessThan(20);
      expect((await say(gateway, "Cy")).reply).toContain("answer");
    }
    await gateway.logged('"memory.not_compacted"');
    const page = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(page).toMatch(/parley_memory_compactions_total\{agent="assistant",outcome="failed"\} [1-9]/);
  }, 120_000);
});

function holding(path: string, word: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(word));
}
