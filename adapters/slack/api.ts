import { DeliveryError } from "../../src/domain/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { type CallResult, call, type Permit } from "../../src/shared/call.ts";
import { get, getString, type JsonObject, parseJsonObject } from "../../src/shared/json.ts";
import { outcomeOf, toldCall } from "../../src/shared/platform-calls.ts";
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

/** What Slack said in answer to a call, yes or no. */
export interface Said {
  readonly value: JsonObject;
  readonly headers: CallResult["headers"];
  /** Slack's word where it says no; null: it says yes. */
  readonly code: string | null;
  /** The same as an error. */
  readonly failure: DeliveryError | null;
}

/** Calls one method once. Throws DeliveryError where what answers is not Slack, or is not well. */
export function askSlack(
  options: Omit<WebOptions, "botToken">,
  token: Secret | null,
  asked: Parameters<CallSlack>,
): Promise<Said> {
  return toldCall(
    { platform: "slack", method: asked[0] },
    () => ask(options, token, asked),
    ({ failure }) => (failure === null ? "ok" : outcomeOf(failure)),
  );
}

async function ask(
  { apiUrl = API_URL, timeoutMs, clock }: Omit<WebOptions, "botToken">,
  token: Secret | null,
  [method, args, signal, permit]: Parameters<CallSlack>,
): Promise<Said> {
  const base = apiUrl.endsWith("/") ? apiUrl : `${apiUrl}/`;
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
  const { value } = parsed;
  if (get(value, "ok") === true) return { value, headers, code: null, failure: null };
  const code = getString(value, "error");
  if (code === undefined) throw notSlack(method, status);
  return { value, headers, code, failure: codeFailure(code, method, answered, clock.nowMs()) };
}

export function createWeb({ botToken, ...options }: WebOptions): CallSlack {
  async function tried(token: Secret | null, asked: Parameters<CallSlack>): Promise<JsonObject | Refused> {
    const { value, code, failure } = await askSlack(options, token, asked);
    if (failure === null) return value;
    if (code !== null && isRefusal(code)) return new Refused(code, failure);
    throw failure;
  }

  return async (...asked) => {
    const token = botToken === null ? null : await tokenNow(botToken, asked[0]);
    const answer = await tried(token, asked);
    if (!(answer instanceof Refused)) return answer;
    if (token === null || botToken === null || botToken instanceof Secret) throw answer.failure;
    const again =
      (await botToken.refused(token, answer.code)) === "again"
        ? await tried(await botToken.current(asked[0]), asked)
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
