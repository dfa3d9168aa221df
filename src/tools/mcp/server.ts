import type { AuthProvider, CallToolResult, Client, Tool as Listed } from "@modelcontextprotocol/client";
import { backoffMs } from "../../domain/backoff.ts";
import { ToolFault } from "../../domain/tool-fault.ts";
import type { Clock, Random } from "../../ports/clock.ts";
import { HEALTHY_MS, RESTART_BASE_MS, RESTART_MAX_MS } from "../bounds.ts";
import { type Connected, connect, type ServerConfig } from "./connect.ts";
import { faultOf, reasonOf } from "./faults.ts";
import { listTools } from "./listing.ts";

export type { Listed, ServerConfig };

export interface McpServerOptions {
  readonly name: string;
  readonly config: ServerConfig;
  /** For a start with all that is asked of it then. */
  readonly startMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly version: string;
  /** Null: it wants no access token. */
  readonly tokens: AuthProvider | null;
  /** Told when it was lost, or could not be reached. Must not throw. */
  readonly onDown: (reason: string) => void;
}

/** What a server has, as it is now. */
export interface Offering {
  readonly tools: readonly Listed[];
  readonly instructions: string | null;
  readonly protocol: string | null;
}

interface Connection extends Connected {
  readonly sinceMs: number;
  isLost: boolean;
  /** Null: to be asked for. */
  offering: Offering | null;
  asking: Promise<Offering> | null;
}

/** MCP wants a limit for each request; ours is the signal. */
const NO_LIMIT_MS = 2 ** 31 - 1;

/**
 * One MCP server, for all runs of one agent in this process. Begun with the first that needs it, begun again after it was
 * lost, at growing intervals, and ended with the process.
 */
export class McpServer {
  readonly #options: McpServerOptions;
  #connection: Connection | null = null;
  #opening: Promise<Connection> | null = null;
  #failures = 0;
  #notBeforeMs = 0;
  #reason = "";
  /** It knows no probe: it ended when it was asked. */
  #isLegacy = false;
  #isClosed = false;
  #reconnect = () => {};

  constructor(options: McpServerOptions) {
    this.#options = options;
  }

