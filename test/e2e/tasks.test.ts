import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";
const WITH_TOKEN = { authorization: `Bearer ${TOKEN}` };

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

interface Task {
  readonly id: string;
  readonly state: string;
  readonly reply: string | null;
  readonly attempts: number;
  readonly usage: { readonly output_tokens: number };
}

async function begin({ url }: GatewayProcess, order: object, key: string) {
  const response = await fetch(`${url}/api/v1/tasks`, {
    method: "POST",
    headers: { ...WITH_TOKEN, "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify(order),
  });
  return { status: response.status, body: (await response.json()) as { id: string; status: string } };
}

async function show({ url }: GatewayProcess, id: string): Promise<Task> {
  const response = await fetch(`${url}/api/v1/tasks/${encodeURIComponent(id)}`, { headers: WITH_TOKEN });
  return (await response.json()) as Task;
}

it.each(["SQLite", "Redis"])(
  "a task whose process is killed before it is answered is answered once by the next one, on %s",
  async (store) => {
    const prefix = `  store: { redis: { prefix: p${randomUUID().slice(0, 8)} } }\n`;
    const options = {
      dataDir: temporaryFolder(),
      config: configFolder(store === "Redis" ? NO_LIMITS + prefix : NO_LIMITS),
      env: { PARLEY_ADMIN_TOKEN: TOKEN, ...(store === "Redis" && { REDIS_URL: redis.url }) },
    };
    const order = { goal: "count them\ndemo: sleep 2s", conversation: "nightly", priority: "high" };
    await using first = await startGateway(options);
    const { status, body } = await begin(first, order, "k1");
    expect({ status, body }).toMatchObject({ status: 202, body: { status: "accepted" } });
    const behind = await begin(first, { goal: "then this", conversation: "nightly" }, "k2");
    await eventually(
      async () => expect(await show(first, body.id)).toMatchObject({ state: "running" }),
      30_000,
    );
    await first.end("SIGKILL");

    await using next = await startGateway(options);
    // The program that lost its answer asks again.
    expect(await begin(next, order, "k1")).toEqual({
      status: 202,
      body: { id: body.id, status: "duplicate", agent: "assistant" },
    });
    await eventually(async () => {
      expect(await show(next, behind.body.id)).toMatchObject({
        state: "done",
        reply: expect.stringMatching(/^You said: then this/),
      });
    }, 60_000);
    const done = await show(next, body.id);
    expect(done).toMatchObject({
      ...{ state: "done", attempts: 2, reply: expect.stringMatching(/^You said: count them/) },
      usage: { output_tokens: expect.any(Number) },
    });
    expect(await next.end("SIGTERM")).toBe(0);
    const finished = [first, next].flatMap((one) =>
      one.logLines().filter(({ msg, event_id: id }) => msg === "run.finished" && id === body.id),
    );
    expect(finished).toHaveLength(1);
  },
  120_000,
);
