import { join } from "node:path";
import type { Config } from "../config/load.ts";
import { OF_DEVELOPERS } from "../domain/event.ts";
import type { Tool, ToolCaller, ToolOutput } from "../ports/tool.ts";
import { messageOf } from "../shared/fault.ts";
import { systemClock } from "../system/clock.ts";
import { packageVersion } from "../system/version.ts";
import { type ServerState, ToolPool } from "../tools/pool.ts";

/** Whoever sits at this terminal. */
const CALLER: ToolCaller = {
  runId: "cli",
  event: {
    platform: OF_DEVELOPERS,
    tenant: "cli",
    place: "cli",
    conversation: "cli",
    sender: { id: "cli", name: "cli", isBot: false },
    isDirect: true,
  },
  history: [],
};

export interface AgentTools {
  readonly agent: string;
  readonly tools: readonly Tool[];
  /** Its MCP servers, up or not. */
  readonly servers: readonly ServerState[];
  call(tool: Tool, input: unknown): Promise<ToolOutput>;
}

const TOOL_MS = 30_000;

/** Where servers and commands have theirs, beside the store and no part of it. */
export function toolFolder({ environment }: Config): string {
  return join(environment.dataDir, "tools");
}

/** Begins the servers of these agents, as a gateway would, and ends them when `use` is done. */
export async function withTools<T>(
  config: Config,
  agents: readonly string[],
  use: (all: readonly AgentTools[]) => Promise<T>,
): Promise<T> {
  const folder = toolFolder(config);
  const pool = new ToolPool({ clock: systemClock, random: Math.random, version: packageVersion(), folder });
  try {
    const begun = pool.begin();
    const opened = agents.map(async (agent): Promise<AgentTools> => {
      const toolbox = begun.toolboxFor(agent, config.agents.get(agent)?.tools ?? [], () => false);
      const { tools } = await toolbox.open(CALLER, new AbortController().signal);
      const servers = pool.states().filter((state) => state.agent === agent);
      return { agent, tools, servers, call };
    });
    return await use(await Promise.all(opened));
  } finally {
    await pool.close();
  }
}

async function call(tool: Tool, input: unknown): Promise<ToolOutput> {
  try {
    const signal = AbortSignal.timeout(tool.timeoutMs ?? TOOL_MS);
    const found = await tool.call(input, signal, undefined, CALLER);
    return typeof found === "string" ? { text: found, isError: false } : found;
  } catch (error) {
    return { text: messageOf(error), isError: true };
  }
}
