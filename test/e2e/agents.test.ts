import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { ask } from "./ask.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";

const agent = (name: string, more: string) => `apiVersion: parley/v1
kind: Agent
metadata: { name: ${name} }
spec:
  model: { provider: demo }
  budgets: { tokens: 1000000 }
${more}`;

const GATEWAY = `apiVersion: parley/v1
kind: Gateway
spec:
  limits: { user: off, conversation: off, tenant: off, global: off }
  routes: [{ agent: assistant }]
`;

function folder(): string {
  const path = temporaryFolder();
  mkdirSync(join(path, "agents"));
  writeFileSync(join(path, "gateway.yaml"), GATEWAY);
  const assistant = "  hand_over: [{ agent: ops, when: the servers }]\n";
  writeFileSync(join(path, "agents/assistant.yaml"), agent("assistant", assistant));
  writeFileSync(
    join(path, "agents/ops.yaml"),
    agent("ops", "  chosen_by: any\n  system_prompt: I am ops.\n"),
  );
  writeFileSync(join(path, "agents/secret.yaml"), agent("secret", "  chosen_by: none\n"));
  return path;
}

const conversation = "c1";
const say = async (gateway: GatewayProcess, message: string, wait = 30) =>
  (await ask(gateway.url, { message, conversation, wait })).reply ?? "";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

describe.each(["sqlite", "redis"] as const)("several agents, with their state in %s", (store) => {
  const place = () => ({
    dataDir: temporaryFolder(),
    config: folder(),
    ...(store === "redis" && { env: { REDIS_URL: redis.url } }),
  });

  it("a person chooses one, and it stays chosen when the process was killed", async () => {
    const options = place();
    await using first = await startGateway(options);
    expect(await say(first, "/agent")).toContain("You can also choose **ops**");
    expect(await say(first, "/agent secret")).toContain("no agent `secret` that you can choose here");
    expect(await say(first, "/agent ops")).toContain("From now on **ops** answers here.");
    await first.end("SIGKILL");
    await using second = await startGateway(options);
    expect(await say(second, "/status")).toContain("Agent **ops** answers here, as it was chosen");
    expect(await say(second, "demo: prompt")).toContain("demo: prompt");
    expect(await say(second, "/agent default")).toContain("**assistant** answers here again");
    expect(await say(second, "@agent:nobody hello")).toContain("There are **assistant** and **ops**.");
    expect(await say(second, "/reset")).toContain("forgotten");
  });

  it("a message is told that the bot is paused where the agent is that was chosen, and by no other", async () => {
    const { env, ...options } = { env: {}, ...place() };
    const token = "an-admin-token-of-at-least-32-characters";
    await using gateway = await startGateway({ ...options, env: { ...env, PARLEY_ADMIN_TOKEN: token } });
    const turn = async (agent: string, on: boolean) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const body = JSON.stringify({ on, agent });
      const url = `${gateway.url}/api/v1/kill-switch`;
      expect((await fetch(url, { method: "PUT", headers, body })).status).toBe(200);
    };
    expect(await say(gateway, "/agent ops")).toContain("From now on **ops** answers here.");
    await turn("assistant", true);
    expect(await say(gateway, "hello")).toContain("You said: hello");
    await turn("assistant", false);
    await turn("ops", true);
    expect(await say(gateway, "hello again")).toMatch(/paused/);
    await turn("ops", false);
    expect(await say(gateway, "/agent default")).toContain("**assistant** answers here again");
    expect(await say(gateway, "/reset")).toContain("forgotten");
  });

  it("one hands over to another, who goes on when the process is killed right behind that step", async () => {
    const options = place();
    await using first = await startGateway(options);
    const note = JSON.stringify({ agent: "ops", note: "look at the disk\ndemo: sleep 3s" });
    const asked = await ask(first.url, { message: `demo: tool hand_over ${note}`, conversation });
    await first.logged('"run.handed_over"');
    await first.end("SIGKILL");

    await using second = await startGateway(options);
    await second.logged('"run.finished"');
    const lines = second.logLines();
    expect(lines.filter(({ msg }) => msg === "run.handed_over")).toEqual([]);
    expect(lines.find(({ msg }) => msg === "run.finished")).toMatchObject({
      event_id: asked.id,
      agent: "ops",
      path: ["assistant", "ops"],
      outcome: "answered",
      model_calls: 2,
    });
    expect(await say(second, "/status")).toContain("Agent **ops** answers here, to whom it was handed over");
    expect(await say(second, "/reset")).toContain("forgotten");
  });
});
