import { join } from "node:path";
import process from "node:process";
import { expect, it, onTestFinished } from "vitest";
import type { ToolsView } from "../../src/admin/tools.ts";
import { createToolDesk } from "../../src/app/tool-desk.ts";
import { toolMetrics } from "../../src/app/tools.ts";
import { tools as toolsSchema } from "../../src/config/tools-schema.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { ToolPool } from "../../src/tools/pool.ts";
import { openAdmin } from "../support/admin.ts";
import { CALLER, FAKE_SERVER, newFolder } from "../tools/support.ts";

const SECRET = "hunter2-of-a-header";

/** The API of a gateway whose agent `ops` has a server over stdio, one that is not there, a command, the clock and a colleague. */
async function opened() {
  const folder = newFolder();
  const metrics = createMetrics();
  const pool = new ToolPool({
    ...{ clock: systemClock, random: () => 0, version: "1", folder: join(folder, "tools") },
    onDown: (agent, server) => metrics.toolServerFailures.inc({ agent, server }),
  });
  onTestFinished(() => pool.close());
  const specs = toolsSchema.parse([
    {
      ...{ name: "fake", type: "mcp", allow: ["look"], approve: ["drop"] },
      config: { transport: "stdio", command: process.execPath, args: [FAKE_SERVER] },
    },
    {
      ...{ name: "gone", type: "mcp", allow: ["*"] },
      config: {
        transport: "http",
        url: `http://127.0.0.1:9/mcp?key=${SECRET}`,
        headers: { "x-key": SECRET },
      },
    },
    { name: "say", type: "command", command: "echo", args: ["{w}", SECRET], input: { w: {} }, sandbox: true },
    { name: "clock", type: "builtin", builtin: "time" },
    { name: "friend", type: "agent", agent: "sales" },
  ]);
  const begun = pool.begin();
  const toolbox = begun.toolboxFor("ops", specs, () => false);
  begun.holds();
  const admin = await openAdmin({ tools: createToolDesk(pool, metrics) });
  const ask = async (query = "") => {
    const response = await admin.ask(`/tools${query}`);
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).not.toContain(SECRET);
    return (JSON.parse(text) as ToolsView).tools;
  };
  return { admin, ask, metrics, toolbox };
}

it("GET /tools tells of every tool of an agent without beginning a server, and of no secret", async () => {
  const { ask } = await opened();
  const [fake, gone, say, clock, friend] = await ask();
  expect(fake).toEqual({
    ...{ agent: "ops", name: "fake", type: "mcp", to: process.execPath, sandboxed: false, tools: [] },
    server: { transport: "stdio", state: "idle", reason: null, pid: null, failures: 0 },
  });
  expect(gone).toMatchObject({ to: "http://127.0.0.1:9", sandboxed: null, server: { state: "idle" } });
  const none = { ok: 0, error: 0, timeout: 0, unknown_outcome: 0 };
  expect(say).toMatchObject({
    ...{ type: "command", to: "echo", sandboxed: true, server: null },
    tools: [{ name: "say", effect: "write", approval: false, calls: none }],
  });
  expect(clock).toMatchObject({ type: "builtin", to: "time", tools: [{ name: "clock", effect: "read" }] });
  expect(friend).toMatchObject({ type: "agent", to: "sales", tools: [] });
});

it("GET /tools says how servers are that runs have needed, and how calls went", async () => {
  const { ask, metrics, toolbox } = await opened();
  await toolbox.open(CALLER, new AbortController().signal);
  const count = toolMetrics(metrics);
  count({ agent: "ops", tool: "fake__look", outcome: "ok", durationMs: 1 });
  count({ agent: "ops", tool: "fake__look", outcome: "unknown-outcome", durationMs: 1 });
  const [fake, gone] = await ask();
  expect(fake?.server).toMatchObject({ state: "up", reason: null, pid: expect.any(Number), failures: 0 });
  expect(fake?.tools).toEqual([
    {
      ...{ name: "fake__look", effect: "read", approval: false },
      calls: { ok: 1, error: 0, timeout: 0, unknown_outcome: 1 },
    },
    expect.objectContaining({ name: "fake__drop", effect: "delete", approval: true }),
  ]);
  expect(gone?.server).toMatchObject({ state: "down", reason: expect.any(String), failures: 1 });
});

it("GET /tools begins what is idle where it is told to, and leaves other agents out", async () => {
  const { ask } = await opened();
  const [fake] = await ask("?begin=true&agent=ops");
  expect(fake).toMatchObject({
    server: { state: "up" },
    tools: [{ name: "fake__look" }, { name: "fake__drop" }],
  });
  expect(await ask("?agent=sales")).toEqual([]);
});

it("GET /tools wants a true or a false", async () => {
  const { admin } = await opened();
  expect((await admin.ask("/tools?begin=perhaps")).status).toBe(400);
});
