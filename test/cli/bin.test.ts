import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import compile from "../e2e/compiled.ts";
import { ROOT } from "../e2e/gateway-process.ts";
import { oldNode, run, start } from "./helpers.ts";

/** Takes connections and never answers: a command that asks it runs until it is stopped. */
async function silentServer(): Promise<{ url: string; connection: Promise<Socket> }> {
  const server = createServer();
  const connection = once(server, "connection").then(([socket]) => socket as Socket);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`, connection };
}

/** Of the Node that runs the command; an older one, which hands over, has no such hooks. */
const TELL_ENTRY = `
import * as module from "node:module";
module.registerHooks?.({
  load(url, context, next) {
    if (/src.cli.index.[jt]s$/.test(url)) console.error(url);
    return next(url, context);
  },
});`;

const old = oldNode();
const nodes = [process.execPath, ...(old === undefined ? [] : [old])];

describe.each(nodes)("bin/parley.js started by %s", (node) => {
  it("runs on Node 24 or newer", { timeout: 30_000 }, async () => {
    const { code, stdout, stderr } = await run(["doctor", "--json"], { node });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [first] = JSON.parse(stdout) as { check: string; status: string; message: string }[];
    expect(first).toMatchObject({
      check: "node",
      status: "ok",
      message: expect.stringMatching(/^Node v(2[4-9]|[3-9]\d)/),
    });
  });

  it.each([
    ["compiled", "dist/src/cli/index.js"],
    ["sources", "src/cli/index.ts"],
  ])("runs what is %s where that was asked for", { timeout: 30_000 }, async (what, entry) => {
    await compile();
    const env = {
      PARLEY_RUN: what,
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(TELL_ENTRY)}`,
    };
    const { stderr } = await run(["--version"], { node, env });
    expect(stderr.trim()).toBe(pathToFileURL(join(ROOT, entry)).href);
  });

  it("passes on the exit code", { timeout: 30_000 }, async () => {
    expect(await run(["sevre"], { node })).toMatchObject({ code: 2, signal: null });
    expect(await run(["config", "validate", "--config", "none"], { node })).toMatchObject({ code: 78 });
  });

  it.each([
    ["SIGTERM", { code: null, signal: "SIGTERM" }],
    ["SIGINT", { code: 130, signal: null }],
    ["SIGKILL", { code: null, signal: "SIGKILL" }],
  ] as const)("ends by %s, and leaves nobody behind", { timeout: 30_000 }, async (signal, end) => {
    const { url, connection } = await silentServer();
    const { child, ended } = start(["send", "test", "--url", url], { node });
    const socket = await connection;
    const closed = new Promise((resolve) => socket.on("error", () => {}).once("close", resolve));
    socket.resume();
    child.kill(signal);
    expect(await ended).toMatchObject(end);
    await closed;
  });

  it.each([
    ["the process", 1],
    ["its whole group", -1],
  ])("takes a SIGTERM to %s for one, so that the gateway drains", { timeout: 30_000 }, async (_, sign) => {
    const { child, ended } = start(["serve", "--port", "0"], { node });
    const ready = new Promise<void>((resolve) => {
      child.stdout?.on("data", (text: string) => text.includes("gateway.started") && resolve());
    });
    await Promise.race([ready, ended]);
    process.kill(sign * (child.pid ?? 0), "SIGTERM");
    const { code, stdout, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("Draining") });
    expect(stdout).toContain("gateway.stopped");
    expect(stdout).not.toContain("gateway.stopped_at_once");
  });
});
