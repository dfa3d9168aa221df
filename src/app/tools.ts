import { join } from "node:path";
import type { ToolCallReport } from "../agent/agent.ts";
import type { ToolSpecs } from "../config/tools-schema.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Notebooks } from "../ports/notebooks.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { toolCallsAtZero } from "../telemetry/zeroes.ts";
import { ToolPool } from "../tools/pool.ts";

export interface ToolsContext {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly version: string;
  /** Once there is a store. */
  readonly notebooks?: () => Notebooks | undefined;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Outlives each configuration. Nothing is begun before a run needs it. */
export function openTools({ dataDir, log, metrics, ...system }: ToolsContext): ToolPool {
  const pool = new ToolPool({
    ...system,
    folder: join(dataDir, "tools"),
    onDown(agent, server, reason) {
      metrics.toolServerFailures.inc({ agent, server });
      log.warn({ agent, server, reason }, "tool.server_down");
    },
  });
  metrics.beforeScrape(async () => {
    metrics.toolServerUp.reset();
    for (const { agent, server, isUp } of pool.states())
      metrics.toolServerUp.set({ agent, server }, isUp ? 1 : 0);
  });
  return pool;
}

/** MCP servers that agents name. */
export function serversOf(
  agents: ReadonlyMap<string, { readonly tools: ToolSpecs }>,
): readonly { readonly agent: string; readonly server: string }[] {
  return [...agents].flatMap(([agent, { tools }]) =>
    tools.filter(({ type }) => type === "mcp").map(({ name: server }) => ({ agent, server })),
  );
}

/** Names of tools come from servers: of one agent so many are told apart, and the rest is `other`. */
const NAMES_MAX = 200;

export function toolMetrics(metrics: Metrics): (report: ToolCallReport) => void {
  const known = new Map<string, Set<string>>();
  return ({ agent, tool, outcome, durationMs }) => {
    const names = known.get(agent) ?? new Set();
    known.set(agent, names);
    const label = names.has(tool) || names.size < NAMES_MAX ? tool : "other";
    if (!names.has(label)) {
      names.add(label);
      toolCallsAtZero(metrics, { agent, tool: label });
    }
    metrics.toolCalls.inc({ agent, tool: label, outcome });
    metrics.toolSeconds.observe({ agent, tool: label }, durationMs / 1000);
  };
}
