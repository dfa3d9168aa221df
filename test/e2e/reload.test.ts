import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { launch } from "../support/child.ts";
import { eventually } from "../support/eventually.ts";
import { startRedis } from "../support/redis.ts";
import { ask } from "./ask.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";
import { scrape } from "./scrape.ts";

const HEAD = "apiVersion: parley/v1\nkind: Gateway\nspec:\n";
const OTHER = `apiVersion: parley/v1
kind: Agent
metadata: { name: other }
spec: { model: { provider: demo, model: demo }, budgets: { tokens: 1000000 } }
`;
const ONE_A_DAY = NO_LIMITS.replace("user: off", "user: { messages: 1, per_seconds: 86400 }");
const TO_OTHER = NO_LIMITS.replace("[{ agent: assistant }]", "[{ agent: other }]");

function edit(folder: string, spec: string): void {
  writeFileSync(join(folder, ".next"), HEAD + spec);
  renameSync(join(folder, ".next"), join(folder, "gateway.yaml"));
}

const linesOf = (gateway: GatewayProcess, msg: string) =>
  gateway.logLines().filter((line) => line.msg === msg);

/** The next one of its kind. */
async function said(gateway: GatewayProcess, msg: string, nth: number): Promise<Record<string, unknown>> {
  return await eventually(async () => {
    const line = linesOf(gateway, msg)[nth - 1];
    if (line === undefined) throw new Error(`Expected ${nth} of ${msg}`);
    return line;
  }, 15_000);
}

/** Whom the run of this event was by; the line comes a moment after the reply. */
async function agentOf(gateway: GatewayProcess, id: string): Promise<unknown> {
  return await eventually(async () => {
    const line = linesOf(gateway, "run.finished").find(({ event_id }) => event_id === `test:${id}`);
    if (line === undefined) throw new Error(`Expected a line on the run of ${id}`);
    return line.agent;
  }, 10_000);
}

