import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { promtool } from "../support/promtool.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { ask } from "./ask.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import {
  type GatewayProcess,
  ROOT,
  runToItsEnd,
  type StartOptions,
  startGateway,
  temporaryFolder,
} from "./gateway-process.ts";
import { scrape } from "./scrape.ts";

const PROCESSES = 2;
const WEBHOOKS = 'parley_webhooks_total{platform="test",outcome="accepted"}';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

function several(env: Readonly<Record<string, string>> = {}): StartOptions {
  return {
    dataDir: temporaryFolder(),
    config: configFolder(NO_LIMITS),
    env: { REDIS_URL: redis.url, PARLEY_PROCESSES: String(PROCESSES), ...env },
  };
}

/** The process id of the first that listened under this number. */
async function pidOf(gateway: GatewayProcess, n: number): Promise<number> {
  return Number(await gateway.logged(new RegExp(`"process":${n},"version":[^}]*?"pid":(\\d+)`)));
}

/** Resolves once number `n` has been started again. */
async function restartOf(gateway: GatewayProcess, n: number): Promise<void> {
  const start = `"of":${n},"msg":"process.starting"`;
  await gateway.logged(new RegExp(`${start}[\\s\\S]*${start}`));
}

function runBegan({ url }: GatewayProcess): Promise<void> {
  return eventually(async () => {
    expect((await scrape(url)).value("parley_runs_active")).toBe(1);
  }, 10_000);
}

/** As many messages, each in a conversation of its own and answered; gives their replies. */
async function askMany(gateway: GatewayProcess, name: string, count: number): Promise<unknown[]> {
  const asked = Array.from({ length: count }, (_, n) =>
    ask(gateway.url, { message: `${name} ${n}`, conversation: `${name}-${n}`, wait: 20 }),
  );
  return (await Promise.all(asked)).map(({ reply }) => reply);
}

const answersTo = (name: string, count: number) =>
  Array.from({ length: count }, (_, n) => `You said: ${name} ${n}`);

