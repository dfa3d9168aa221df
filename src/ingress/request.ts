import type { IncomingMessage } from "node:http";
import { REQUEST_ID_CHARS_MAX } from "../domain/bounds.ts";
import type { RawRequest } from "../ports/adapter.ts";

const REQUEST_ID = new RegExp(`^[A-Za-z0-9._:-]{1,${REQUEST_ID_CHARS_MAX}}$`);
const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

/** The caller's `X-Request-Id` when it is a plain token, else a new one: it goes into logs and headers as it is. */
export function requestIdOf(incoming: IncomingMessage, newId: () => string): string {
  const given = incoming.headers["x-request-id"];
  return typeof given === "string" && REQUEST_ID.test(given) ? given : newId();
}

export function rawRequest(incoming: IncomingMessage, body: Buffer, receivedAtMs: number): RawRequest {
  return new IncomingRequest(incoming, body, receivedAtMs);
}

/** Who is at the other end of the connection: the sender, or the proxy before us. For the log. */
export function peerOf(incoming: IncomingMessage): string | undefined {
  return incoming.socket.remoteAddress;
}

class IncomingRequest implements RawRequest {
  readonly body: Buffer;
  readonly receivedAtMs: number;
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage, body: Buffer, receivedAtMs: number) {
    this.#incoming = incoming;
    this.body = body;
    this.receivedAtMs = receivedAtMs;
  }

  get method(): string {
    return this.#incoming.method ?? "";
  }

  get target(): string {
    return this.#incoming.url ?? "/";
  }

  /** Few adapters ask, and the address of a socket is a question to the system. */
  get fromLoopback(): boolean {
    return isFromLoopback(this.#incoming);
  }

  header(name: string): string | undefined {
    const value = this.#incoming.headers[name];
    return typeof value === "string" ? value : value?.join(", ");
  }
}

/** A proxy on this machine passes on requests from anywhere, so a forwarded request is never local. */
export function isFromLoopback(incoming: IncomingMessage): boolean {
  const { headers } = incoming;
  return (
    LOOPBACK.test(incoming.socket.remoteAddress ?? "") &&
    headers["x-forwarded-for"] === undefined &&
    headers.forwarded === undefined &&
    headers["x-real-ip"] === undefined
  );
}
