import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Receiver, startReceiver } from "../hooks/receiver.ts";
import { eventually } from "../support/eventually.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { ask } from "./ask.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";

const KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

const spec = ({ url }: Receiver, more = "") =>
  `${NO_LIMITS}  hooks: [{ name: ops, url: "${url}", secret: "\${HOOK_SECRET}"${more} }]\n`;

const start = (config: string, dataDir = temporaryFolder(), env: Record<string, string> = {}) =>
  startGateway({ dataDir, config: configFolder(config), env: { HOOK_SECRET: KEY, ...env } });

const told = ({ received }: Receiver, type: string) => received.filter(({ body }) => body.type === type);
const soon = (expectation: () => void) => eventually(async () => expectation(), 30_000);

describe("a hook", () => {
  it("hears of runs, dead letters, budgets and questions, signed, and reads nobody's words", async () => {
    await using receiver = await startReceiver();
    await using gateway = await start(
      `${spec(receiver)}  budgets: { user: { cost_cents: 10 } }\n  replies: { attempts: 1 }\n`,
    );
    const secretly = (directive: string, conversation: string) => ({
      message: `something private\n${directive}`,
      conversation,
    });
    const { reply } = await ask(gateway.url, { ...secretly("demo: cost 9", "one"), wait: 20 });
    expect(reply).toBe("You said: something private");
    // Not waited for: one has no answer, and the other one waits for somebody.
    await ask(gateway.url, secretly("demo: dead", "two"));
    await ask(gateway.url, secretly("demo: ask Deploy?", "three"));
    await soon(() => {
      const types = receiver.received.map(({ body }) => body.type);
      for (const type of ["run.finished", "budget.warning", "approval.requested"])
        expect(types).toContain(type);
    });
    const [run] = told(receiver, "run.finished");
    expect(run?.body.data).toMatchObject({
      platform: "test",
      agent: "assistant",
      outcome: "answered",
      usage: { cost_cents: 9 },
    });
    expect(run?.body.data.event_id).toMatch(/^test:/);
    const [warning] = told(receiver, "budget.warning");
    expect(Object.keys(warning?.body.data ?? {})).toEqual([
      "scope",
      "id",
      "day",
      "spent_cents",
      "limit_cents",
    ]);
    expect(warning?.body.data).toMatchObject({ scope: "user", spent_cents: 9, limit_cents: 10 });
    expect(told(receiver, "approval.requested")[0]?.body.data).toMatchObject({
      approval_id: expect.stringMatching(/^apr_/),
    });
    for (const one of receiver.received) expect(one.isSignedWith(KEY)).toBe(true);
    expect(JSON.stringify(receiver.received)).not.toContain("something private");
  });

  it("that was away while the gateway was killed hears of everything after it", async () => {
    await using receiver = await startReceiver();
    receiver.answer(() => 503);
    const dataDir = temporaryFolder();
    const config = spec(receiver, ", events: [run.finished], include_text: true");
    await using first = await start(config, dataDir);
    const asked = await Promise.all(
      [1, 2, 3, 4, 5].map((n) => ask(first.url, { message: `hello ${n}`, conversation: `c${n}`, wait: 20 })),
    );
    expect(asked.map(({ reply }) => reply)).toEqual([1, 2, 3, 4, 5].map((n) => `You said: hello ${n}`));
    await soon(() => expect(receiver.received.length).toBeGreaterThan(0));
    await first.end("SIGKILL");
    receiver.answer(() => 204);
    const before = receiver.received.length;
    await using _ = await start(config, dataDir);
    await soon(() => {
      const texts = receiver.received.slice(before).map(({ body }) => body.data.answer);
      expect(new Set(texts)).toEqual(new Set([1, 2, 3, 4, 5].map((n) => `You said: hello ${n}`)));
    });
  });

  it("of two replicas hears by one, and by the other when that one is killed", async () => {
    await using receiver = await startReceiver();
    const prefix = `  store: { redis: { prefix: p${randomUUID().slice(0, 8)} } }\n`;
    const config = spec(receiver, ", events: [run.finished]") + prefix;
    const env = { REDIS_URL: redis.url };
    await using one = await start(config, temporaryFolder(), env);
    await one.logged('"name":"housekeeping"');
    await using two = await start(config, temporaryFolder(), env);
    const say = async ({ url }: GatewayProcess, message: string) =>
      expect((await ask(url, { message, conversation: message, wait: 20 })).status).toBe(200);
    // Said through the one that does not deliver.
    await say(two, "first");
    await soon(() => expect(receiver.received).toHaveLength(1));
    const letGo = receiver.hold();
    await say(two, "second");
    await soon(() => expect(receiver.received).toHaveLength(2));
    await one.end("SIGKILL");
    letGo();
    await say(two, "third");
    await soon(() => expect(new Set(receiver.received.map(({ id }) => id)).size).toBe(3));
    // Under way when its sender died: at least once, and known by its id.
    await soon(() => expect(receiver.received).toHaveLength(4));
    expect(receiver.received.filter(({ id }) => id === receiver.received[1]?.id)).toHaveLength(2);
  });
});
