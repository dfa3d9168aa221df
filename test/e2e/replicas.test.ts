import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { ask } from "./ask.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, runToItsEnd, startGateway, temporaryFolder } from "./gateway-process.ts";
import { scrape } from "./scrape.ts";

const NO_SPOOL = `${NO_LIMITS}  store: { spool: off }\n`;

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

function replica(env: Readonly<Record<string, string>> = {}, spec = NO_LIMITS): Promise<GatewayProcess> {
  return startGateway({
    dataDir: temporaryFolder(),
    config: configFolder(spec),
    env: { REDIS_URL: redis.url, ...env },
  });
}

interface Ready {
  readonly code: number;
  readonly components: Readonly<Record<string, { status: string; details?: string }>>;
}

async function ready(gateway: GatewayProcess): Promise<Ready> {
  const response = await fetch(`${gateway.url}/ready`);
  return { code: response.status, ...((await response.json()) as Omit<Ready, "code">) };
}

const until = (expectation: () => Promise<void>) =>
  vi.waitFor(expectation, { timeout: 20_000, interval: 50 });

describe("replicas with a role", () => {
  it("share the path: one takes the message, the other runs it, and the first has the reply", async () => {
    await using ingress = await replica({ PARLEY_ROLE: "ingress" });
    await using worker = await replica({ PARLEY_ROLE: "worker" });
    const question = { message: "who runs this?", conversation: "roles", wait: 20 };
    expect(await ask(ingress.url, question)).toMatchObject({
      status: 200,
      reply: "You said: who runs this?",
    });

    const refused = await fetch(`${worker.url}/webhooks/test`, { method: "POST", body: "{}" });
    expect(refused.status).toBe(404);
    expect(await refused.text()).toContain("This replica is a worker");
    expect(await ready(worker)).toMatchObject({ code: 200, components: { dispatcher: { status: "ok" } } });
    expect(await ready(ingress)).toMatchObject({ code: 200, components: { dispatcher: { status: "ok" } } });
    const beat = await fetch(`${ingress.url}/internal/worker/heartbeat`);
    expect([beat.status, await beat.json()]).toEqual([200, { status: "off", last_beat: null, running: 0 }]);

    expect(await ingress.end("SIGTERM")).toBe(0);
    expect(await worker.end("SIGTERM")).toBe(0);
    const messages = (gateway: GatewayProcess) => gateway.logLines().map(({ msg }) => msg);
    expect(messages(ingress)).toContain("webhook.received");
    expect(messages(ingress)).not.toContain("run.finished");
    expect(messages(worker)).toContain("run.finished");
    expect(messages(worker)).not.toContain("webhook.received");
  });

  it("stop a run that another one has in hand", async () => {
    await using ingress = await replica({ PARLEY_ROLE: "ingress" });
    await using worker = await replica({ PARLEY_ROLE: "worker" });
    const long = ask(ingress.url, { message: "long\ndemo: sleep 60s", conversation: "stop", wait: 30 });
    await until(async () => expect((await scrape(worker.url)).value("parley_runs_active")).toBe(1));
    expect(await ask(ingress.url, { message: "/stop", conversation: "stop", wait: 20 })).toMatchObject({
      reply: "Stopping.",
    });
    expect((await long).reply).toBeDefined();
  });

  it("are refused where there is nothing to share", async () => {
    const { ending, stderr } = await runToItsEnd({
      dataDir: temporaryFolder(),
      env: { PARLEY_ROLE: "worker" },
    });
    expect(stderr).toContain("environment PARLEY_ROLE: expected all, because REDIS_URL is not set");
    expect(ending).toBe(78);
  });
});

describe("replicas that are replaced one after the other, under load", () => {
  const CONVERSATIONS = 20;
  const MESSAGES = 8;

  it("answer everything once and in order", async () => {
    await using open = new AsyncDisposableStack();
    const all: GatewayProcess[] = [];
    const another = async () => {
      const gateway = open.use(await replica());
      all.push(gateway);
      return gateway;
    };
    const running = [await another(), await another()];
    /** Says message `n` until it is answered, at whichever replica is there; the id makes each try the same message. */
    const replyTo = async (conversation: string, n: number): Promise<string> => {
      const message = `${n}\ndemo: sleep 200ms`;
      for (let tries = 0; ; tries++) {
        const { url } = running[tries % running.length] ?? { url: "" };
        const question = { message, conversation, id: `${conversation}-${n}`, wait: 20 };
        const asked = await ask(url, question).catch(() => undefined);
        if (asked?.reply !== undefined) return asked.reply;
        expect([undefined, 200, 503]).toContain(asked?.status);
      }
    };
    const replies = Array.from({ length: CONVERSATIONS }, async (_, c) => {
      const heard: string[] = [];
      for (let n = 0; n < MESSAGES; n++) heard.push(await replyTo(`rolling-${c}`, n));
      return heard;
    });
    for (let n = 0; n < running.length; n++) {
      const [old] = running.splice(n, 1, await another());
      expect(await old?.end("SIGTERM")).toBe(0);
    }
    const expected = Array.from({ length: MESSAGES }, (_, n) => `You said: ${n}`);
    for (const heard of await Promise.all(replies)) expect(heard).toEqual(expected);
    // Whoever said it is gone.
    expect(await replyTo("rolling-0", 0)).toBe("You said: 0");
    for (const gateway of running) expect(await gateway.end("SIGTERM")).toBe(0);
    const said = all.flatMap((gateway) => gateway.logLines().filter(({ msg }) => msg === "reply.sent"));
    expect(said).toHaveLength(CONVERSATIONS * MESSAGES);
    expect(new Set(said.map(({ event_id }) => event_id)).size).toBe(CONVERSATIONS * MESSAGES);
  });
});

