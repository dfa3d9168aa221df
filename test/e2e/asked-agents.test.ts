import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Usage } from "../../src/admin/usage.ts";
import { eventually } from "../support/eventually.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { ask } from "./ask.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";

const SERVER = resolve(import.meta.dirname, "../fakes/mcp-server.ts");
const TOKEN = "an-admin-token-of-at-least-32-characters";
const SLOW_MS = 20_000;

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

/** `assistant` asks `ops` as a tool; `ops` has a server, which notes each effect, and would ask `assistant` back. */
function setUp(store: "sqlite" | "redis") {
  const folder = temporaryFolder();
  const witness = join(folder, "witness");
  const agent = (name: string, tools: string) => `metadata: { name: ${name} }
spec:
  model: { provider: demo }
  budgets: { tokens: 1000000, cost_cents: 10 }
  tools:
${tools}`;
  const prefix = `  store: { redis: { prefix: p${randomUUID().slice(0, 8)} } }\n`;
  const config = configFolder(
    store === "redis" ? NO_LIMITS + prefix : NO_LIMITS,
    agent("assistant", "    - { name: servers, type: agent, agent: ops }\n"),
  );
  const server = `    - { name: back, type: agent, agent: assistant }
    - name: fake
      type: mcp
      config: { transport: stdio, command: ${process.execPath}, args: ["${SERVER}", "${witness}"] }
      allow: ["*"]
`;
  writeFileSync(join(config, "agents/ops.yaml"), agent("ops", server));
  const env = { PARLEY_ADMIN_TOKEN: TOKEN, ...(store === "redis" && { REDIS_URL: redis.url }) };
  const witnessed = () =>
    existsSync(witness)
      ? readFileSync(witness, "utf8")
          .split("\n")
          .filter((line) => line !== "")
      : [];
  return {
    start: () => startGateway({ dataDir: join(folder, "data"), config, env }),
    witnessed,
    seen: (line: string) => eventually(async () => expect(witnessed()).toContain(line), SLOW_MS),
  };
}

/** The demo model asks ops for this. */
const toOps = (task: string, more = "") => `demo: tool servers ${JSON.stringify({ task })}${more}`;

async function spentBy({ url }: GatewayProcess): Promise<Pick<Usage, "total">["total"]> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  return ((await (await fetch(`${url}/api/v1/usage`, { headers })).json()) as Usage).total;
}

const finished = (gateway: GatewayProcess) => gateway.logLines().filter(({ msg }) => msg === "run.finished");

describe.each(["sqlite", "redis"] as const)("an agent asked as a tool, with the state in %s", (store) => {
  it("answers within the purse of the run that asks, and asks nobody back who waits for it", async () => {
    const { start } = setUp(store);
    await using gateway = await start();
    const say = async (message: string, conversation: string) =>
      (await ask(gateway.url, { message, conversation, wait: 60 })).reply;

    expect(await say(toOps("why?\ndemo: cost 2", "\ndemo: cost 1"), "c1")).toBe(
      "Tool servers said: You said: why?",
    );
    // Two calls of the one that asks, and one of the other.
    expect(await spentBy(gateway)).toMatchObject({ cost_cents: 4, held_cents: 0, model_calls: 3 });

    const round = await say(toOps(`demo: tool back ${JSON.stringify({ task: "again" })}`), "c2");
    expect(round).toBe(
      "Tool servers said: Tool back said: assistant waits for this answer itself, and cannot be asked.",
    );

    // 5 of its 10 cents are gone as it asks for 6.
    expect(await say(toOps("why?\ndemo: cost 6", "\ndemo: cost 5"), "c3")).toContain("I ran out of budget");
    expect((await spentBy(gateway)).cost_cents).toBeLessThanOrEqual(4 + 10);
    // It is said before it is in the log.
    const ofEach = ["assistant", "assistant", "assistant"];
    await eventually(
      async () => expect(finished(gateway).map(({ agent }) => agent)).toEqual(ofEach),
      SLOW_MS,
    );
  });

  it("goes on after a kill in its middle: what it paid and did is neither paid nor done again", async () => {
    const { start, witnessed, seen } = setUp(store);
    const first = await start();
    const task = 'demo: tool fake__append {"text":"a"}\ndemo: tool fake__hang_write {}\ndemo: cost 2';
    const { id } = await ask(first.url, { message: toOps(task, "\ndemo: cost 1"), conversation: "c1" });
    await seen("call hang_write");
    await first.end("SIGKILL");
    await using second = await start();
    await second.logged('"run.finished"');
    expect(finished(second)).toMatchObject([
      { event_id: id, agent: "assistant", outcome: "answered", model_calls: 4 },
    ]);
    expect(witnessed().filter((line) => line.startsWith("effect") || line === "call hang_write")).toEqual([
      "effect a",
      "call hang_write",
    ]);
    const { reply } = await ask(second.url, { message: "demo: prompt", conversation: "c1", wait: 60 });
    expect(reply).toContain("Tool fake__append said: appended");
    expect(reply).toContain("Tool fake__hang_write said: interrupted, outcome unknown");
    // Two calls of each: none was repeated. What costs nothing is not counted.
    expect(await spentBy(second)).toMatchObject({ cost_cents: 6, held_cents: 0, model_calls: 4 });
  });

  it("is stopped with the run that asks", async () => {
    const { start, witnessed, seen } = setUp(store);
    await using gateway = await start();
    const message = toOps("demo: tool fake__hang_write {}");
    const asking = ask(gateway.url, { message, conversation: "c1", wait: 60 });
    await seen("call hang_write");
    await ask(gateway.url, { message: "/stop", conversation: "c1" });
    expect((await asking).reply).toBe("Stopped.");
    await seen("notifications/cancelled");
    expect(witnessed().filter((line) => line === "call hang_write")).toHaveLength(1);
  });
});
