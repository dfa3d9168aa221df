import type { IncomingMessage } from "node:http";
import { REQUEST_ID_CHARS_MAX } from "../domain/bounds.ts";
import { isLoopbackAddress } from "../domain/loopback.ts";
import type { RawRequest } from "../ports/adapter.ts";

const REQUEST_ID = new RegExp(`^[A-Za-z0-9._:-]{1,${REQUEST_ID_CHARS_MAX}}$`);
/** The caller's `X-Request-Id` when it is a plain token, else a new one: it goes into logs and headers as it is. */
export function requestIdOf(incoming: IncomingMessage, newId: () => string): string {
  const given = incoming.headers["x-request-id"];
  return typeof given === "string" && REQUEST_ID.test(given) ? given : newId();
}

/** Its body is empty but while it is lent. */
export function requestOf(
  incoming: IncomingMessage,
  { receivedAtMs, requestId }: Pick<RawRequest, "receivedAtMs"> & { readonly requestId: string },
): RawRequest & { body: Buffer } {
  return new IncomingRequest(incoming, receivedAtMs, requestId);
}

const EMPTY = Buffer.alloc(0);

/** Who is at the other end of the connection: the sender, or the proxy before us. For the log. */
export function peerOf(incoming: IncomingMessage): string | undefined {
  return incoming.socket.remoteAddress;
}

/** Undefined when the sender has not said how much will come. */
export function declaredBytes({ headers }: Pick<IncomingMessage, "headers">): number | undefined {
  const length = headers["content-length"];
  return length === undefined ? undefined : Number(length);
}

class IncomingRequest implements RawRequest {
  body = EMPTY;
  readonly receivedAtMs: number;
  readonly requestId: string;
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage, receivedAtMs: number, requestId: string) {
    this.#incoming = incoming;
    this.receivedAtMs = receivedAtMs;
    this.requestId = requestId;
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
function isFromLoopback(incoming: IncomingMessage): boolean {
  return isLoopbackAddress(incoming.socket.remoteAddress ?? "") && !cameThroughProxy(incoming);
}

/**
 * As far as it shows: a proxy adds a header, or speaks HTTP/1.0, as nginx does to whatever is behind it until it is
 * told otherwise. One that does neither cannot be told from its clients.
 */
export function cameThroughProxy({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion === "1.0" || Object.keys(headers).some((name) => PROXY_HEADER.test(name));
}

/** The standard ones, and those of the large content networks and clouds. */
const PROXY_HEADER =
  /^(?:x-(?:original-)?forwarded(?:-|$)|(?:forwarded|via|x-real-ip|cdn-loop|x-amzn-trace-id|x-cloud-trace-context)$|(?:x-envoy|cf|fastly|fly|x-azure|x-appengine|x-cluster|x-original|x-amz-cf)-|(?:x-|true-|x-cluster-)?client-ip$|x-proxy)/;
