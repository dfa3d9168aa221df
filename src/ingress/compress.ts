import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { HttpResponse } from "./response.ts";

/** Smaller than this, the headers of it are what there is to save. */
const BYTES_MIN = 1_000;

/** What is whole when it is sent. Streams go out as they come, a line at a time. */
const WHOLE = /^(?:application\/json|text\/plain|application\/openmetrics-text)\b/;

/** Away from the main thread. */
const squeeze = promisify(gzip);

/** For operators: metrics and answers of the admin API, which are long and say much twice. Webhooks are answered with a few bytes. */
export async function compressed(
  answer: HttpResponse,
  acceptEncoding: string | undefined,
): Promise<HttpResponse> {
  const { headers, body } = answer;
  if (!takesGzip(acceptEncoding) || !WHOLE.test(headers["content-type"] ?? "")) return answer;
  if (Buffer.byteLength(body) < BYTES_MIN) return answer;
  return { ...answer, headers: { ...headers, ...AS_GZIP }, body: new Uint8Array(await squeeze(body)) };
}

/** The same for the router. */
export async function compressedResponse(
  response: Response,
  acceptEncoding: string | undefined,
): Promise<Response> {
  if (!takesGzip(acceptEncoding) || !WHOLE.test(response.headers.get("content-type") ?? "")) return response;
  const body = new Uint8Array(await response.arrayBuffer());
  const { status } = response;
  const headers = new Headers(response.headers);
  if (body.byteLength < BYTES_MIN) return new Response(body, { status, headers });
  headers.delete("content-length");
  for (const [name, value] of Object.entries(AS_GZIP)) headers.set(name, value);
  return new Response(new Uint8Array(await squeeze(body)), { status, headers });
}

const AS_GZIP = { "content-encoding": "gzip", vary: "accept-encoding" };

function takesGzip(acceptEncoding = ""): boolean {
  return acceptEncoding.split(",").some((one) => {
    const [name = "", ...parameters] = one.split(";").map((part) => part.trim().toLowerCase());
    return name === "gzip" && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
  });
}