describe("a replica whose Redis is away", () => {
  let mend = async () => {};
  it.each<[string, () => Promise<unknown>, () => Promise<unknown>]>([
    ["killed", () => redis.kill(), () => redis.restart()],
    ["stuck", async () => redis.pause(), async () => redis.resume()],
    [
      "unable to save (MISCONF)",
      async () => {
        mend = await redis.failSaving();
      },
      () => mend(),
    ],
  ])("because it was %s says so, has platforms send again, and recovers", async (_, takeAway, bringBack) => {
    await using gateway = await replica({}, NO_SPOOL);
    expect((await ready(gateway)).components.spool).toBeUndefined();
    await takeAway();
    try {
      await until(async () =>
        expect(await ready(gateway)).toMatchObject({
          code: 503,
          components: {
            store: { status: "failed", code: "STORE_UNAVAILABLE", since: expect.any(String) },
          },
        }),
      );
      const startedAt = performance.now();
      expect(await ask(gateway.url, { message: "x", conversation: "away" })).toMatchObject({
        status: 503,
        retryAfter: "5",
      });
      // Slack gives up after three seconds.
      expect(performance.now() - startedAt).toBeLessThan(2_900);
      expect((await fetch(`${gateway.url}/health`)).status).toBe(200);
      expect((await scrape(gateway.url)).value("parley_store_up")).toBe(0);
    } finally {
      await bringBack();
    }
    await until(async () => expect((await ready(gateway)).code).toBe(200));
    const again = { message: "x", conversation: "away", wait: 20 };
    expect(await ask(gateway.url, again)).toMatchObject({ status: 200, reply: "You said: x" });
    const metrics = await scrape(gateway.url);
    expect(metrics.value("parley_store_up")).toBe(1);
    expect(metrics.text).toMatch(/parley_store_call_failures_total\{[^}]*code="STORE_UNAVAILABLE"\} [1-9]/);
    expect(await gateway.end("SIGTERM")).toBe(0);
  });

  it("acknowledges all the same where it can spool, and brings everything in order", async () => {
    await using gateway = await replica();
    expect((await ready(gateway)).components.spool).toEqual({ status: "ok", details: "empty" });
    await redis.kill();
    const count = 5;
    try {
      for (let n = 0; n < count; n++) {
        const question = { message: `spooled ${n}`, conversation: "spool", id: `spooled-${n}` };
        expect(await ask(gateway.url, question)).toMatchObject({ status: 200, id: `test:spooled-${n}` });
      }
      expect(await ready(gateway)).toMatchObject({
        code: 503,
        components: {
          spool: {
            status: "degraded",
            details: `${count} acknowledged and waiting for the store to come back`,
          },
        },
      });
      const webhooks = await fetch(`${gateway.url}/ready/webhooks`);
      expect([webhooks.status, await webhooks.json()]).toMatchObject([
        200,
        { status: "degraded", components: { store: { status: "degraded" }, spool: { status: "ok" } } },
      ]);
      const metrics = await scrape(gateway.url);
      expect(metrics.value("parley_spool_events")).toBe(count);
      expect(metrics.value("parley_spooled_total")).toBe(count);
    } finally {
      await redis.restart();
    }
    // A duplicate of the last; its reply is the last of all.
    const last = {
      message: `spooled ${count - 1}`,
      conversation: "spool",
      id: `spooled-${count - 1}`,
      wait: 60,
    };
    expect((await ask(gateway.url, last)).reply).toBe(`You said: spooled ${count - 1}`);
    const metrics = await scrape(gateway.url);
    expect(metrics.value("parley_spool_events")).toBe(0);
    expect(metrics.value("parley_spool_forwarded_total")).toBeGreaterThanOrEqual(count);
    expect(await ready(gateway)).toMatchObject({ code: 200, components: { spool: { status: "ok" } } });
    expect(await gateway.end("SIGTERM")).toBe(0);
    const said = gateway.logLines().filter(({ msg }) => msg === "reply.sent");
    expect(said.map(({ event_id }) => event_id)).toEqual(
      Array.from({ length: count }, (_, n) => `test:spooled-${n}`),
    );
  });
});
