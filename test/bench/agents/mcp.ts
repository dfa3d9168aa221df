import { join, resolve } from "node:path";
import process from "node:process";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { callTool } from "../../../src/agent/tool-call.ts";
import { tools as toolsSchema } from "../../../src/config/tools-schema.ts";
import type { Tool, ToolCaller } from "../../../src/ports/tool.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { ToolPool } from "../../../src/tools/pool.ts";
import { eventOf } from "../../agent/support.ts";
import { serveHttp } from "../../fakes/mcp-server.ts";
import { median } from "../drive.ts";
import { benchFolder } from "../folder.ts";

export interface McpCost {
  readonly transport: "stdio" | "http";
  readonly calls: number;
  readonly bareMs: number;
  readonly ourMs: number;
  /** Medians over the rounds of ours less the bare client's in the same round. */
  readonly overheadMs: number;
  readonly overheadCpuMs: number;
}

const SERVER = resolve(import.meta.dirname, "../../fakes/mcp-server.ts");
const CALLER: ToolCaller = { runId: "run_1", event: eventOf("hello"), history: [] };
const INPUT = { text: "a line of some words" };
const NEVER = new AbortController().signal;

/** The same tool of the same kind of server, by the bare client and as an agent calls it, in turns. */
export async function benchMcp({ rounds, calls }: { rounds: number; calls: number }): Promise<McpCost[]> {
  const served = await serveHttp();
  const http = { transport: "http", url: served.url };
  const stdio = { transport: "stdio", command: process.execPath, args: [SERVER] };
  const costs = [
    await compare({ rounds, calls }, "stdio", stdio, new StdioClientTransport(stdio)),
    await compare({ rounds, calls }, "http", http, new StreamableHTTPClientTransport(new URL(served.url))),
  ];
  await served.close();
  return costs;
}

async function compare(
  { rounds, calls }: { rounds: number; calls: number },
  transport: McpCost["transport"],
  config: object,
  bare: StdioClientTransport | StreamableHTTPClientTransport,
): Promise<McpCost> {
  const client = new Client({ name: "bench", version: "1" });
  await client.connect(bare);
  const pool = new ToolPool({
    ...{ clock: systemClock, random: () => 0, version: "1", folder: join(benchFolder(), "tools") },
  });
  const spec = toolsSchema.parse([{ name: "fake", type: "mcp", allow: ["*"], config }]);
  const toolbox = pool.begin().toolboxFor("ops", spec, () => false);
  const ourCall = async () => {
    // As a run does it before each call.
    const { tools } = await toolbox.open(CALLER, NEVER);
    const tool = tools.find(({ name }) => name === "fake__append") as Tool;
    const result = await callTool(tool, { id: "1", name: tool.name, input: INPUT }, NEVER, {
      ...{ agent: "ops", clock: systemClock, caller: CALLER, ensure: async () => {} },
      observe: { modelCall: () => {}, retry: () => {} },
    });
    if (result.result !== "appended") throw new Error(`Expected it to append, got ${result.result}`);
  };
  const bareCall = () => client.callTool({ name: "append", arguments: INPUT });
  const slices: { bare: Slice; ours: Slice }[] = [];
  // The first round warms up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const slice = { bare: await sliceOf(bareCall, calls), ours: await sliceOf(ourCall, calls) };
    if (round > 0) slices.push(slice);
  }
  await client.close();
  await pool.close();
  const of = (what: (slice: { bare: Slice; ours: Slice }) => number) => median(slices.map(what));
  return {
    ...{ transport, calls: rounds * calls },
    bareMs: of(({ bare: { ms } }) => ms),
    ourMs: of(({ ours: { ms } }) => ms),
    overheadMs: of(({ bare: { ms }, ours }) => ours.ms - ms),
    overheadCpuMs: of(({ bare: { cpuMs }, ours }) => ours.cpuMs - cpuMs),
  };
}

interface Slice {
  /** The median of a call. */
  readonly ms: number;
  /** Of this process, for one call. */
  readonly cpuMs: number;
}

async function sliceOf(task: () => Promise<unknown>, calls: number): Promise<Slice> {
  const times: number[] = [];
  const before = process.cpuUsage();
  for (let n = 0; n < calls; n++) {
    const startedAt = performance.now();
    await task();
    times.push(performance.now() - startedAt);
  }
  const { user, system } = process.cpuUsage(before);
  return { ms: median(times), cpuMs: (user + system) / 1000 / calls };
}
