import type { Inbound, VerifiedRequest } from "../../src/ports/adapter.ts";
import type { NewId } from "../../src/ports/clock.ts";
import { mediaType, readJsonObject } from "../../src/shared/json.ts";
import { listed, readMessage } from "./event.ts";

/** `POST /webhooks/test`: one JSON object, one event. `newId` names what the sender has not named. */
export function parseTest(request: VerifiedRequest, newId: NewId): Inbound {
  const type = mediaType(request.header("content-type"));
  if (type !== "application/json") {
    return {
      kind: "unsupported",
      message: `Expected application/json, got ${type === "" ? "no content type" : "another type"}; with curl add -H 'content-type: application/json'`,
    };
  }
  const parsed = readJsonObject(request.body);
  if (!parsed.ok) return { kind: "malformed", message: parsed.message };
  const asked = queryComplaint(request.target);
  if (asked !== undefined) return { kind: "malformed", message: asked };
  const { receivedAtMs } = request;
  return readMessage(parsed.value, { key: request.header("idempotency-key"), receivedAtMs, newId });
}

/** Before anything runs: whoever mistypes `wait` would miss the answer to what was run. */
function queryComplaint(target: string): string | undefined {
  const query = new URLSearchParams(target.split("?")[1] ?? "");
  const unknown = [...new Set(query.keys())].filter((name) => name !== "wait");
  if (unknown.length > 0) return `Unknown ${listed(unknown)} in the query; expected wait`;
  const [wait, ...others] = query.getAll("wait");
  if (others.length > 0) return `Expected wait once in the query, got it ${others.length + 1} times`;
  if (wait === undefined || /^\d{1,9}(?:\.\d{1,9})?$/.test(wait)) return undefined;
  const got = wait === "" ? "an empty string" : JSON.stringify(wait.slice(0, 40).toWellFormed());
  return `Expected wait in the query to be seconds, such as 10, got ${got}`;
}
