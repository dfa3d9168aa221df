import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { ask } from "./ask.ts";
import { configFolder } from "./configuration.ts";
import {
  type GatewayProcess,
  ROOT,
  type StartOptions,
  startGateway,
  temporaryFolder,
} from "./gateway-process.ts";
import { scrape } from "./scrape.ts";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

const specFor = (busy: string) => `  limits: { user: off, conversation: off, tenant: off, global: off }
  store: { spool: off }
  routes: [{ agent: assistant, busy: ${busy} }]
`;

function replica(busy: string, env: Readonly<Record<string, string>>): Promise<GatewayProcess> {
  return startGateway({
    dataDir: temporaryFolder(),
    config: configFolder(specFor(busy)),
    env: { REDIS_URL: redis.url, ...env },
  });
}

const until = (expectation: () => Promise<void> | void) =>
  vi.waitFor(expectation, { timeout: 20_000, interval: 25 });
const finished = async (gateway: GatewayProcess) =>
  (await scrape(gateway.url)).value('parley_runs_total{agent="assistant",outcome="answered"}');

async function running(gateway: GatewayProcess): Promise<number> {
  const answer = await fetch(`${gateway.url}/internal/worker/heartbeat`);
  return ((await answer.json()) as { running: number }).running;
}

const TOKEN = "operator-token-of-this-test-alone";
async function mergedInto(gateway: GatewayProcess, id: string): Promise<string | null> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const answer = await fetch(`${gateway.url}/api/v1/events/test:${id}`, { headers });
  return ((await answer.json()) as { merged_into: string | null }).merged_into;
}

describe("two replicas", () => {
  it("a message that one of them takes ends the run of the other at once, and both are answered", async () => {
    await using ingress = await replica("interrupt", { PARLEY_ROLE: "ingress" });
    await using worker = await replica("interrupt", { PARLEY_ROLE: "worker" });
    const first = ask(ingress.url, {
      message: "first\ndemo: sleep 60s",
      conversation: "interrupted",
      id: "1",
      wait: 30,
    });
    await until(async () => expect(await running(worker)).toBe(1));
    const sentAt = performance.now();
    const { reply } = await ask(ingress.url, {
      message: "demo: prompt",
      conversation: "interrupted",
      id: "2",
      wait: 30,
    });
    // By the bus: what is not heard there is told with the renewal of the lease, a third of its 30 s.
    expect(performance.now() - sentAt).toBeLessThan(5_000);
    expect(reply).toBe("first\ndemo: sleep 60s\ndemo: prompt");
    expect((await first).reply).toBe(reply);
    expect(await finished(worker)).toBe(1);
  });

  it("what a killed one had in hand together is answered by the other together, once", async () => {
    await using ingress = await replica("collect", { PARLEY_ROLE: "ingress", PARLEY_ADMIN_TOKEN: TOKEN });
    // All wait when a run begins: nobody works yet.
    for (const id of ["k1", "k2"])
      await ask(ingress.url, { message: `words ${id}`, conversation: "killed", id });
    const asked = ask(ingress.url, {
      message: "demo: sleep 3s\ndemo: prompt",
      conversation: "killed",
      id: "k3",
      wait: 60,
    });
    const worker: StartOptions = {
      command: [process.execPath, join(ROOT, "test/e2e/short-lease.ts"), "3000"],
      dataDir: temporaryFolder(),
      config: configFolder(specFor("collect")),
      env: { REDIS_URL: redis.url, PARLEY_ROLE: "worker" },
    };
    const killed = await startGateway(worker);
    // What is not joined before the death would be answered by itself.
    await until(async () => expect(await mergedInto(ingress, "k3")).toBe("test:k1"));
    expect(await running(killed)).toBe(1);
    expect(await killed.end("SIGKILL")).toBe("SIGKILL");
    // It hears of the work once the lease of the dead one has run out.
    await using next = await startGateway(worker);
    expect((await asked).reply).toBe("words k1\nwords k2\ndemo: sleep 3s\ndemo: prompt");
    for (const id of ["k1", "k2"])
      expect(
        (await ask(ingress.url, { message: `words ${id}`, conversation: "killed", id, wait: 30 })).reply,
      ).toBe("words k1\nwords k2\ndemo: sleep 3s\ndemo: prompt");
    // One run for all three: what comes next is the second that this replica ends.
    await ask(ingress.url, { message: "next", conversation: "killed", id: "k4", wait: 30 });
    await until(async () => expect(await finished(next)).toBe(2));
  });
});

it("one process refuses what comes while it works, where it is told to, once a run", async () => {
  await using gateway = await startGateway({
    dataDir: temporaryFolder(),
    config: configFolder(specFor("drop").replace("  store: { spool: off }\n", "")),
  });
  const first = ask(gateway.url, { message: "first\ndemo: sleep 2s", conversation: "c", id: "1", wait: 30 });
  await until(async () => expect(await running(gateway)).toBe(1));
  const dropped = await ask(gateway.url, { message: "second", conversation: "c", id: "2", wait: 30 });
  expect(dropped.reply).toBe("I am busy; please ask again when I have answered.");
  await ask(gateway.url, { message: "third", conversation: "c", id: "3" });
  expect((await first).reply).toBe("You said: first");
  expect((await ask(gateway.url, { message: "fourth", conversation: "c", id: "4", wait: 30 })).reply).toBe(
    "You said: fourth",
  );
  await until(async () => expect(await finished(gateway)).toBe(2));
});