  /** Asked for once, and again when the server says that it has changed. Throws ToolFault. */
  async offering(): Promise<Offering> {
    const connection = await this.#open();
    if (connection.offering !== null) return connection.offering;
    connection.asking ??= this.#ask(connection).finally(() => {
      connection.asking = null;
    });
    return await connection.asking;
  }

  /** Throws ToolFault; the signal's reason when aborted. */
  async call(
    tool: Listed,
    input: unknown,
    meta: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<CallToolResult> {
    const connection = await this.#open();
    signal.throwIfAborted();
    const { name, outputSchema: _, ...definition } = tool;
    try {
      const result = await connection.client.callTool(
        { name, arguments: input as Record<string, unknown>, _meta: meta },
        // Without its output schema: what a tool has done is told to the model, also where it does not fit what was announced.
        { signal, timeout: NO_LIMIT_MS, toolDefinition: { name, ...definition } },
      );
      this.#failures = 0;
      return result;
    } catch (error) {
      signal.throwIfAborted();
      const fault = faultOf(this.#options.name, error);
      // A session that the server does not know any more.
      if ((error as { status?: unknown }).status === 404) await this.#lose(connection, reasonOf(error));
      throw fault;
    }
  }

  /** How it is, for operators; asks nothing. */
  get state() {
    const isUp = this.#connection !== null;
    return {
      wasBegun: isUp || this.#reason !== "",
      isUp,
      reason: this.#reason,
      pid: this.#connection?.pid() ?? null,
    };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#reconnect();
    const connection = this.#connection ?? (await this.#opening?.catch(() => null)) ?? null;
    this.#connection = null;
    await connection?.close();
  }

  async #open(): Promise<Connection> {
    if (this.#connection !== null) return this.#connection;
    if (this.#isClosed) throw new ToolFault(`${this.#options.name}: the gateway ends`, DOWN);
    const { name, clock } = this.#options;
    const waitMs = this.#notBeforeMs - clock.nowMs();
    if (this.#opening === null && waitMs > 0)
      throw new ToolFault(
        `${name} cannot be reached: ${this.#reason}; tried again in ${Math.ceil(waitMs / 1000)} s`,
        DOWN,
      );
    this.#opening ??= this.#start().finally(() => {
      this.#opening = null;
    });
    return await this.#opening;
  }

  async #start(): Promise<Connection> {
    const { name, clock, onDown } = this.#options;
    try {
      const connected = await this.#connect();
      const connection: Connection = {
        ...connected,
        sinceMs: clock.nowMs(),
        isLost: false,
        offering: null,
        asking: null,
      };
      connected.listen({
        changed: () => {
          connection.offering = null;
        },
        lost: (reason) => void this.#lose(connection, reason),
      });
      this.#connection = connection;
      return connection;
    } catch (error) {
      this.#failed(reasonOf(error));
      onDown(this.#reason);
      throw new ToolFault(`${name} cannot be reached: ${this.#reason}`, { ...DOWN, cause: error });
    }
  }

  async #connect(): Promise<Connected> {
    const options = { ...this.#options, isLegacy: this.#isLegacy };
    try {
      return await connect(options);
    } catch (error) {
      // Some of the older ones end at the first word that they do not know.
      if (this.#isLegacy || !isEnd(error)) throw error;
      const connected = await connect({ ...options, isLegacy: true });
      this.#isLegacy = true;
      return connected;
    }
  }

  async #ask(connection: Connection): Promise<Offering> {
    const { client } = connection;
    const { name, startMs, onDown } = this.#options;
    try {
      const offering = { tools: await listTools(client, startMs), ...wordsOf(client) };
      connection.offering = offering;
      return offering;
    } catch (error) {
      const reason = `does not say what it has: ${reasonOf(error)}`;
      // One that hangs is asked again over another connection, and not by each run for as long as a start may take.
      if (isOutOfTime(error)) await this.#lose(connection, reason);
      else if (!connection.isLost) onDown(reason);
      throw new ToolFault(`${name} ${reason}`, { ...DOWN, cause: error });
    }
  }

  async #lose(connection: Connection, reason: string): Promise<void> {
    if (connection.isLost) return;
    connection.isLost = true;
    const { clock, config, onDown } = this.#options;
    if (this.#connection === connection) this.#connection = null;
    const words = connection.lastWords();
    if (clock.nowMs() - connection.sinceMs > HEALTHY_MS) this.#failures = 0;
    this.#failed(words === "" ? reason : `${reason}: ${words}`);
    if (!this.#isClosed) onDown(this.#reason);
    await connection.close().catch(() => {});
    // What it announces meanwhile would be missed.
    if (config.transport === "sse" && !this.#isClosed)
      this.#reconnect = clock.timer(config.reconnectMs, () => void this.#open().catch(() => {}));
  }

  #failed(reason: string): void {
    const { clock, config, random } = this.#options;
    this.#failures++;
    this.#reason = reason;
    // The first time, whoever needs it next begins it at once.
    const spread = { baseMs: RESTART_BASE_MS, capMs: RESTART_MAX_MS, exponential: true };
    const waitMs = this.#failures === 1 ? 0 : backoffMs(this.#failures - 1, spread, random);
    const atLeastMs = config.transport === "sse" ? config.reconnectMs : 0;
    this.#notBeforeMs = clock.nowMs() + (this.#failures === 1 ? 0 : Math.max(waitMs, atLeastMs));
  }
}

/** Nothing has been asked of it. */
const DOWN = { mayHaveRun: false, isPassing: true };

function wordsOf(client: Client): Omit<Offering, "tools"> {
  return {
    instructions: client.getInstructions() ?? null,
    protocol: client.getNegotiatedProtocolVersion() ?? null,
  };
}

/** By the code of the library, which has no answer to tell it by. */
function isOutOfTime(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === "REQUEST_TIMEOUT";
}

function isEnd(error: unknown): boolean {
  return error instanceof Error && /closed|ended|EPIPE/i.test(error.message);
}
