import process from "node:process";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/system/clock.ts";
import { McpServer } from "../../src/tools/mcp/server.ts";
import { grantOf, shownName } from "../../src/tools/mcp/tools.ts";
import { INJECTION, serveHttp } from "../fakes/mcp-server.ts";
import { eventually } from "../support/eventually.ts";
import { CALLER, fakeServer, TRANSPORTS } from "./support.ts";

describe.each(TRANSPORTS)("an MCP server over %s", (transport) => {
  it("is begun with the first that needs it, and gives what it has", async () => {
    const { open, pool } = await fakeServer(transport);
    expect(pool.states()).toEqual([]);
    const { tools, notes } = await open();
    expect(pool.states()).toMatchObject([{ agent: "ops", server: "fake", isUp: true }]);
    const effects = Object.fromEntries(tools.map(({ name, effect }) => [name, effect]));
    expect(effects).toMatchObject({ fake__append: "write", fake__look: "read", fake__drop: "delete" });
    // Of what is no schema, every tool of the agent would be refused.
    expect(effects).not.toHaveProperty("fake__no_schema");
    expect(effects).not.toHaveProperty("fake__bad_schema");
    expect(notes.join()).not.toContain("care");
  });

  it("is called with checked arguments, once, and told for whom", async () => {
    const { call, witnessed, reports } = await fakeServer(transport);
    expect(await call("fake__append", { text: "a" })).toEqual({ result: "appended", isError: false });
    expect(await call("fake__append", { txt: "a" })).toEqual({
      result:
        "Expected arguments as the tool's schema has them: arguments must have required property 'text'",
      isError: true,
    });
    expect(await call("fake__append", { text: "a", b: 1 })).toMatchObject({
      result: expect.stringContaining("must NOT have additional properties (b)"),
    });
    expect(witnessed().filter((line) => line.startsWith("effect"))).toEqual(["effect a"]);
    const { result } = await call("fake__who");
    expect(JSON.parse(result)).toMatchObject({
      "parley/sender": { platform: "test", tenant: "t", id: "u1", name: "Ann" },
      "parley/conversation": CALLER.event.conversation,
      "parley/run": "run_1",
      traceparent: CALLER.traceparent,
    });
    expect(reports.map(({ outcome }) => outcome)).toEqual(["ok", "error", "error", "ok"]);
  });

  it("gives failures, pictures and resources as words, cut where they are long", async () => {
    const { call } = await fakeServer(transport);
    expect(await call("fake__fail")).toEqual({ result: "it failed", isError: true });
    expect((await call("fake__picture")).result).toBe(
      "[image image/png, 1 kB, which cannot be shown]\n[resource file:///a.txt, text/plain]\ninside\n[resource b at file:///b.txt]",
    );
    const { result } = await call("fake__flood");
    expect(result).toBe(`${"long ".repeat(6_000)}\n[truncated: 30000 of 1000000 characters]`);
    // Announced was something else, but this is what was done.
    expect(await call("fake__liar")).toEqual({ result: "b", isError: false });
  });

  it("cannot pose as the gateway in what it says", async () => {
    const { call } = await fakeServer(transport);
    expect((await call("fake__inject")).result).toBe(INJECTION.replace("⟦", "[").replace("⟧", "]"));
  });

  it("is told that a call is over its time, and so is the model", async () => {
    const { call, witnessed, reports } = await fakeServer(transport, { timeout_seconds: 1 });
    expect(await call("fake__hang")).toEqual({ result: "timed out after 1 s", isError: true });
    await eventually(async () => expect(witnessed()).toContain("notifications/cancelled"), 20_000);
    expect(await call("fake__hang_write")).toEqual({
      result: "timed out after 1 s, outcome unknown",
      isError: true,
    });
    expect(reports.map(({ outcome }) => outcome)).toEqual(["timeout", "timeout"]);
  });

  it("is told at once when the run is stopped", async () => {
    const { open, call, witnessed } = await fakeServer(transport);
    await open();
    const stop = new AbortController();
    const calling = call("fake__hang_write", {}, stop.signal);
    await eventually(async () => expect(witnessed()).toContain("call hang_write"), 20_000);
    const begunAt = performance.now();
    stop.abort(new Error("stopped"));
    await expect(calling).rejects.toThrow("stopped");
    expect(performance.now() - begunAt).toBeLessThan(1_000);
    await eventually(async () => expect(witnessed()).toContain("notifications/cancelled"), 1_000);
  });

  it("may make its tools stricter, and never looser", async () => {
    const { call, open } = await fakeServer(transport);
    await open();
    await call("fake__change");
    const effects = await eventually(async () => {
      const { tools } = await open();
      const found = Object.fromEntries(tools.map(({ name, effect }) => [name, effect]));
      expect(found).toHaveProperty("fake__fresh");
      return found;
    }, 20_000);
    expect(effects).toMatchObject({ fake__fresh: "read", fake__look: "delete", fake__drop: "delete" });
  });

  it("that says more than anybody asked for is cut off", async () => {
    const { call, downs } = await fakeServer(transport, { retry: { max_attempts: 1 } });
    const { isError } = await call("fake__chatter");
    // What it answered may have been before it was cut off.
    expect(typeof isError).toBe("boolean");
    await eventually(async () => expect(downs).toHaveLength(1), 20_000);
    expect(downs[0]).toContain("more than anybody asked for");
    expect((await call("fake__look")).result).toBe("look ran");
  });

  it("holds nobody up with a pattern that backtracks", async () => {
    const { call } = await fakeServer(transport);
    const begunAt = performance.now();
    const { isError } = await call("fake__slow_pattern", { a: `${"a".repeat(40)}!` });
    expect([isError, performance.now() - begunAt < 5_000]).toEqual([true, true]);
  });
});

