import type { ChildProcess } from "node:child_process";
import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/client";
import { quoted } from "../../domain/redact.ts";
import type { Clock } from "../../ports/clock.ts";
import { isObject } from "../../shared/json.ts";
import { CANCEL_MS, CLOSE_MS, MESSAGE_BYTES_MAX, STDERR_CHARS_MAX } from "../bounds.ts";
import { minimalEnvironment, signalGroup, spawnGroup } from "../process.ts";
import type { Sandbox } from "../sandbox.ts";
import { Lines } from "./lines.ts";

export interface StdioOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Made where it is not there. */
  readonly folder: string;
  readonly sandbox: Sandbox | null;
  readonly clock: Pick<Clock, "timer">;
}

/**
 * A server as a process of ours. The library has one of these; this one has a process group, so that a server behind `npx`
 * ends too, copies no buffer twice, and ends a server that goes on with a call long after it was cancelled.
 */
export class StdioTransport implements Transport {
  readonly #options: StdioOptions;
  #child: ChildProcess | null = null;
  #stderr = "";
  #isClosed = false;
  /** Requests that have no answer yet, and those of them that were cancelled. */
  readonly #asked = new Set<unknown>();
  readonly #cancelled = new Map<unknown, () => void>();
  /** It did not stop what was cancelled; it is ended as soon as nobody else waits for it. */
  #isStuck = false;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  /** By these two the library knows a server that is a process, and what its silence means. */
  readonly stderr = null;

  constructor(options: StdioOptions) {
    this.#options = options;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** The end of what it wrote to stderr, for an operator. */
  get lastWords(): string {
    return quoted(this.#stderr, STDERR_CHARS_MAX).trim();
  }

  async start(): Promise<void> {
    const { env } = this.#options;
    const child = spawnGroup(this.#options, { env: minimalEnvironment(env), stdio: "pipe" });
    this.#child = child;
    const lines = new Lines(MESSAGE_BYTES_MAX);
    child.stdout?.on("data", (chunk: Buffer) => this.#read(chunk, lines));
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString("utf8")).slice(-STDERR_CHARS_MAX);
    });
    for (const stream of [child.stdin, child.stdout, child.stderr])
      stream?.on("error", (error: Error) => this.onerror?.(error));
    child.once("close", () => this.#closed());
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin;
    if (stdin === null || stdin === undefined || !stdin.writable) throw new Error("the process has ended");
    if ("method" in message && "id" in message) this.#asked.add(message.id);
    if ("method" in message && message.method === "notifications/cancelled") this.#cancel(message.params);
    const isTaken = stdin.write(`${JSON.stringify(message)}\n`);
    if (!isTaken) await new Promise<void>((resolve) => stdin.once("drain", resolve).once("close", resolve));
  }

  /** Told by the end of its input; after a second by a signal, and after another by one that it cannot refuse. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child === null || this.#isClosed) return this.#closed();
    const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
    child.stdin?.end();
    const { clock } = this.#options;
    const offs = [
      clock.timer(CLOSE_MS, () => signalGroup(child.pid, "SIGTERM")),
      clock.timer(2 * CLOSE_MS, () => this.kill()),
    ];
    await gone;
    for (const off of offs) off();
  }

  kill(): void {
    signalGroup(this.#child?.pid, "SIGKILL");
  }

  #read(chunk: Buffer, lines: Lines): void {
    const read = lines.add(chunk);
    if (read === "too-long") {
      this.onerror?.(new Error(`Expected messages of at most ${MESSAGE_BYTES_MAX} bytes, got a longer one`));
      this.kill();
      return;
    }
    for (const line of read) this.#take(line);
  }

  #take(line: string): void {
    const message = parsed(line);
    if (message === null) {
      this.onerror?.(new NotAMessage());
      return;
    }
    if ("id" in message && !("method" in message)) this.#answered(message.id);
    this.onmessage?.(message);
  }

  #cancel(params: unknown): void {
    const id = isObject(params) ? params.requestId : undefined;
    if (!this.#asked.has(id) || this.#cancelled.has(id)) return;
    const off = this.#options.clock.timer(CANCEL_MS, () => {
      this.#isStuck = true;
      this.#endIfStuck();
    });
    this.#cancelled.set(id, off);
  }

  #answered(id: unknown): void {
    this.#asked.delete(id);
    this.#cancelled.get(id)?.();
    this.#cancelled.delete(id);
    this.#endIfStuck();
  }

  /** Others that it still works for would not know whether it has done what they asked. */
  #endIfStuck(): void {
    if (this.#isStuck && this.#asked.size === this.#cancelled.size) this.kill();
  }

  #closed(): void {
    for (const off of this.#cancelled.values()) off();
    this.#cancelled.clear();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onclose?.();
  }
}

/** Something on its output that is none; many write lines of a log there. */
export class NotAMessage extends Error {}

function parsed(line: string): JSONRPCMessage | null {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) && value.jsonrpc === "2.0" ? (value as JSONRPCMessage) : null;
  } catch {
    return null;
  }
}
