import type { Inbound, VerifiedRequest } from "../../src/ports/adapter.ts";
import { mediaType, readJsonObject } from "../../src/shared/json.ts";
import { readUpdate } from "./event.ts";
import type { Bot } from "./text.ts";

/** One Update as JSON: what a webhook brings, and what polling would. */
export function parseUpdate(request: VerifiedRequest, bot: Bot): Inbound {
  const type = mediaType(request.header("content-type"));
  if (type !== "application/json") {
    return {
      kind: "unsupported",
      message: `Expected application/json, got ${type.slice(0, 100) || "no media type"}`,
    };
  }
  const body = readJsonObject(request.body);
  if (!body.ok) return { kind: "malformed", message: body.message };
  return readUpdate(body.value, bot, request.receivedAtMs);
}