describe("a server that is a process", () => {
  it("has a small environment, and a folder of its own", async () => {
    process.env.SOME_SECRET_OF_OURS = "hunter2";
    const { call, folder } = await fakeServer("stdio");
    const { env, cwd } = JSON.parse((await call("fake__where")).result);
    expect(env).not.toHaveProperty("SOME_SECRET_OF_OURS");
    expect(env).toHaveProperty("PATH");
    expect(cwd).toBe(`${folder}/tools/ops/fake`);
  });

  it("is ended when it goes on with a call that was cancelled, and begun again", async () => {
    const { call, downs } = await fakeServer("stdio", { timeout_seconds: 1 });
    const { pid } = JSON.parse((await call("fake__where")).result);
    await call("fake__hang");
    await eventually(async () => expect(isAlive(pid)).toBe(false), 20_000);
    expect(downs).toHaveLength(1);
    const again = JSON.parse((await call("fake__where")).result);
    expect(again.pid).not.toBe(pid);
  });

  it("that dies in the middle of a call is begun again, and only what reads is repeated", async () => {
    const { call, witnessed, downs } = await fakeServer("stdio", {
      retry: { max_attempts: 2, backoff_ms: 1 },
    });
    expect(await call("fake__die")).toEqual({ result: "interrupted, outcome unknown", isError: true });
    expect(downs[0]).toContain("out of luck");
    expect((await call("fake__die_reading")).isError).toBe(true);
    const calls = witnessed().filter((line) => line.startsWith("call"));
    expect(calls.filter((line) => line === "call die")).toHaveLength(1);
  });

  it("that cannot be started is an error for the model, and nothing else", async () => {
    const { benchOf } = await import("./support.ts");
    const config = { transport: "stdio", command: "/nowhere/at-all" };
    const { call, open, downs } = benchOf([{ name: "gone", type: "mcp", config, allow: ["*"] }]);
    const { tools, notes } = await open();
    expect(tools).toEqual([]);
    expect(notes).toEqual(["The tools whose names begin with gone__ cannot be reached right now."]);
    const { result, isError } = await call("gone__look");
    expect([result.startsWith("gone cannot be reached: "), isError]).toEqual([true, true]);
    expect(result).toContain("ENOENT");
    expect(downs[0]).toContain("ENOENT");
  });

  it("ends with the pool", async () => {
    const { call, pool } = await fakeServer("stdio");
    const { pid } = JSON.parse((await call("fake__where")).result);
    await pool.close();
    expect(isAlive(pid)).toBe(false);
  });
});

