import { hostname, userInfo } from "node:os";
import type { Command } from "commander";
import { createEnvReader } from "../config/env-reader.ts";
import { readEnvironment } from "../config/environment.ts";
import { variablesOf } from "../config/variables.ts";
import { EXIT } from "../shared/exit.ts";
import { get, getString } from "../shared/json.ts";
import type { Secret } from "../shared/secret.ts";
import { codeOf, httpBase, isRedirect } from "./ask.ts";
import { printable } from "./printable.ts";
import { CommandError, type Terminal } from "./terminal.ts";

/** Longer than a gateway takes that has to look through a large store. */
const TIMEOUT_MS = 60_000;

/** A gateway's admin API, as commands use it. Refusals and faults are thrown as CommandError. */
export interface Client {
  readonly url: string;
  /** The JSON of the answer. */
  json<T>(path: string, init?: RequestInit, timeoutMs?: number): Promise<T>;
  /** The whole lines of an answer, each as soon as it is there. Rejects with the signal's reason when aborted. */
  lines(path: string, init: RequestInit & { signal: AbortSignal }): AsyncGenerator<string, void>;
}

/** The gateway said no, or could not. */
export class Refused extends CommandError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(status === 400 ? EXIT.usage : EXIT.failed, message);
    this.status = status;
  }
}

export interface ClientOptions {
  readonly url?: string;
}

/** The option that every command has which asks a gateway. */
export function withUrl(command: Command): Command {
  return command.option("--url <url>", "where the gateway is (default: PARLEY_URL, or this machine)");
}

export const TOKEN_HELP = "\nNeeds PARLEY_ADMIN_TOKEN, or PARLEY_ADMIN_TOKEN_FILE, as the gateway has it.";

export function createClient(terminal: Terminal, options: ClientOptions): Client {
  const url = gatewayUrl(terminal, options);
  const token = tokenOf(terminal);

  async function send(path: string, init: RequestInit, types: readonly string[]): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${token.reveal()}`);
    headers.set("x-parley-operator", operator(terminal));
    let response: Response;
    try {
      response = await fetch(`${url}/api/v1${path}`, { ...init, headers, redirect: "manual" });
    } catch (error) {
      init.signal?.throwIfAborted();
      throw unreachable(url, codeOf(error));
    }
    if (!response.ok) throw await refusal(response, url);
    const type = response.headers.get("content-type")?.split(";", 1)[0]?.trim();
    if (type !== undefined && types.includes(type)) return response;
    await response.body?.cancel();
    throw stranger(response.status, url);
  }

  return {
    url,
    async json<T>(path: string, init: RequestInit = {}, timeoutMs = TIMEOUT_MS) {
      const deadline = AbortSignal.timeout(timeoutMs);
      try {
        const response = await send(path, { ...init, signal: deadline }, ["application/json"]);
        return (await response.json()) as T;
      } catch (error) {
        if (error instanceof CommandError) throw error;
        throw unreachable(url, deadline.aborted ? "timeout" : codeOf(error));
      }
    },
    async *lines(path, init) {
      const response = await send(path, init, ["application/x-ndjson", "text/event-stream"]);
      const decoder = new TextDecoder();
      let rest = "";
      try {
        for await (const chunk of response.body ?? []) {
          const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
          rest = lines.pop() ?? "";
          yield* lines;
        }
      } catch (error) {
        init.signal.throwIfAborted();
        throw unreachable(url, codeOf(error));
      }
    },
  };
}

export function jsonBody(body: object): RequestInit {
  return { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

/** `?a=1&b=2`, without what is undefined; empty when all is. */
export function queryOf(values: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? "" : `?${query.toString()}`;
}

/** Where every command looks for the gateway. */
export function gatewayUrl(terminal: Terminal, { url: given }: ClientOptions): string {
  const reader = createEnvReader(terminal.env, terminal.cwd, variablesOf([]));
  const url =
    given ??
    reader.text("PARLEY_URL") ??
    `http://127.0.0.1:${readEnvironment(terminal.env, terminal.cwd, []).environment.port}`;
  return httpBase(given === undefined ? "PARLEY_URL" : "--url", url);
}

/** Whether it is long enough is for the gateway to say. */
const ASCII = { pattern: /^[\x21-\x7e]+$/, words: "ASCII characters without spaces" };

function tokenOf(terminal: Terminal): Secret {
  const reader = createEnvReader(terminal.env, terminal.cwd, variablesOf([]));
  const token = reader.secret("PARLEY_ADMIN_TOKEN", ASCII);
  if (token !== null) return token;
  const problem = reader.problems[0];
  throw new CommandError(
    EXIT.usage,
    problem === undefined
      ? "expected PARLEY_ADMIN_TOKEN or PARLEY_ADMIN_TOKEN_FILE, got neither. Make a token with" +
          " `openssl rand -hex 32`, and set it for the gateway and for this command alike"
      : `${problem.path}: ${problem.message}`,
  );
}

/** Who does it, for the record of the gateway: `ann@laptop`. */
export function operator({ env }: Terminal): string {
  return `${userName(env)}@${hostname()}`.replace(/[^\x21-\x7e]/g, "?").slice(0, 100);
}

function userName(env: Terminal["env"]): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return env.USER ?? "unknown";
  }
}

function unreachable(url: string, code: string): CommandError {
  return new CommandError(
    EXIT.unreachable,
    `expected an answer from ${url}, got ${printable(code)}; is the gateway running? Start it with parley serve`,
  );
}

async function refusal(response: Response, url: string): Promise<CommandError> {
  const { status } = response;
  const body: unknown = await response.json().catch(() => null);
  const message = getString(get(body, "error"), "message");
  if (message === undefined) return stranger(status, url);
  // Others wait for a wrong token, or for too much with a right one of a workspace.
  const isWrong = status === 401 || (status === 429 && message.startsWith("Expected the token"));
  if (!isWrong) return new Refused(status, printable(message));
  return new Refused(status, `the gateway at ${url} does not take this PARLEY_ADMIN_TOKEN`);
}

/** Somebody else answered, such as a proxy with a page of its own. */
export function stranger(status: number, url: string): CommandError {
  const what = isRedirect(status)
    ? `a redirect, which is not followed (${status})`
    : `another answer (${status})`;
  return new CommandError(EXIT.failed, `expected Parley at ${url}, got ${what}`);
}
