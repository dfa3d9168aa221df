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
  const { headers } = incoming;
  return {
    method: incoming.method ?? "",
    target: incoming.url ?? "/",
    header: (name) => {
      const value = headers[name];
      return typeof value === "string" ? value : value?.join(", ");
    },
    body,
    receivedAtMs,
    get fromLoopback() {
      return isFromLoopback(incoming);
    },
  };
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
