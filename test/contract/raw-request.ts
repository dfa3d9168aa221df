import type { SampleRequest } from "../../adapters/shared/sample.ts";
import type { RawRequest, VerifiedRequest } from "../../src/ports/adapter.ts";

/** A sample as the ingress would hand it over: header names in any case, body as bytes. */
export function rawRequest(
  sample: SampleRequest,
  options: { nowMs: number; fromLoopback?: boolean },
): RawRequest {
  const headers = new Map(Object.entries(sample.headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    method: sample.method,
    target: sample.path,
    header: (name) => headers.get(name),
    body: Buffer.from(sample.body, "utf8"),
    receivedAtMs: options.nowMs,
    fromLoopback: options.fromLoopback ?? false,
  };
}

/** Stands in for src/ingress/verify.ts where a test parses without verifying. */
export function asVerified(request: RawRequest): VerifiedRequest {
  return request as VerifiedRequest;
}

/** The same request with one header changed, or removed when `value` is undefined. */
export function withHeader(request: RawRequest, name: string, value: string | undefined): RawRequest {
  return { ...request, header: (wanted) => (wanted === name ? value : request.header(wanted)) };
}

/** The same request with one byte of its body flipped. */
export function withFlippedByte(request: RawRequest, index: number): RawRequest {
  const body = Buffer.from(request.body);
  body[index] = (body[index] ?? 0) ^ 1;
  return { ...request, body };
}
