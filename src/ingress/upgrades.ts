import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { GatewayError } from "../domain/errors.ts";
import { errorAnswer, type HttpResponse, jsonAnswer, RETRY_AFTER, SECURITY_HEADERS } from "./response.ts";

/** Where a connection goes over from HTTP to WebSocket. */
export const LIVE_PATH = "/ws";

export interface Live {
  /** Null: it is taken. Otherwise, what it is refused with. */
  take(knock: {
    readonly incoming: IncomingMessage;
    readonly socket: Duplex;
    readonly head: Buffer;
    readonly requestId: string;
    readonly peer: string | null;
  }): Promise<{
    readonly status: number;
    readonly body: object;
    readonly headers?: Readonly<Record<string, string>>;
  } | null>;
}

/** Any other request that wants to go over to something is answered as if it did not. */
export function wantsLive({ method, url = "", headers }: IncomingMessage): boolean {
  const isThere = url === LIVE_PATH || url.startsWith(`${LIVE_PATH}?`);
  return isThere && method === "GET" && headers.upgrade?.toLowerCase() === "websocket";
}

export const NEEDS_UPGRADE = errorAnswer(
  426,
  "Expected the handshake of a WebSocket, got a request without; see docs/live-events.md",
  { upgrade: "websocket" },
);

const NO_UPGRADE = errorAnswer(400, "Expected a request without Upgrade here, got one with it");

export interface UpgradeDeps {
  readonly live: Live;
  /** As for every other request. */
  readonly refusalOf: (incoming: IncomingMessage) => HttpResponse | undefined;
  readonly requestIdOf: (incoming: IncomingMessage) => string;
  readonly peerOf: (incoming: IncomingMessage) => string | undefined;
  readonly count: (status: number, startedAt: number) => void;
  readonly broken: (error: unknown, requestId: string) => HttpResponse;
}

export function createUpgrade({ live, refusalOf, requestIdOf, peerOf, count, broken }: UpgradeDeps) {
  async function answerTo(
    incoming: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    requestId: string,
  ): Promise<HttpResponse | null> {
    const refusal = refusalOf(incoming);
    if (refusal !== undefined) return refusal;
    // A Node before 24.9 does not ask which requests may.
    if (!wantsLive(incoming)) return NO_UPGRADE;
    try {
      const peer = peerOf(incoming) ?? null;
      const answer = await live.take({ incoming, socket, head, requestId, peer });
      return answer && jsonAnswer(answer.status, answer.body, answer.headers);
    } catch (error) {
      if (!(error instanceof GatewayError)) return broken(error, requestId);
      return errorAnswer(503, `${error.code}: ${error.message}`, RETRY_AFTER);
    }
  }

  return async (incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const startedAt = performance.now();
    const requestId = requestIdOf(incoming);
    const gone = () => socket.destroy();
    socket.on("error", gone);
    const answer = await answerTo(incoming, socket, head, requestId);
    socket.off("error", gone);
    count(answer?.status ?? 101, startedAt);
    if (answer !== null) refuse(answer, requestId, socket);
  };
}

/** Node has left the connection to us. */
function refuse({ status, headers, body }: HttpResponse, requestId: string, socket: Duplex): void {
  socket.on("error", () => socket.destroy());
  socket.once("finish", () => socket.destroy());
  const all = {
    ...SECURITY_HEADERS,
    "x-request-id": requestId,
    ...headers,
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${head.join("")}\r\n`);
  socket.end(body);
}
