import { createHash } from "node:crypto";
import type { ToolSpecs } from "../../config/tools-schema.ts";
import { theirWords } from "../../domain/text.ts";
import { ToolFault } from "../../domain/tool-fault.ts";
import type { Tool, ToolCaller } from "../../ports/tool.ts";
import { fitsAny } from "../../shared/glob.ts";
import { DESCRIPTION_CHARS_MAX, TOOL_NAME_CHARS_MAX } from "../bounds.ts";
import { type Check, createCompiler } from "../schema.ts";
import { Effects } from "./effects.ts";
import { outputOf } from "./result.ts";
import type { Listed, McpServer, Offering } from "./server.ts";

export type McpSpec = Extract<ToolSpecs[number], { type: "mcp" }>;
export type Grant = "allowed" | "approval" | "denied";

/** `deny` before `approve` before `allow`; what none of them names is not there for the agent. */
export function grantOf(
  name: string,
  { allow, approve, deny }: Pick<McpSpec, "allow" | "approve" | "deny">,
): Grant {
  if (fitsAny(name, deny)) return "denied";
  if (fitsAny(name, approve)) return "approval";
  return fitsAny(name, allow) ? "allowed" : "denied";
}

/** What a server has, as an agent may use it. */
export class McpTools {
  readonly #spec: McpSpec;
  readonly #server: McpServer;
  readonly #effects: Effects;
  #made: { readonly of: Offering; readonly tools: readonly Tool[] } | null = null;

  constructor(spec: McpSpec, server: McpServer) {
    this.#spec = spec;
    this.#server = server;
    this.#effects = new Effects(spec.effects);
  }

  /** Throws ToolFault. */
  async tools(): Promise<readonly Tool[]> {
    const offering = await this.#server.offering();
    if (this.#made?.of !== offering) this.#made = { of: offering, tools: await this.#make(offering) };
    return this.#made.tools;
  }

  /** What it says of its use, where that is to be shown. */
  get instructions(): string | null {
    return this.#spec.instructions ? (this.#made?.of.instructions ?? null) : null;
  }

  /** What there was last, where it cannot be reached now. */
  get lastKnown(): readonly Tool[] {
    return this.#made?.tools ?? [];
  }

  async #make({ tools }: Offering): Promise<readonly Tool[]> {
    const granted = tools.filter(({ name }) => grantOf(name, this.#spec) !== "denied");
    const made = new Map<string, Tool>();
    const compile = await createCompiler();
    for (const listed of granted) {
      const check = compile(listed.inputSchema);
      // One that no model provider takes would cost the agent all its tools.
      if (check === null) continue;
      const tool = this.#toolOf(listed, check);
      if (!made.has(tool.name)) made.set(tool.name, tool);
    }
    return [...made.values()];
  }

  #toolOf(listed: Listed, check: Check): Tool {
    const { timeout_seconds, retry, sends_files } = this.#spec;
    const sendsFiles = fitsAny(listed.name, sends_files);
    const { effect, repeatable } = this.#effects.of(listed);
    const name = shownName(this.#spec.name, listed.name);
    return {
      name,
      description: theirWords(listed.description ?? listed.title ?? listed.name)
        .slice(0, DESCRIPTION_CHARS_MAX)
        .toWellFormed(),
      effect,
      repeatable,
      inputSchema: shownSchema(listed.inputSchema),
      timeoutMs: timeout_seconds * 1000,
      retry: { maxAttempts: retry.max_attempts, backoffMs: retry.backoff_ms },
      ...(grantOf(listed.name, this.#spec) === "approval" && {
        asks: "call" as const,
      }),
      call: async (input, signal, _approvedBy, caller) => {
        const wrong = check(input);
        if (wrong !== null) throw new ToolFault(wrong, { mayHaveRun: false, isPassing: false });
        return outputOf(await this.#server.call(listed, input, metaOf(caller), signal), sendsFiles);
      },
    };
  }
}

/** Who it is for: told to the server beside the arguments, which are the model's. */
function metaOf(caller: ToolCaller | undefined): Readonly<Record<string, unknown>> {
  if (caller === undefined) return {};
  const { runId, event, traceparent } = caller;
  const { platform, tenant, conversation, sender } = event;
  return {
    "parley/sender": { platform, tenant, id: sender.id, name: sender.name },
    "parley/conversation": conversation,
    "parley/run": runId,
    // By its own name, as MCP reserves it.
    ...(traceparent !== undefined && { traceparent }),
  };
}

/** Providers take letters, digits, `_` and `-`; what had to be changed for that is told apart by a digest. */
export function shownName(server: string, tool: string): string {
  const whole = `${server}__${tool}`;
  const plain = whole.replaceAll(/[^A-Za-z0-9_-]/g, "_");
  if (plain.length <= TOOL_NAME_CHARS_MAX) return plain;
  const digest = createHash("sha256").update(whole).digest("hex").slice(0, 8);
  return `${plain.slice(0, TOOL_NAME_CHARS_MAX - 9)}_${digest}`;
}

/** Providers refuse a choice at the top, and words of another dialect; the arguments are checked against all of it. */
function shownSchema(schema: Listed["inputSchema"]): object {
  const { $schema: _, anyOf: __, oneOf: ___, allOf: ____, ...shown } = schema as Record<string, unknown>;
  return shown;
}
