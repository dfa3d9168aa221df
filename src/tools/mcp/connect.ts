import type {
  AuthProvider,
  Client,
  ClientOptions,
  JSONRPCMessage,
  JsonSchemaValidatorResult,
  Transport,
} from "@modelcontextprotocol/client";
import type { Clock } from "../../ports/clock.ts";
import { PROBE_MS, UNASKED_MAX, UNASKED_WINDOW_MS } from "../bounds.ts";
import type { Sandbox } from "../sandbox.ts";
import { revealed, type Values } from "../values.ts";
import { limitedFetch } from "./limited-fetch.ts";
import type { ServerAuth } from "./oauth.ts";
import { NotAMessage, StdioTransport } from "./stdio.ts";

export type ServerConfig =
  | {
      readonly transport: "stdio";
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Values;
      /** Its working folder. */
      readonly folder: string;
      readonly sandbox: Sandbox | null;
    }
  | {
      readonly transport: "http";
      readonly url: string;
      readonly headers: Values;
      readonly auth?: ServerAuth | undefined;
    }
  | {
      readonly transport: "sse";
      readonly url: string;
      readonly headers: Values;
      readonly auth?: ServerAuth | undefined;
      readonly reconnectMs: number;
    };

export interface ConnectOptions {
  readonly config: ServerConfig;
  readonly startMs: number;
  readonly clock: Clock;
  readonly version: string;
  readonly isLegacy: boolean;
  /** Where its configuration has `auth`. */
  readonly tokens: AuthProvider | null;
}

export interface Connected {
  readonly client: Client;
  /** Called once. What happened before is told at once. */
  listen(events: { readonly changed: () => void; readonly lost: (reason: string) => void }): void;
  pid(): number | null;
  lastWords(): string;
  close(): Promise<void>;
}

/** A client that speaks with the server, in whichever revision both know. The library is loaded with the first. */
export async function connect(options: ConnectOptions): Promise<Connected> {
  const { config, startMs, clock, version, isLegacy, tokens } = options;
  const library = await import("@modelcontextprotocol/client");
  const transport = transportOf(config, clock, tokens, library);
  let reason: string | null = null;
  let events: Parameters<Connected["listen"]>[0] | null = null;
  let hasChanged = false;
  const lost = (why: string) => {
    reason ??= why;
    events?.lost(reason);
  };
  const changed = () => {
    hasChanged = true;
    events?.changed();
  };
  const client = new library.Client(
    { name: "parley", version },
    {
      capabilities: {},
      // Where silence is an answer, it is one soon. The older transport is older than the probe.
      versionNegotiation:
        isLegacy || config.transport === "sse"
          ? { mode: "legacy" }
          : { mode: "auto", probe: { timeoutMs: Math.min(PROBE_MS, startMs) } },
      listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: changed } },
      inputRequired: { autoFulfill: false },
      jsonSchemaValidator: NO_VALIDATOR,
    },
  );
  const flood = new Flood(clock, () => lost("it sent more than anybody asked for"));
  client.onclose = () => lost("the connection was closed");
  client.onerror = (error: Error) => {
    if (error instanceof NotAMessage) flood.note();
    // Its other connection, over which it answers, is gone with it.
    else if (config.transport === "sse" && error instanceof library.SseError) lost("the connection was lost");
  };
  watch(transport, flood);
  try {
    await client.connect(transport, { timeout: startMs });
  } catch (error) {
    await transport.close().catch(() => {});
    throw withLastWords(error, lastWordsOf(transport));
  }
  return {
    client,
    listen(to) {
      events = to;
      if (hasChanged) to.changed();
      if (reason !== null) to.lost(reason);
    },
    pid: () => (transport instanceof StdioTransport ? transport.pid : null),
    lastWords: () => lastWordsOf(transport),
    close: () => client.close(),
  };
}

/** Arguments are checked by ours; what tools give back is text to the model, whatever was announced. */
const NO_VALIDATOR: NonNullable<ClientOptions["jsonSchemaValidator"]> = {
  getValidator:
    <T>() =>
    (data: unknown): JsonSchemaValidatorResult<T> => ({
      valid: true,
      data: data as T,
      errorMessage: undefined,
    }),
};

type Library = typeof import("@modelcontextprotocol/client");

function transportOf(
  config: ServerConfig,
  clock: Clock,
  tokens: AuthProvider | null,
  library: Library,
): Transport {
  if (config.transport === "stdio")
    return new StdioTransport({ ...config, env: revealed(config.env), clock });
  const url = new URL(config.url);
  const options = {
    requestInit: { headers: revealed(config.headers), redirect: "error" as const },
    fetch: limitedFetch,
    ...(tokens !== null && { authProvider: tokens }),
  };
  if (config.transport === "http") return new library.StreamableHTTPClientTransport(url, options);
  return new library.SSEClientTransport(url, options);
}

/** Counts what is no answer. The library sets its own ear on the transport as it connects, and keeps one that is there. */
function watch(transport: Transport, flood: Flood): void {
  transport.onmessage = (message: JSONRPCMessage) => {
    if ("method" in message) flood.note();
  };
}

/** So many messages that nobody asked for that answers would not get through. */
class Flood {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #onFlood: () => void;
  #sinceMs = 0;
  #count = 0;

  constructor(clock: Pick<Clock, "nowMs">, onFlood: () => void) {
    this.#clock = clock;
    this.#onFlood = onFlood;
  }

  note(): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#sinceMs > UNASKED_WINDOW_MS) {
      this.#sinceMs = nowMs;
      this.#count = 0;
    }
    if (++this.#count === UNASKED_MAX) this.#onFlood();
  }
}

function lastWordsOf(transport: Transport): string {
  return transport instanceof StdioTransport ? transport.lastWords : "";
}

function withLastWords(error: unknown, words: string): Error {
  const known = error instanceof Error ? error : new Error(String(error));
  return words === "" ? known : new Error(`${known.message}: ${words}`, { cause: known });
}
