import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One call a fake platform received. */
export interface FakeCall {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** The same as it came: a file is no text. */
  readonly raw: Buffer;
  /** The fault played instead of an answer; null when it was served. */
  readonly fault: string | null;
}

/**
 * What goes wrong with the next matching calls:
 * - `status`: this HTTP status with this body, the call has no effect
 * - `reset`: the connection is cut before the call has any effect
 * - `reset-after`: the call takes effect, then the connection is cut
 * - `hang-after`: the call takes effect, the answer never comes
 * - `slow`: the call takes effect, the answer comes when `release()` is called
 */
export type Fault = (
  | {
      readonly kind: "status";
      readonly status: number;
      readonly body?: unknown;
      readonly headers?: Record<string, string>;
    }
  | { readonly kind: "reset" | "reset-after" | "hang-after" }
  | { readonly kind: "slow"; readonly until: Promise<void> }
) & { readonly match?: (call: { method: string; path: string; body: string }) => boolean; times?: number };

export interface FakeAnswer {
  readonly status?: number;
  /** A Buffer goes out as it is. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export interface FakeServer {
  readonly url: string;
  readonly calls: FakeCall[];
  /** Faults are tried in order; one with `times` leaves after so many uses (default 1). */
  readonly faults: Fault[];
  /** Calls that were answered with 429, by a fault or by itself. */
  refused(): number;
  /** How many connections were made to it. */
  connections(): number;
  /** Resolves with the calls once `count` of them satisfy `match`, also when they already do. */
  waitFor(match: (call: FakeCall) => boolean, count?: number, timeoutMs?: number): Promise<FakeCall[]>;
  /** Resolves once this is so, looking once for each call. For what shows in more than one call. */
  until(isSo: () => boolean, timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}

/** Of what came, in an error. */
const SHOWN_MAX = 20;
const WAIT_MS = 45_000;

/** A platform API on a free loopback port. `answer` has the effect and gives the reply. */
export async function fakeServer(
  answer: (call: {
    method: string;
    path: string;
    headers: IncomingMessage["headers"];
    body: string;
    raw: Buffer;
  }) => FakeAnswer | Promise<FakeAnswer>,
): Promise<FakeServer> {
  const calls: FakeCall[] = [];
  const faults: Fault[] = [];
  const watchers = new Set<() => void>();
  let refused = 0;

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const call = {
      method: incoming.method ?? "GET",
      path: incoming.url ?? "/",
      headers: incoming.headers,
      raw,
      body: raw.toString("utf8"),
    };
    const fault = takeFault(faults, call);
    const done = () => {
      calls.push({ ...call, at: Date.now(), fault: fault?.kind ?? null });
      for (const watcher of watchers) watcher();
    };
    if (fault?.kind === "status") {
      if (fault.status === 429) refused++;
      done();
      return reply(outgoing, {
        status: fault.status,
        body: fault.body ?? {},
        ...(fault.headers && { headers: fault.headers }),
      });
    }
    if (fault?.kind === "reset") {
      done();
      incoming.socket.destroy();
      return;
    }
    const result = await answer(call);
    if (result.status === 429) refused++;
    done();
    if (fault?.kind === "reset-after") incoming.socket.destroy();
    else if (fault?.kind === "hang-after") return;
    else {
      if (fault?.kind === "slow") await fault.until;
      reply(outgoing, result);
    }
  }

  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch((error: unknown) => {
      if (!outgoing.headersSent) reply(outgoing, { status: 500, body: { fake: String(error) } });
    });
  });
  let connections = 0;
  server.on("connection", () => {
    connections++;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  /** Looks once now and once after each call. */
  function settled(isSo: () => boolean, expected: () => string, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!isSo()) return;
        stop();
        resolve();
      };
      const timer = setTimeout(() => {
        stop();
        const seen = calls
          .slice(-SHOWN_MAX)
          .map((call) => `${call.method} ${call.path}${call.fault ? ` (${call.fault})` : ""}`);
        const of = `of ${calls.length}, the last of them ${JSON.stringify(seen)}`;
        reject(new Error(`Expected ${expected()} ${of}`));
      }, timeoutMs);
      const stop = () => {
        clearTimeout(timer);
        watchers.delete(look);
      };
      watchers.add(look);
      look();
    });
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    faults,
    refused: () => refused,
    connections: () => connections,
    async waitFor(match, count = 1, timeoutMs = WAIT_MS) {
      const found = () => calls.filter(match);
      await settled(
        () => found().length >= count,
        () => `${count} matching calls, got ${found().length}`,
        timeoutMs,
      );
      return found();
    },
    until(isSo, timeoutMs = WAIT_MS) {
      return settled(isSo, () => "what is waited for to be so after a call, got nothing like it", timeoutMs);
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function takeFault(faults: Fault[], call: { method: string; path: string; body: string }): Fault | undefined {
  const index = faults.findIndex((fault) => fault.match === undefined || fault.match(call));
  const fault = faults[index];
  if (fault === undefined) return undefined;
  fault.times = (fault.times ?? 1) - 1;
  if (fault.times <= 0) faults.splice(index, 1);
  return fault;
}

function reply(outgoing: ServerResponse, answer: FakeAnswer): void {
  const body =
    answer.body === undefined
      ? ""
      : typeof answer.body === "string" || Buffer.isBuffer(answer.body)
        ? answer.body
        : JSON.stringify(answer.body);
  outgoing.writeHead(answer.status ?? 200, { "content-type": "application/json", ...answer.headers });
  outgoing.end(body);
}

/** A file as tests read it: its text, or of anything else its bytes in base64. */
export function readable(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return `base64:${Buffer.from(bytes).toString("base64")}`;
  }
}

/** The same of a file in a form. */
export async function readableFile(file: File): Promise<string> {
  return readable(new Uint8Array(await file.arrayBuffer()));
}
