import { DeliveryError } from "../../src/domain/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { call, type Permit } from "../../src/shared/call.ts";
import { get, getString, type JsonObject, parseJsonObject } from "../../src/shared/json.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { codeFailure, statusFailure } from "./failure.ts";

const API_URL = "https://slack.com/api/";
/** A page of messages with their marks is the longest. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

export interface WebOptions {
  readonly botToken: Secret;
  readonly apiUrl?: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** Calls one method of the Web API once: no retries, no waiting on 429. Throws DeliveryError. */
export type CallSlack = (
  method: string,
  args: Record<string, unknown>,
  signal: AbortSignal,
  permit?: Permit,
) => Promise<JsonObject>;

export function createWeb({ botToken, apiUrl = API_URL, timeoutMs, clock }: WebOptions): CallSlack {
  const base = apiUrl.endsWith("/") ? apiUrl : `${apiUrl}/`;
  return async (method, args, signal, permit) => {
    const { status, headers, text } = await call(base + method, {
      what: method,
      setting: "SLACK_API_URL",
      headers: {
        authorization: `Bearer ${botToken.reveal()}`,
        // Not JSON: the methods that read do not take it.
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
      },
      body: formOf(args),
      signal,
      timeoutMs,
      bytesMax: ANSWER_BYTES_MAX,
      permit,
    });
    const answered = { status, retryAfter: headers["retry-after"] ?? null };
    const failure = statusFailure(method, answered, clock.nowMs());
    if (failure !== null) throw failure;
    const parsed = parseJsonObject(text ?? "");
    if (!parsed.ok) throw notSlack(method, status);
    if (get(parsed.value, "ok") === true) return parsed.value;
    const code = getString(parsed.value, "error");
    throw code === undefined ? notSlack(method, status) : codeFailure(code, method, answered, clock.nowMs());
  };
}

/** A proxy's page, say: Slack may have seen the message or not. */
function notSlack(method: string, status: number): DeliveryError {
  return new DeliveryError("unknown", `${method}: expected JSON, got something else`, { status });
}

/** Values that are no text are JSON, as Slack reads them. */
function formOf(args: Record<string, unknown>): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(args)) {
    if (value === undefined || value === null) continue;
    form.set(name, typeof value === "string" ? value : JSON.stringify(value));
  }
  return form.toString();
}
