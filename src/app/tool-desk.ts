import { sandboxOf } from "../config/tools-schema.ts";
import { TOOL_OUTCOMES, type ToolDesk, type ToolReport, type ToolSetReport } from "../ports/tool-desk.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { KnownTools, ToolPool } from "../tools/pool.ts";

type Counters = Pick<Metrics, "toolCalls" | "toolServerFailures">;

/** What the pool knows, with what the metrics have counted. */
export function createToolDesk(pool: Pick<ToolPool, "known">, metrics: Counters): ToolDesk {
  return {
    async list({ begins }) {
      const known = await pool.known({ begins });
      const counted = await countsOf(metrics);
      return known.map((one) => reportOf(one, counted));
    },
  };
}

/** By the words of a series: agent, tool and outcome, or agent and server. */
type Counted = (...labels: readonly string[]) => number;

async function countsOf({ toolCalls, toolServerFailures }: Counters): Promise<Counted> {
  const counts = new Map<string, number>();
  for (const { labels, value } of (await toolCalls.get()).values)
    counts.set(keyOf([labels.agent, labels.tool, labels.outcome]), value);
  for (const { labels, value } of (await toolServerFailures.get()).values)
    counts.set(keyOf([labels.agent, labels.server]), value);
  return (...labels) => counts.get(keyOf(labels)) ?? 0;
}

const keyOf = (labels: readonly unknown[]) => JSON.stringify(labels);

function reportOf({ agent, spec, state, tools }: KnownTools, counted: Counted): ToolSetReport {
  const calls = (tool: string) =>
    Object.fromEntries(TOOL_OUTCOMES.map((outcome) => [outcome, counted(agent, tool, outcome)]));
  return {
    ...{ agent, name: spec.name, type: spec.type, to: placeOf(spec), isSandboxed: sandboxOf(spec) },
    server:
      spec.type === "mcp" && state !== null
        ? {
            transport: spec.config.transport,
            state: state.isUp ? "up" : state.wasBegun ? "down" : "idle",
            reason: state.isUp || state.reason === "" ? null : state.reason,
            pid: state.pid,
            failures: counted(agent, spec.name),
          }
        : null,
    tools: tools.map(({ name, effect, asks }) => {
      return { name, effect, isAsked: asks !== undefined, calls: calls(name) as ToolReport["calls"] };
    }),
  };
}

/** Nothing that may hold a secret: no arguments, no path or query of an address. */
function placeOf(spec: KnownTools["spec"]): string {
  if (spec.type === "command") return spec.command;
  if (spec.type === "builtin") return spec.builtin;
  if (spec.type === "agent") return spec.agent;
  return spec.config.transport === "stdio" ? spec.config.command : new URL(spec.config.url).origin;
}
