import { DeliveryError } from "../../src/domain/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { call, type Permit } from "../../src/shared/call.ts";
import { get, getString, type JsonObject, parseJsonObject } from "../../src/shared/json.ts";
import { Secret } from "../../src/shared/secret.ts";
import { codeFailure, isRefusal, statusFailure } from "./failure.ts";
import { type TokenSource, tokenNow } from "./token.ts";

const API_URL = "https://slack.com/api/";
/** A page of messages with their marks is the longest. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

export interface WebOptions {
  /** Null: of a method that takes none. */
  readonly botToken: Secret | TokenSource | null;
  readonly apiUrl?: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/**
 * Calls one method of the Web API once: no retries, no waiting on 429. Throws DeliveryError. A token that Slack does not take,
 * although there is another by now, is no try: nothing was done with it.
 */
export type CallSlack = (
  method: string,
  args: Record<string, unknown>,
  signal: AbortSignal,
  permit?: Permit,
) => Promise<JsonObject>;

export function createWeb({ botToken, apiUrl = API_URL, timeoutMs, clock }: WebOptions): CallSlack {
  const base = apiUrl.endsWith("/") ? apiUrl : `${apiUrl}/`;

  async function ask(
    token: Secret | null,
    [method, args, signal, permit]: Parameters<CallSlack>,
  ): Promise<JsonObject | Refused> {
    const { status, headers, text } = await call(base + method, {
      what: method,
      setting: "SLACK_API_URL",
      headers: {
        ...(token !== null && { authorization: `Bearer ${token.reveal()}` }),
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
    if (code === undefined) throw notSlack(method, status);
    const refusal = codeFailure(code, method, answered, clock.nowMs());
    if (isRefusal(code)) return new Refused(code, refusal);
    throw refusal;
  }

  return async (...asked) => {
    const token = botToken === null ? null : await tokenNow(botToken, asked[0]);
    const answer = await ask(token, asked);
    if (!(answer instanceof Refused)) return answer;
    if (token === null || botToken === null || botToken instanceof Secret) throw answer.failure;
    const again =
      (await botToken.refused(token, answer.code)) === "again"
        ? await ask(await botToken.current(asked[0]), asked)
        : answer;
    if (!(again instanceof Refused)) return again;
    // Of one workspace among others: the rest of them have nothing to wait for.
    throw new DeliveryError("rejected", again.failure.message, { status: again.failure.status });
  };
}

class Refused {
  readonly code: string;
  readonly failure: DeliveryError;

  constructor(code: string, failure: DeliveryError) {
    this.code = code;
    this.failure = failure;
  }
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
