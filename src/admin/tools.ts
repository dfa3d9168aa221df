import { z } from "zod";
import type { ToolDesk } from "../ports/tool-desk.ts";

export interface ToolsDeps {
  readonly tools: ToolDesk;
}

export const toolsQuery = z.strictObject({
  agent: z.string().min(1).max(100).optional().describe("Of this agent alone."),
  begin: z
    .enum(["true", "false"])
    .default("false")
    .transform((text) => text === "true")
    .describe("true: MCP servers that no run has needed yet are begun, and asked what they have."),
});

export const toolsSchema = z.object({
  tools: z
    .array(
      z.object({
        agent: z.string(),
        name: z.string().describe("As the agent's file has it."),
        type: z.enum(["mcp", "command", "builtin", "agent"]),
        to: z.string().describe("Scheme and host, a program, what is built in, another agent."),
        sandboxed: z
          .boolean()
          .nullable()
          .describe("Whether its program runs under bubblewrap; null: it runs none."),
        server: z
          .object({
            transport: z.enum(["stdio", "http", "sse"]),
            state: z.enum(["idle", "up", "down"]).describe("idle: no run of this process has needed it yet."),
            reason: z.string().nullable().describe("Why it is down."),
            pid: z.int().nullable(),
            failures: z.int().describe("Times that it was lost or could not be reached."),
          })
          .nullable()
          .describe("Null: it is no MCP server."),
        tools: z
          .array(
            z.object({
              name: z.string().describe("As the model sees it."),
              effect: z.enum(["read", "write", "delete"]),
              approval: z.boolean().describe("A person has to approve each call."),
              calls: z.object({
                ok: z.int(),
                error: z.int(),
                timeout: z.int(),
                unknown_outcome: z.int().describe("Broken off where nobody knows whether it was done."),
              }),
            }),
          )
          .describe("What of it the agent may use, as last known."),
      }),
    )
    .describe(
      "As the configuration has them; counts are those of the process that answers, since its start.",
    ),
});
export type ToolsView = z.infer<typeof toolsSchema>;

/** Those of OPERATIONS that are about tools. */
export const TOOL_OPERATIONS = {
  listTools: {
    method: "get",
    path: "/tools",
    summary:
      "Tools of each agent on the replica that answers: servers and their state, effects, calls, failures",
    query: toolsQuery,
    answer: { status: 200, type: "application/json", schemas: ["Tools"], what: "One for each of an agent." },
    problems: [400],
  },
} as const;

export async function toolsView(
  { agent, begin }: z.output<typeof toolsQuery>,
  { tools }: ToolsDeps,
): Promise<ToolsView> {
  const all = await tools.list({ begins: begin });
  return {
    tools: all
      .filter((one) => agent === undefined || one.agent === agent)
      .map(({ isSandboxed, tools: theirs, ...rest }) => ({
        ...rest,
        sandboxed: isSandboxed,
        tools: theirs.map(
          ({ name, effect, isAsked, calls: { "unknown-outcome": unknown_outcome, ...calls } }) => ({
            ...{ name, effect, approval: isAsked },
            calls: { ...calls, unknown_outcome },
          }),
        ),
      })),
  };
}
