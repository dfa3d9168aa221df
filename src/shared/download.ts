import { lookup } from "node:dns";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { DeliveryError } from "../domain/errors.ts";
import { kindOfStatus, networkFailure, retryAfterMs } from "./fault.ts";

export interface Download {
  /** Names the call in errors, which hold nothing of its address or headers. */
  readonly what: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** From connecting to the last byte. */
  readonly timeoutMs: number;
  /** An operator has written the host, and may mean a private one. */
  readonly isOperators: boolean;
  readonly nowMs: number;
}

export interface Downloaded {
  readonly mime: string | null;
  /** As the server says; null when it does not. */
  readonly sizeBytes: number | null;
  /** Ends with a DeliveryError when the connection does before the file. Must be read to its end, or returned from. */
  readonly bytes: AsyncIterable<Uint8Array>;
}

/** Where this machine or its own network would answer. */
const PRIVATE = new BlockList();
for (const [net, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
] as const)
  PRIVATE.addSubnet(net, bits, "ipv4");
for (const [net, bits] of [
  ["::", 127],
  ["64:ff9b::", 96],
  ["fc00::", 7],
  ["fe80::", 10],
  ["ff00::", 8],
] as const)
  PRIVATE.addSubnet(net, bits, "ipv6");

/**
 * One GET, once, as a stream. Follows no redirect, and connects to no private address that no operator has written.
 * Throws DeliveryError: `rejected` with its status for what another try would not change.
 */
export async function download(url: URL, options: Download): Promise<Downloaded> {
  const { what, signal, timeoutMs } = options;
  const over = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const response = await answerOf(url, over, options);
  const { statusCode: status = 0, headers } = response;
  if (status === 200)
    return { mime: mimeOf(response), sizeBytes: sizeOf(response), bytes: bytesOf(response, what) };
  response.destroy();
  const isRedirect = status >= 300 && status <= 399;
  const kind = isRedirect ? "rejected" : kindOfStatus(status);
  const waitMs = retryAfterMs(headers["retry-after"], options.nowMs);
  throw new DeliveryError(kind, `${what}: HTTP ${status}`, { status, retryAfterMs: waitMs });
}

function answerOf(
  url: URL,
  signal: AbortSignal,
  { what, headers, isOperators }: Download,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(networkFailure(error, what));
    try {
      if (signal.aborted) throw signal.reason;
      const guard = isOperators ? {} : { lookup: publicLookup };
      const client = url.protocol === "https:" ? https : http;
      client
        .get(url, { headers, signal, agent: false, ...guard })
        .once("response", resolve)
        .on("error", fail);
    } catch (error) {
      fail(error);
    }
  });
}

async function* bytesOf(response: IncomingMessage, what: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) yield chunk as Uint8Array;
  } catch (error) {
    throw networkFailure(error, what);
  } finally {
    response.destroy();
  }
  // What has ended before it was whole is no file, though the stream may end without an error.
  if (!response.complete) throw networkFailure(new Error("cut off"), what);
}

/** As `dns.lookup`, but with a private address it finds nothing. */
export const publicLookup: LookupFunction = (hostname, options, done) => {
  lookup(hostname, options, (error, address, family) => {
    const found = typeof address === "string" ? [{ address }] : (address ?? []);
    if (error === null && found.some((one) => isPrivateAddress(one.address)))
      return done(Object.assign(new Error("a private address"), { code: "ENOTFOUND" }), "", 0);
    done(error, address, family);
  });
};

export function isPrivateAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address;
  return PRIVATE.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4");
}

function mimeOf({ headers }: IncomingMessage): string | null {
  return headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase() ?? null;
}

function sizeOf({ headers }: IncomingMessage): number | null {
  const bytes = Number(headers["content-length"]);
  return headers["content-length"] !== undefined && Number.isSafeInteger(bytes) ? bytes : null;
}
