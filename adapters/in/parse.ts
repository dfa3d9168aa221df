import type { Inbound, VerifiedRequest } from "../../src/ports/adapter.ts";
import type { InboundWebhook } from "../../src/ports/platform.ts";
import { mediaType, readJsonObject } from "../../src/shared/json.ts";
import { readMessage } from "./event.ts";
import { webhookOf } from "./verify.ts";

/** `POST /webhooks/in/<name>`: one JSON object, one event. */
export function parseInbound(request: VerifiedRequest, webhooks: () => readonly InboundWebhook[]): Inbound {
  const type = mediaType(request.header("content-type"));
  if (type !== "application/json") {
    const got = type === "" ? "no content type" : "another type";
    return { kind: "unsupported", message: `Expected application/json, got ${got}` };
  }
  const parsed = readJsonObject(request.body);
  if (!parsed.ok) return { kind: "malformed", message: parsed.message };
  const webhook = webhookOf(request.target, webhooks);
  if (webhook === undefined) throw new Error("Expected the webhook that verified it, got none");
  const id = request.header("webhook-id") ?? "";
  const occurredAtMs = Number(request.header("webhook-timestamp")) * 1000;
  return readMessage(parsed.value, webhook, { id, occurredAtMs });
}
