import type { ToolEffect } from "../domain/run.ts";

/** What an agent's file names as its tool, as this process knows it. */
export interface ToolSetReport {
  readonly agent: string;
  readonly name: string;
  readonly type: "mcp" | "command" | "builtin" | "agent";
  /** Where it is: scheme and host, a program, what is built in, another agent. */
  readonly to: string;
  /** Of what runs a program: whether that is under bubblewrap; null: it runs none. */
  readonly isSandboxed: boolean | null;
  /** Null: it is no MCP server. */
  readonly server: {
    readonly transport: "stdio" | "http" | "sse";
    /** `idle`: no run of this process has needed it yet. */
    readonly state: "idle" | "up" | "down";
    /** Why it is down. */
    readonly reason: string | null;
    readonly pid: number | null;
    /** Times that it was lost or could not be reached. */
    readonly failures: number;
  } | null;
  /** As last known; of a server that is idle, none. */
  readonly tools: readonly ToolReport[];
}

export interface ToolReport {
  readonly name: string;
  readonly effect: ToolEffect;
  /** A person has to approve each call. */
  readonly isAsked: boolean;
  /** Of this process since its start. */
  readonly calls: Readonly<Record<ToolOutcome, number>>;
}

export const TOOL_OUTCOMES = ["ok", "error", "timeout", "unknown-outcome"] as const;
export type ToolOutcome = (typeof TOOL_OUTCOMES)[number];

/** Tools as operators see them, in the order of the configuration. */
export interface ToolDesk {
  /** `begins`: servers that are idle are begun, as the first run that needs them would; else nothing is asked. */
  list(options: { readonly begins: boolean }): Promise<readonly ToolSetReport[]>;
}
