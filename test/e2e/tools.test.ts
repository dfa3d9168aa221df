import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { ask } from "./ask.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { startGateway, temporaryFolder } from "./gateway-process.ts";

const SERVER = resolve(import.meta.dirname, "../fakes/mcp-server.ts");
const SLOW_MS = 20_000;

/** An agent on the demo model, which calls the tools that it is told to, of a server that notes each effect in a file. */
function setUp() {
  const folder = temporaryFolder();
  const witness = join(folder, "witness");
  const agent = `metadata: { name: assistant }
spec:
  model: { provider: demo }
  budgets: { tokens: 1000000 }
  tools:
    - name: fake
      type: mcp
      config: { transport: stdio, command: ${process.execPath}, args: ["${SERVER}", "${witness}"] }
      allow: ["*"]
`;
  const config = configFolder(NO_LIMITS, agent);
  const witnessed = () =>
    existsSync(witness)
      ? readFileSync(witness, "utf8")
          .split("\n")
          .filter((line) => line !== "")
      : [];
  return {
    start: () => startGateway({ dataDir: join(folder, "data"), config }),
    witnessed,
    seen: (line: string) => eventually(async () => expect(witnessed()).toContain(line), SLOW_MS),
  };
}

describe("tools over MCP", () => {
  it("are called for whoever asked, and counted; their server ends with the gateway", async () => {
    const { start, witnessed } = setUp();
    const gateway = await start();
    expect(witnessed()).toEqual([]);
    const message =
      'demo: tool fake__append {"text":"a"}\ndemo: tool fake__who {}\ndemo: tool fake__inject {}';
    const { reply } = await ask(gateway.url, { message, conversation: "c1", wait: 30 });
    expect(reply).toContain("Tool fake__append said: appended");
    expect(reply).toContain('"parley/conversation":"test:');
    expect(reply).not.toContain("⟦");
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toContain(
      'parley_tool_calls_total{agent="assistant",tool="fake__append",outcome="ok"} 1',
    );
    expect(metrics).toContain('parley_tool_server_up{agent="assistant",server="fake"} 1');
    const { reply: where } = await ask(gateway.url, {
      message: "demo: tool fake__where {}",
      conversation: "c1",
      wait: 30,
    });
    const pid = Number(/"pid":(\d+)/.exec(where ?? "")?.[1]);
    expect(await gateway.end("SIGTERM")).toBe(0);
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  it("are cancelled at a stop", async () => {
    const { start, witnessed, seen } = setUp();
    await using gateway = await start();
    const calling = ask(gateway.url, {
      message: "demo: tool fake__hang_write {}",
      conversation: "c1",
      wait: 60,
    });
    await seen("call hang_write");
    await ask(gateway.url, { message: "/stop", conversation: "c1" });
    expect((await calling).reply).toBe("Stopped.");
    await seen("notifications/cancelled");
    expect(witnessed().filter((line) => line === "call hang_write")).toHaveLength(1);
  });

  it.each(["a", "b", "c"])("have each effect once, whatever dies: killed at the effect %s", async (last) => {
    const { start, witnessed, seen } = setUp();
    const message = ["a", "b", "c"].map((text) => `demo: tool fake__append {"text":"${text}"}`).join("\n");
    const first = await start();
    const { id } = await ask(first.url, { message, conversation: "c1" });
    await seen(`effect ${last}`);
    await first.end("SIGKILL");
    await using second = await start();
    const { reply } = await ask(second.url, { message: "demo: prompt", conversation: "c1", wait: 60 });
    expect(id).toBeDefined();
    const effects = witnessed().filter((line) => line.startsWith("effect"));
    // The next call may have been begun and not have come to its effect: that one is not repeated, and the model is told.
    const all = ["a", "b", "c"].map((text) => `effect ${text}`);
    const missing = all.filter((effect) => !effects.includes(effect));
    expect(effects).toEqual(all.filter((effect) => !missing.includes(effect)));
    expect(missing.length).toBeLessThanOrEqual(1);
    expect(missing).not.toContain(`effect ${last}`);
    const appended = reply?.match(/Tool fake__append said: appended/g)?.length ?? 0;
    const unknown = reply?.match(/interrupted, outcome unknown/g)?.length ?? 0;
    expect([appended + unknown, unknown >= missing.length]).toEqual([3, true]);
  });

  it("whose outcome a death left unknown are not called again, and the model is told", async () => {
    const { start, witnessed, seen } = setUp();
    const first = await start();
    const message = "demo: tool fake__hang_write {}\ndemo: prompt";
    await ask(first.url, { message, conversation: "c1" });
    await seen("call hang_write");
    await first.end("SIGKILL");
    await using second = await start();
    const { reply } = await ask(second.url, { message: "demo: prompt", conversation: "c1", wait: 60 });
    expect(reply).toContain("interrupted, outcome unknown");
    expect(witnessed().filter((line) => line === "call hang_write")).toHaveLength(1);
  });
});
