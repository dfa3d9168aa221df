import http, { type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import { DeliveryError } from "../domain/errors.ts";
import { networkFailure } from "./fault.ts";

/**
 * Leave to say something for a job. Asked when the connection stands, right before the first byte: whoever was stopped
 * for a while on the way there may have been followed by another.
 */
export interface Permit {
  /** How long nobody else can have the job, by this process; 0: not for long enough to say something. */
  leftMs(): number;
  /** Asks the store for more time. Rejects when the job is lost, or when that cannot be told. */
  renew(): Promise<void>;
}

export interface Call {
  /** Names the call in errors, which hold nothing of its address, headers or body. */
  readonly what: string;
  /** What an operator sets the address with: `EXAMPLE_API_URL`. */
  readonly setting: string;
  /** POST when absent. */
  readonly method?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  readonly signal: AbortSignal;
  /** From connecting to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Of the answer; more is not read. */
  readonly bytesMax: number;
  /** Absent for what nobody reads: an indicator, a look-up. */
  readonly permit?: Permit | undefined;
}

export interface CallResult {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Null: too long, or, of a failing status, cut off. */
  readonly text: string | null;
}

/** A connection that its server is about to close would put the next reply in doubt, so none idles for long. */
const IDLE_MS = 4_000;
/** As many as may be under way at once, or every busy moment would throw connections away and make new ones. */
const FREE_MAX = 256;
const KEPT = { keepAlive: true, timeout: IDLE_MS, maxFreeSockets: FREE_MAX };
const plain = new http.Agent(KEPT);
const encrypted = new https.Agent(KEPT);

/**
 * One call to a platform, once: retries belong to the outbox. Follows no redirect. Throws DeliveryError, `retry` as long
 * as no byte of the request had left; or what the permit throws, with the same certainty.
 *
 * Not fetch, which does not tell when a connection stands: only then, right before the first byte, can a sender that was
 * stopped for a while find out that another has taken its place.
 */
export async function call(url: string, options: Call): Promise<CallResult> {
  const { what, signal } = options;
  if (signal.aborted) throw new DeliveryError("retry", `${what}: stopped before sending`);
  const exchange = new Exchange(options);
  const stop = () => exchange.fail(named("AbortError"));
  signal.addEventListener("abort", stop, { once: true });
  try {
    const answer = await exchange.run(url);
    if (answer.status < 300 || answer.status > 399) return answer;
    throw new Redirected(options, answer.status);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** It leads to where nobody checked, and what is said there is not believed. */
export class Redirected extends DeliveryError {
  constructor({ what, setting }: Call, status: number) {
    super("rejected", `${what}: redirected (${status}), which is not followed; look at ${setting}`, {
      status,
    });
  }
}

class Exchange {
  readonly #options: Call;
  readonly #endsAtMs: number;
  readonly #over = Promise.withResolvers<CallResult>();
  #request: http.ClientRequest | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Whether a byte of the request may have left. */
  #begun = false;
  /** There is an answer: what breaks now is nobody's concern, and an error for it would be made for each call. */
  #isOver = false;

  constructor(options: Call) {
    this.#options = options;
    this.#endsAtMs = performance.now() + options.timeoutMs;
  }

  async run(address: string): Promise<CallResult> {
    this.#endWithin(this.#options.timeoutMs);
    try {
      const url = new URL(address);
      const { method = "POST", headers } = this.#options;
      const isEncrypted = url.protocol === "https:";
      const agent = isEncrypted ? encrypted : plain;
      this.#request = (isEncrypted ? https : http).request(url, { method, headers, agent });
      this.#request.once("error", (error) => this.fail(error));
      this.#request.once("response", (response) => this.#read(response));
      this.#request.once("socket", (socket) => {
        if (isStanding(socket)) void this.#begin();
        else socket.once(isEncrypted ? "secureConnect" : "connect", () => void this.#begin());
      });
    } catch (error) {
      this.fail(error);
    }
    try {
      return await this.#over.promise;
    } finally {
      clearTimeout(this.#timer);
    }
  }

  /** The connection stands. From the last look at the permit to the first byte nothing is waited for. */
  async #begin(): Promise<void> {
    const { permit, body } = this.#options;
    try {
      if (permit !== undefined) {
        while (!this.#isOver && permit.leftMs() <= 0) await permit.renew();
        // Stopped meanwhile, or out of time: a timer set now would be nobody's, and hold up the end of the process.
        if (this.#isOver) return;
        const leftMs = permit.leftMs();
        if (performance.now() + leftMs < this.#endsAtMs) this.#endWithin(leftMs);
      }
    } catch (error) {
      this.#over.reject(error);
      this.#request?.destroy();
      return;
    }
    if (this.#request?.destroyed !== false) return;
    this.#begun = true;
    this.#request.end(body);
  }

  #endWithin(ms: number): void {
    clearTimeout(this.#timer);
    // A process that was stopped finds the time over and the answer waiting: it is read first.
    const late = () => setImmediate(() => setImmediate(() => this.fail(named("TimeoutError"))));
    this.#timer = setTimeout(late, ms);
  }

  #read(response: IncomingMessage): void {
    const { statusCode: status = 0, headers } = response;
    const chunks: Buffer[] = [];
    let bytes = 0;
    const end = (text: string | null) => {
      this.#isOver = true;
      this.#over.resolve({ status, headers, text });
    };
    response.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= this.#options.bytesMax) chunks.push(chunk);
      else {
        end(null);
        this.#request?.destroy();
      }
    });
    response.once("end", () => end(Buffer.concat(chunks).toString("utf8")));
    // A failing status has decided alone; that its body was cut off only loses the reason.
    response.once("close", () => {
      if (this.#isOver) return;
      if (status >= 300) end(null);
      else this.fail(named("ECONNRESET"));
    });
    response.once("error", () => {});
  }

  /** Does nothing once there is an answer. */
  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const { what } = this.#options;
    const bare = bareError(error);
    this.#over.reject(
      this.#begun
        ? networkFailure(bare, what)
        : new DeliveryError("retry", `${what}: could not connect (${codeIn(bare) ?? bare.name})`),
    );
    this.#request?.destroy();
  }
}

function isStanding(socket: Socket): boolean {
  return !socket.connecting && !("secureConnecting" in socket && socket.secureConnecting === true);
}

function named(name: string): Error {
  const error = new Error(name);
  error.name = name;
  return name.startsWith("E") ? Object.assign(error, { code: name }) : error;
}

/** Without what Node puts into its errors: addresses, and of a request that cannot be made, what was wrong with it. */
function bareError(error: unknown): Error {
  const code = codeIn(error);
  const bare = new Error("network error");
  bare.name = error instanceof Error ? error.name : typeof error;
  return code === undefined ? bare : Object.assign(bare, { code });
}

function codeIn(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : undefined;
}