describe("a server that does not say what it has", () => {
  const served = async () => {
    const one = await serveHttp();
    onTestFinished(() => one.close());
    const downs: string[] = [];
    const server = new McpServer({
      ...{ name: "fake", config: { transport: "http", url: one.url, headers: {} }, startMs: 200 },
      ...{ clock: systemClock, random: () => 0, version: "1", tokens: null },
      onDown: (reason) => downs.push(reason),
    });
    onTestFinished(() => server.close());
    const take = one.fake.take.bind(one.fake);
    return { server, downs, take, fake: one.fake };
  };

  it("because it hangs is lost, and asked again over another connection", async () => {
    const { server, downs, take, fake } = await served();
    fake.take = (message, send) => {
      if (message.method !== "tools/list") take(message, send);
    };
    await expect(server.offering()).rejects.toThrow("fake does not say what it has: ");
    expect([downs.length, server.state.isUp]).toEqual([1, false]);
    expect(server.state.reason).toMatch(/^does not say what it has: .*timed out/i);
    fake.take = take;
    expect((await server.offering()).tools.length).toBeGreaterThan(0);
    expect(fake.received.filter(({ method }) => method === "initialize")).toHaveLength(2);
  });

  it("because it cannot is counted", async () => {
    const { server, downs, take, fake } = await served();
    fake.take = (message, send) => {
      if (message.method !== "tools/list") return take(message, send);
      send({ jsonrpc: "2.0", id: message.id, error: { code: -32603, message: "no list" } });
    };
    await expect(server.offering()).rejects.toThrow("no list");
    expect([downs.length, server.state.isUp]).toEqual([1, true]);
  });
});

describe("a server over the network", () => {
  it.each(["http", "sse"] as const)("over %s is connected to again when it was lost", async (transport) => {
    const { call, served } = await fakeServer(transport);
    expect((await call("fake__look")).result).toBe("look ran");
    served?.drop();
    expect((await call("fake__look")).result).toBe("look ran");
  });

  it("that leads elsewhere is not followed", async () => {
    const { createServer } = await import("node:http");
    const { benchOf } = await import("./support.ts");
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.writeHead(307, { location: "/elsewhere" }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const config = { transport: "http", url: `http://127.0.0.1:${port}/mcp` };
    const { open } = benchOf([{ name: "away", type: "mcp", config, allow: ["*"] }]);
    expect((await open()).tools).toEqual([]);
    expect(asked).not.toContain("/elsewhere");
    server.close();
  });
});

describe("what an agent may use of a server", () => {
  const spec = {
    allow: ["get_*", "x"],
    approve: ["get_secret", "delete_*"],
    deny: ["*_all", "get_secret_key"],
  };
  it.each([
    ["get_pods", "allowed"],
    ["get_secret", "approval"],
    ["get_secret_key", "denied"],
    ["delete_pod", "approval"],
    ["delete_all", "denied"],
    ["scale", "denied"],
    ["xx", "denied"],
  ])("%s: %s", (name, grant) => {
    expect(grantOf(name, spec)).toBe(grant);
  });

  it("is named so that providers take it", () => {
    expect(shownName("a", "get.pods/all")).toBe("a__get_pods_all");
    const long = shownName("a", "x".repeat(100));
    expect([long.length, long === shownName("a", `${"x".repeat(99)}y`)]).toEqual([64, false]);
  });

  it("needs an approval by pattern, and by place where it does more than read", async () => {
    const { open } = await fakeServer("http", { approve: ["look"] });
    const { tools } = await open();
    const asking = tools.filter(({ asks }) => asks !== undefined).map(({ name }) => name);
    expect(asking).toEqual(["fake__look"]);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
