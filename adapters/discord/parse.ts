import type { Inbound, VerifiedRequest } from "../../src/ports/adapter.ts";
import { mediaType, readJsonObject } from "../../src/shared/json.ts";
import { type ReadingOptions, readInteraction } from "./event.ts";
import { TIMESTAMP_HEADER } from "./verify.ts";

/** One interaction as JSON. `applicationId` may be empty: then no other application is told apart. */
export function parseDiscord(
  request: VerifiedRequest,
  applicationId: string,
  reading: ReadingOptions = {},
): Inbound {
  const media = mediaType(request.header("content-type"));
  if (media !== "" && media !== "application/json") {
    return { kind: "unsupported", message: "Expected application/json, got another media type" };
  }
  const parsed = readJsonObject(request.body);
  if (!parsed.ok) return { kind: "malformed", message: parsed.message };
  const { receivedAtMs } = request;
  return readInteraction(parsed.value, {
    ...reading,
    applicationId,
    receivedAtMs,
    sentAtMs: sentAtMs(request),
  });
}

/** The header is signed. */
function sentAtMs(request: VerifiedRequest): number {
  const sentMs = Number(request.header(TIMESTAMP_HEADER) ?? 0) * 1000;
  return Number.isSafeInteger(sentMs) ? sentMs : 0;
}
