import type { Config } from "../config/load.ts";
import type { AgentRuntime } from "../ports/agent.ts";
import type { Clock } from "../ports/clock.ts";
import { packageVersion } from "../system/version.ts";
import { silentLogger } from "../telemetry/log.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { ToolPool } from "../tools/pool.ts";
import { buildAgents, modelAccounts, modelBreakers } from "./agents.ts";

/** The agents of a configuration for one run, without a gateway around them: nothing is logged, counted or kept. */
export async function withAgents<T>(
  { config, clock, toolFolder }: { config: Config; clock: Clock; toolFolder: string },
  use: (runtime: AgentRuntime) => Promise<T>,
): Promise<T> {
  const random = Math.random;
  const metrics = createMetrics();
  const pool = new ToolPool({ clock, random, version: packageVersion(), folder: toolFolder });
  const log = silentLogger();
  const breakers = modelBreakers(clock, { log, metrics });
  try {
    const { runtime } = await buildAgents({
      ...{ config, clock, random, metrics, log, breakers },
      accounts: modelAccounts(clock, metrics),
      tools: pool.begin(),
    });
    return await use(runtime);
  } finally {
    await pool.close();
  }
}
