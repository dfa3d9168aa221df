import { createHash } from "node:crypto";
import { join } from "node:path";
import type { ToolSpecs } from "../config/tools-schema.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Notebooks } from "../ports/notebooks.ts";
import type { Tool, Toolbox, ToolCaller } from "../ports/tool.ts";
import { KeptTokens, type KeptTokensDeps } from "./mcp/kept-tokens.ts";
import { AccessTokens } from "./mcp/oauth.ts";
import { McpServer, type ServerConfig } from "./mcp/server.ts";
import { type McpSpec, McpTools } from "./mcp/tools.ts";
import { ownTools } from "./own.ts";
import { createToolbox } from "./toolbox.ts";
import { revealed, type Values } from "./values.ts";

export interface ToolPoolOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly version: string;
  /** Of working folders of servers and commands. */
  readonly folder: string;
  /** Where long-term notes are kept, once there is a store; absent: they are not. */
  readonly notebooks?: () => Notebooks | undefined;
  /** A server was lost or could not be reached. Must not throw. */
  readonly onDown?: (agent: string, server: string, reason: string) => void;
}

export type TokenKeeper = Omit<KeptTokensDeps, "clock">;

/** However short its calls are: it may have to be fetched first. */
const START_MS = 30_000;
/** Runs that began under an older configuration have this long to get along without what it named. */
const RETIRE_MS = 600_000;

/** The MCP servers of all agents of this process, whatever configuration names them: a new one keeps what it has in common. */
export class ToolPool {
  readonly #options: ToolPoolOptions;
  readonly #servers = new Map<string, McpServer>();
  readonly #retired = new Map<McpServer, () => void>();
  /** Of the configuration that holds. */
  #known: readonly Known[] = [];
  #keeper: KeptTokens | null = null;

  constructor(options: ToolPoolOptions) {
    this.#options = options;
  }

  /** For servers whose tokens are refreshed. The store is open only after the first configuration was read. */
  keepTokens(keeper: TokenKeeper | null): void {
    const { clock } = this.#options;
    this.#keeper = keeper === null ? null : new KeptTokens({ ...keeper, clock });
  }

  /** Of one configuration after the other; what none has named since the last call is ended in a while. */
  begin(): ToolsOfConfig {
    const used = new Set<string>();
    const known: Known[] = [];
    const { folder, clock, notebooks } = this.#options;
    return {
      toolboxFor: (agent, specs, isReadOnly) => {
        const servers = new Map<string, McpTools>();
        const own = ownTools(specs, join(folder, agent), { agent, clock, notebooks });
        for (const spec of specs) {
          const server = spec.type === "mcp" ? this.#serverFor(agent, spec, used) : null;
          const mcp = spec.type === "mcp" && server !== null ? new McpTools(spec, server) : null;
          if (mcp !== null) servers.set(spec.name, mcp);
          known.push({ agent, spec, server, mcp, own: own.filter(({ name }) => name === spec.name) });
        }
        return createToolbox({ servers, own, isReadOnly });
      },
      holds: () => {
        this.#known = known;
        this.#retireAllBut(used);
      },
    };
  }

  /** For operators: each server of the configuration that was begun, and how it is. */
  states(): readonly ServerState[] {
    return [...this.#servers].flatMap(([key, server]) => {
      const [agent = "", name = ""] = key.split("/");
      return server.state.wasBegun ? [{ agent, server: name, ...server.state }] : [];
    });
  }

  /** What the configuration names, in its order. `begins`: servers are begun where they were not, and asked what they have. */
  async known({ begins }: { readonly begins: boolean }): Promise<readonly KnownTools[]> {
    const known = this.#known;
    if (begins) await Promise.allSettled(known.map(async ({ mcp }) => await mcp?.tools()));
    return known.map(({ agent, spec, server, mcp, own }) => {
      return { agent, spec, state: server?.state ?? null, tools: mcp?.lastKnown ?? own };
    });
  }

  async close(): Promise<void> {
    for (const off of this.#retired.values()) off();
    const all = [...this.#servers.values(), ...this.#retired.keys()];
    this.#servers.clear();
    this.#retired.clear();
    await Promise.all(all.map((server) => server.close().catch(() => {})));
  }

  #serverFor(agent: string, spec: McpSpec, used: Set<string>): McpServer {
    const { folder, onDown, clock, random, version } = this.#options;
    const config = configOf(spec, join(folder, agent, spec.name));
    const key = keyOf(agent, spec.name, config);
    used.add(key);
    const known = this.#servers.get(key);
    if (known !== undefined) return known;
    const auth = config.transport === "stdio" ? undefined : config.auth;
    const of = { name: `${agent}/${spec.name}`, clock, keeper: () => this.#keeper };
    const server = new McpServer({
      ...{ name: spec.name, config, clock, random, version },
      tokens: auth === undefined ? null : new AccessTokens({ auth, ...of }),
      startMs: Math.max(START_MS, spec.timeout_seconds * 1000),
      onDown: (reason) => onDown?.(agent, spec.name, reason),
    });
    this.#servers.set(key, server);
    return server;
  }

  #retireAllBut(used: ReadonlySet<string>): void {
    for (const [key, server] of this.#servers) {
      if (used.has(key)) continue;
      this.#servers.delete(key);
      const off = this.#options.clock.timer(RETIRE_MS, () => {
        this.#retired.delete(server);
        void server.close().catch(() => {});
      });
      this.#retired.set(server, off);
    }
  }
}

export type ServerState = McpServer["state"] & { readonly agent: string; readonly server: string };

interface Known {
  readonly agent: string;
  readonly spec: ToolSpecs[number];
  readonly server: McpServer | null;
  readonly mcp: McpTools | null;
  readonly own: readonly Tool[];
}

export interface KnownTools extends Pick<Known, "agent" | "spec"> {
  /** Null: it is no server. */
  readonly state: McpServer["state"] | null;
  /** As last known. */
  readonly tools: readonly Tool[];
}

export interface ToolsOfConfig {
  readonly toolboxFor: (
    agent: string,
    specs: ToolSpecs,
    isReadOnly: (event: ToolCaller["event"]) => boolean,
  ) => Toolbox;
  /** This configuration is the one that holds from now on. */
  readonly holds: () => void;
}

function configOf({ config }: McpSpec, folder: string): ServerConfig {
  if (config.transport === "stdio") return { ...config, sandbox: config.sandbox ?? null, folder };
  if (config.transport === "http") return config;
  const { transport, url, headers, auth, reconnect_ms } = config;
  return { transport, url, headers, auth, reconnectMs: reconnect_ms };
}

/** Secrets count as what they are, and are not kept. */
function keyOf(agent: string, name: string, config: ServerConfig): string {
  const plain = JSON.stringify([agent, name, config], (_key, value: unknown) =>
    value instanceof Object && !Array.isArray(value) ? revealed(value as Values) : value,
  );
  return `${agent}/${name}/${createHash("sha256").update(plain).digest("hex").slice(0, 16)}`;
}
