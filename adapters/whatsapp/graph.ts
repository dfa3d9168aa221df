import type { Clock } from "../../src/ports/clock.ts";
import { call } from "../../src/shared/call.ts";
import { type JsonObject, parseJsonObject } from "../../src/shared/json.ts";
import { failureOf } from "./failure.ts";

const ANSWER_BYTES_MAX = 256 * 1024;

interface Asked {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly token: string;
  readonly body?: JsonObject;
}

/** One call of the Graph API below its version. Throws DeliveryError. */
export type Graph = (asked: Asked, signal: AbortSignal) => Promise<JsonObject>;

/** For setting up: of apps and business accounts, which nothing else of the adapter touches. */
export function createGraph(base: string, clock: Pick<Clock, "nowMs">, timeoutMs: number): Graph {
  return async ({ method, path, token, body }, signal) => {
    const { status, headers, text } = await call(`${base}/${path}`, {
      what: "WhatsApp",
      setting: "WHATSAPP_API_URL",
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: body === undefined ? "" : JSON.stringify(body),
      ...{ signal, timeoutMs, bytesMax: ANSWER_BYTES_MAX },
    });
    const retryAfter = headers["retry-after"] ?? null;
    const parsed = parseJsonObject(text ?? "");
    if (status < 200 || status > 299 || !parsed.ok)
      throw failureOf({ status, body: text, retryAfter, nowMs: clock.nowMs() });
    return parsed.value;
  };
}
