import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { onTestFinished } from "vitest";
import type { ToolCallReport } from "../../src/agent/agent.ts";
import { type CallResult, callTool, unknownTool } from "../../src/agent/tool-call.ts";
import { type ToolSpecs, tools as toolsSchema } from "../../src/config/tools-schema.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Equipment, Toolbox, ToolCaller } from "../../src/ports/tool.ts";
import { systemClock } from "../../src/system/clock.ts";
import { ToolPool } from "../../src/tools/pool.ts";
import { eventOf } from "../agent/support.ts";
import { type Served, serveHttp, serveSse } from "../fakes/mcp-server.ts";

export const FAKE_SERVER = resolve(import.meta.dirname, "../fakes/mcp-server.ts");
export const CALLER: ToolCaller = {
  ...{ runId: "run_1", event: eventOf("hello"), history: [] },
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
};

export interface ToolBench {
  readonly folder: string;
  /** A file to which effects append lines. */
  readonly witness: string;
  readonly pool: ToolPool;
  readonly toolbox: Toolbox;
  readonly reports: ToolCallReport[];
  readonly downs: string[];
  readonly open: (caller?: ToolCaller) => Promise<Equipment>;
  readonly call: (name: string, input?: unknown, signal?: AbortSignal) => Promise<CallResult>;
  readonly witnessed: () => readonly string[];
}

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-tools-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

type Given = Readonly<Record<string, unknown>>;

/** An agent with these tools, as its file would have them. */
export function benchOf(
  specs: readonly Given[],
  folder = newFolder(),
  isReadOnly = () => false,
  clock: Clock = systemClock,
): ToolBench {
  const downs: string[] = [];
  const reports: ToolCallReport[] = [];
  const pool = new ToolPool({
    clock,
    random: () => 0,
    version: "1",
    folder: join(folder, "tools"),
    onDown: (agent, server, reason) => downs.push(`${agent}/${server}: ${reason}`),
  });
  onTestFinished(() => pool.close());
  const parsed: ToolSpecs = toolsSchema.parse(specs);
  const toolbox = pool.begin().toolboxFor("ops", parsed, isReadOnly);
  const witness = join(folder, "witness");
  const never = new AbortController().signal;
  return {
    ...{ folder, witness, pool, toolbox, reports, downs },
    open: (caller = CALLER) => toolbox.open(caller, never),
    async call(name, input = {}, signal = never) {
      const { tools, whyMissing } = await toolbox.open(CALLER, signal);
      const tool = tools.find((one) => one.name === name);
      const call = { id: "1", name, input };
      if (tool === undefined) return unknownTool(call, tools, whyMissing(name));
      return await callTool(tool, call, signal, {
        agent: "ops",
        clock: systemClock,
        observe: { modelCall: () => {}, retry: () => {}, toolCall: (report) => reports.push(report) },
        ensure: async () => {},
        caller: CALLER,
      });
    },
    witnessed: () =>
      readFileSync(witness, "utf8")
        .split("\n")
        .filter((line) => line !== ""),
  };
}

export const TRANSPORTS = ["stdio", "http", "sse"] as const;
export type TransportName = (typeof TRANSPORTS)[number];

/** The server that means ill, over one of the transports. */
export async function fakeServer(
  transport: TransportName,
  more: Given = {},
): Promise<ToolBench & { served: Served | null }> {
  const folder = newFolder();
  const witness = join(folder, "witness");
  const common = { name: "fake", type: "mcp", allow: ["*"], ...more };
  if (transport === "stdio") {
    const config = { transport, command: process.execPath, args: [FAKE_SERVER, witness] };
    return { ...benchOf([{ ...common, config }], folder), served: null };
  }
  const served = await (transport === "http" ? serveHttp : serveSse)(witness);
  onTestFinished(() => served.close());
  const config = { transport, url: served.url, ...(transport === "sse" && { reconnect_ms: 50 }) };
  return { ...benchOf([{ ...common, config }], folder), served };
}
