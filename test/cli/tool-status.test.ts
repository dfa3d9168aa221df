import { expect, it } from "vitest";
import type { ToolSetReport } from "../../src/ports/tool-desk.ts";
import { openAdmin, TOKEN } from "../support/admin.ts";
import { call } from "./helpers.ts";

const CALLS = { ok: 41, error: 2, timeout: 3, "unknown-outcome": 1 };
const KUBECTL: ToolSetReport = {
  ...{ agent: "ops", name: "kubectl", type: "mcp", to: "https://mcp.example", isSandboxed: null },
  server: { transport: "http", state: "down", reason: "ECONNREFUSED \u001b[2J", pid: null, failures: 4 },
  tools: [{ name: "kubectl__get", effect: "read", isAsked: false, calls: CALLS }],
};
const SAY: ToolSetReport = {
  ...{ agent: "ops", name: "say", type: "command", to: "echo", isSandboxed: true, server: null },
  tools: [{ name: "say", effect: "write", isAsked: true, calls: CALLS }],
};

async function open(tools: readonly ToolSetReport[]) {
  const begun: boolean[] = [];
  const list = async ({ begins }: { begins: boolean }) => {
    begun.push(begins);
    return tools;
  };
  const admin = await openAdmin({ tools: { list } });
  const env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() };
  return { begun, run: (...args: string[]) => call(["tools", "status", ...args], { env }) };
}

it("parley tools status says how the tools of a running gateway are, and how calls went", async () => {
  const { begun, run } = await open([KUBECTL, SAY]);
  const { code, stdout } = await run();
  expect(code).toBe(0);
  expect(stdout).toMatch(/^AGENT +STATE +LOST +OK +ERRORS +TIMEOUTS +UNKNOWN +NAME\n/);
  expect(stdout).toMatch(
    /^ops +down +4 +kubectl\n {2}mcp https:\/\/mcp\.example: ECONNREFUSED \\u\{1b\}\[2J\n/m,
  );
  expect(stdout).toMatch(/^ops +41 +2 +3 +1 +kubectl__get\n {2}read\n/m);
  expect(stdout).toMatch(
    /^ops +41 +2 +3 +1 +say\n {2}command echo, in a sandbox, write, after an approval\n/m,
  );
  expect(begun).toEqual([false]);
});

it("has idle servers begun, gives JSON, and says where there is nothing", async () => {
  const { begun, run } = await open([KUBECTL]);
  const { stdout } = await run("--begin", "--json");
  expect(JSON.parse(stdout).tools).toMatchObject([{ name: "kubectl", server: { failures: 4 } }]);
  expect(begun).toEqual([true]);
  expect((await run("--agent", "sales")).stdout).toBe("No agent has tools.\n");
});