describe("a gateway whose configuration changes", () => {
  it("lets a new route and a new limit hold on SIGHUP, and refuses what is wrong", async () => {
    const config = configFolder();
    await using gateway = await startGateway({ dataDir: temporaryFolder(), config });
    const say = (id: string) => ask(gateway.url, { message: id, conversation: id, id, wait: 20 });
    expect(await say("before")).toMatchObject({ status: 200, reply: "You said: before" });
    expect(await agentOf(gateway, "before")).toBe("assistant");

    writeFileSync(join(config, "agents/other.yaml"), OTHER);
    edit(config, TO_OTHER);
    process.kill(gateway.pid, "SIGHUP");
    const { digest } = await said(gateway, "configuration.reloaded", 1);
    expect(await say("routed")).toMatchObject({ status: 200, reply: "You said: routed" });
    expect(await agentOf(gateway, "routed")).toBe("other");
    const { text } = await scrape(gateway.url);
    expect(text).toContain(`parley_config_info{digest="${String(digest)}"} 1`);
    expect(text).toContain('parley_config_reloads_total{outcome="reloaded"} 1');

    edit(config, `${TO_OTHER}  max_age: 3\n`);
    process.kill(gateway.pid, "SIGHUP");
    const refused = await said(gateway, "configuration.refused", 1);
    expect(String(refused.problems)).toMatch(/gateway\.yaml:\d+:\d+ .*max_age/);
    expect(await say("still")).toMatchObject({ status: 200, reply: "You said: still" });
    expect(await agentOf(gateway, "still")).toBe("other");
    const ready = await fetch(`${gateway.url}/ready`);
    expect([ready.status, await ready.json()]).toMatchObject([
      200,
      { status: "degraded", components: { configuration: { status: "degraded", code: "CONFIG_INVALID" } } },
    ]);

    // Nobody asks for this one.
    edit(config, ONE_A_DAY);
    await said(gateway, "configuration.reloaded", 2);
    expect((await say("first")).reply).toBe("You said: first");
    await ask(gateway.url, { message: "second", conversation: "second", id: "second" });
    expect((await scrape(gateway.url)).value('parley_rate_limited_total{platform="test",scope="user"}')).toBe(
      1,
    );
    expect(await gateway.end("SIGTERM")).toBe(0);
  }, 60_000);

  it("loses and reorders nothing while it is read again and again under load, and a run keeps its agent", async () => {
    const config = configFolder();
    writeFileSync(join(config, "agents/other.yaml"), OTHER);
    await using gateway = await startGateway({ dataDir: temporaryFolder(), config });
    const long = ask(gateway.url, {
      message: "long\ndemo: sleep 4s",
      conversation: "long",
      id: "long",
      wait: 30,
    });
    await eventually(
      async () => expect((await scrape(gateway.url)).value("parley_runs_active")).toBe(1),
      10_000,
    );
    let isOver = false;
    const reloads = (async () => {
      for (let n = 0; !isOver; n++) {
        edit(config, n % 3 === 0 ? TO_OTHER : n % 3 === 1 ? NO_LIMITS : "  nonsense: [\n");
        process.kill(gateway.pid, "SIGHUP");
        const outcomes =
          linesOf(gateway, "configuration.reloaded").length +
          linesOf(gateway, "configuration.refused").length;
        await eventually(async () => {
          const now =
            linesOf(gateway, "configuration.reloaded").length +
            linesOf(gateway, "configuration.refused").length;
          expect(now).toBeGreaterThan(outcomes);
        }, 10_000);
      }
    })();
    const conversations = Array.from({ length: 10 }, async (_, c) => {
      const heard: (string | undefined)[] = [];
      for (let n = 0; n < 20; n++) {
        const question = { message: `${n}`, conversation: `load-${c}`, id: `load-${c}-${n}`, wait: 20 };
        heard.push((await ask(gateway.url, question)).reply);
      }
      return heard;
    });
    const expected = Array.from({ length: 20 }, (_, n) => `You said: ${n}`);
    for (const heard of await Promise.all(conversations)) expect(heard).toEqual(expected);
    expect((await long).reply).toBe("You said: long");
    expect(await agentOf(gateway, "long")).toBe("assistant");
    isOver = true;
    await reloads;
    expect(linesOf(gateway, "configuration.reloaded").length).toBeGreaterThan(4);
    expect(linesOf(gateway, "configuration.refused").length).toBeGreaterThan(2);
    expect(await gateway.end("SIGTERM")).toBe(0);
  }, 60_000);

  it("is not ended by SIGHUP while it starts, nor while it drains", async () => {
    const config = configFolder();
    const env = { PATH: process.env.PATH ?? "", PARLEY_PORT: "0" };
    const serve = [process.execPath, join(ROOT, "bin/parley.js"), "serve"];
    const child = launch(serve, {
      cwd: ROOT,
      env: { ...env, PARLEY_DATA_DIR: temporaryFolder(), PARLEY_CONFIG: config },
    });
    // From when its first line has run, which nobody outside sees but in what the kernel says of it.
    await catchesHangUp(child.pid);
    let isUp = false;
    const up = child.said("stderr", /listens on (http:\S+)/).finally(() => {
      isUp = true;
    });
    while (!isUp) {
      process.kill(child.pid, "SIGHUP");
      // Each is answered by a reading of its own: as fast as one can send, they would hold it up for half a minute after.
      await sleep(10);
    }
    const url = await up;
    // Only now has it answered them all.
    await scrape(url);
    const long = ask(url, { message: "long\ndemo: sleep 5s", conversation: "long", wait: 30 });
    await eventually(async () => expect((await scrape(url)).value("parley_runs_active")).toBe(1), 10_000);
    child.signal("SIGTERM");
    await child.said("stdout", "gateway.draining");
    child.signal("SIGHUP");
    await child.said("stdout", "configuration.not_reloaded");
    await long;
    expect(await child.ended).toBe(0);
    expect(child.output.stdout).toContain("reply.sent");
  }, 60_000);

  it("is read by each of several processes that one of them watches", async () => {
    await using redis = await startRedis();
    const config = configFolder();
    await using gateway = await startGateway({
      dataDir: temporaryFolder(),
      config,
      env: { REDIS_URL: redis.url, PARLEY_PROCESSES: "2" },
    });
    edit(config, ONE_A_DAY);
    process.kill(gateway.pid, "SIGHUP");
    await eventually(async () => {
      const of = new Set(linesOf(gateway, "configuration.reloaded").map((line) => line.process));
      expect(of).toEqual(new Set([1, 2]));
    }, 15_000);
    const { text } = await scrape(gateway.url);
    expect(text.match(/parley_config_info\{digest="[0-9a-f]{12}"\} 1/g)).toHaveLength(1);
    expect(await gateway.end("SIGTERM")).toBe(0);
  }, 60_000);
});

/** Whether the process has a handler of its own for SIGHUP, signal 1. */
async function catchesHangUp(pid: number): Promise<void> {
  const { readFileSync } = await import("node:fs");
  await eventually(async () => {
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
    expect(BigInt(`0x${caught}`) & 1n).toBe(1n);
  }, 10_000);
}
