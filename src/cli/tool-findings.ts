import type { Config } from "../config/load.ts";
import { type Finding, fail, ok, warn } from "./findings.ts";
import { type AgentTools, withTools } from "./tool-look.ts";

/** Each MCP server is begun, asked what it has, and ended. Nothing is called. */
export async function toolFindings(config: Config): Promise<readonly Finding[]> {
  const agents = [...config.agents].filter(([, { tools }]) => tools.length > 0).map(([name]) => name);
  if (agents.length === 0) return [];
  return await withTools(config, agents, async (all) => all.flatMap(findingsOf));
}

function findingsOf({ agent, tools, servers }: AgentTools): readonly Finding[] {
  const own = tools.filter(({ name }) => !servers.some(({ server }) => name.startsWith(`${server}__`)));
  const ofServers = servers.map(({ server, isUp, reason }) => {
    const theirs = tools.filter(({ name }) => name.startsWith(`${server}__`)).length;
    if (!isUp) return fail("tools", `${agent}: ${server} cannot be reached: ${reason}`, FIX);
    if (theirs === 0)
      return warn("tools", `${agent}: nothing of ${server} is allowed`, "see `allow` in the agent's file");
    return ok("tools", `${agent}: ${server} has ${theirs} that may be used`);
  });
  return own.length === 0
    ? ofServers
    : [...ofServers, ok("tools", `${agent}: ${own.map(({ name }) => name).join(", ")}`)];
}

const FIX = "look at its `config` in the agent's file; parley tools list shows what it has";