describe("several processes", () => {
  it("serve one port, each its part, and any of them tells the metrics of all", async () => {
    await using gateway = await startGateway(several());
    expect(await askMany(gateway, "first", 30)).toEqual(answersTo("first", 30));
    for (let n = 0; n < 2 * PROCESSES; n++) {
      const metrics = await scrape(gateway.url);
      expect(metrics.value(WEBHOOKS)).toBe(30);
      expect(metrics.value('parley_runs_total{agent="assistant",outcome="answered"}')).toBe(30);
      expect(metrics.value('parley_queue_events{state="dead"}')).toBe(0);
      expect(metrics.value("parley_store_up")).toBe(1);
      expect(await promtool(metrics.text)).toEqual({ code: 0, output: "" });
    }
    expect(gateway.stderr().match(/listens on/g)).toHaveLength(1);
    expect(gateway.stderr()).toContain(`${PROCESSES} processes, role all. Redis 7`);
    expect(await gateway.end("SIGTERM")).toBe(0);
    const took = gateway.logLines().filter(({ msg }) => msg === "webhook.received");
    expect(new Set(took.map(({ process }) => process)).size).toBeGreaterThan(1);
    expect(took).toHaveLength(30);
    expect(gateway.logLines().at(-1)).toMatchObject({ msg: "processes.stopped", process: 0 });
  });

  it("run as they are shipped, compiled", async () => {
    const command = [process.execPath, join(ROOT, "bin/start.js"), "serve"];
    await using gateway = await startGateway({ ...several(), command });
    expect(await askMany(gateway, "compiled", 4)).toEqual(answersTo("compiled", 4));
    expect(await gateway.end("SIGTERM")).toBe(0);
  });

  it("go on when one is killed, whose place is taken, and whose counts stay", async () => {
    await using gateway = await startGateway(several());
    await askMany(gateway, "before", 20);
    expect((await scrape(gateway.url)).value(WEBHOOKS)).toBe(20);
    process.kill(await pidOf(gateway, 2), "SIGKILL");
    await gateway.logged(/"msg":"process.ended"/);
    expect(await askMany(gateway, "during", 20)).toEqual(answersTo("during", 20));
    await gateway.logged(/("process":2,"version":[\s\S]*){2}/);
    expect(await askMany(gateway, "after", 20)).toEqual(answersTo("after", 20));
    const metrics = await scrape(gateway.url);
    expect(metrics.value(WEBHOOKS)).toBe(60);
    expect(metrics.value("parley_process_deaths_total")).toBe(1);
    expect(gateway.stderr().match(/listens on/g)).toHaveLength(1);
    expect(await gateway.end("SIGTERM")).toBe(0);
  });

  it("finish what runs when told to stop", async () => {
    await using gateway = await startGateway(several());
    const question = { message: "finish me\ndemo: sleep 2s", conversation: "c", wait: 20 };
    // Whoever waits at another process than the one that runs may be cut off.
    const reply = ask(gateway.url, question).catch(() => {});
    await runBegan(gateway);
    expect(await gateway.end("SIGTERM")).toBe(0);
    expect(gateway.stderr().match(/Draining/g)).toHaveLength(1);
    expect(gateway.logLines().filter(({ msg }) => msg === "reply.sent")).toHaveLength(1);
    await reply;
  });

  it("stop while they start, as one of them waits for Redis", async () => {
    await using stuck = await startRedis();
    const options = several({ REDIS_URL: stuck.url });
    await using gateway = await startGateway(options);
    const victim = await pidOf(gateway, 1);
    stuck.pause();
    process.kill(victim, "SIGKILL");
    await restartOf(gateway, 1);
    expect(await gateway.end("SIGTERM")).toBe(0);
  });

  it("stop at once when told twice, and the next go on where they were", async () => {
    const options = several();
    await using gateway = await startGateway(options);
    const question = { message: "resume me\ndemo: sleep 3s", conversation: "twice", id: "twice" };
    expect((await ask(gateway.url, question)).status).toBe(200);
    // With nothing in hand the drain would be over before it is told again.
    await runBegan(gateway);
    const ended = gateway.end("SIGTERM");
    await gateway.said("Draining");
    await sleep(150); // Signals that are closer together are one request.
    expect(await Promise.race([gateway.end("SIGTERM"), ended])).toBe(130);

    await using next = await startGateway(options);
    expect((await ask(next.url, { ...question, wait: 60 })).reply).toBe("You said: resume me");
    expect(await next.end("SIGTERM")).toBe(0);
  });

  it("do not outlive the one that watches them", async () => {
    await using gateway = await startGateway(several());
    expect((await ask(gateway.url, { message: "x\ndemo: sleep 30s", conversation: "orphan" })).status).toBe(
      200,
    );
    // All of them hold our pipe, so its end is their end.
    expect(await gateway.end("SIGKILL")).toBe("SIGKILL");
  });
});

describe("several processes that cannot start", () => {
  it("say once that the port is taken", async () => {
    await using first = await startGateway(several({ PARLEY_PROCESSES: "1" }));
    const { ending, stderr } = await runToItsEnd(several({ PARLEY_PORT: new URL(first.url).port }));
    expect(stderr.match(/LISTEN_FAILED: Cannot listen/g)).toHaveLength(1);
    expect(ending).toBe(1);
  });

  it("say once that Redis would throw events away, and what to do", async () => {
    await using careless = await startRedis({ args: ["--maxmemory-policy", "allkeys-lru"] });
    const { ending, stderr } = await runToItsEnd(several({ REDIS_URL: careless.url }));
    expect(stderr.match(/STORE_UNSAFE: .*noeviction/g)).toHaveLength(1);
    expect(ending).toBe(78);
  });

  it("say once that there is no Redis", async () => {
    await using gone = await startRedis();
    await gone.kill();
    const { ending, stderr } = await runToItsEnd({
      ...several({ REDIS_URL: gone.url }),
      config: configFolder(`${NO_LIMITS}  store: { spool: off }\n`),
    });
    expect(stderr.match(/STORE_UNAVAILABLE: .*ECONNREFUSED/g)).toHaveLength(1);
    expect(ending).toBe(69);
  });

  it("say that they need a Redis to share", async () => {
    const { ending, stderr } = await runToItsEnd(several({ REDIS_URL: "" }));
    expect(stderr).toContain("PARLEY_PROCESSES: expected 1, because REDIS_URL is not set");
    expect(ending).toBe(78);
  });
});
