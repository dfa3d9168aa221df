import { WebAPIPlatformError, WebClient } from "@slack/web-api";
import type { Secret } from "../../src/config/secret.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { networkFailure } from "../shared/http.ts";
import type { JsonObject } from "../shared/json.ts";
import { type Answered, codeFailure, statusFailure } from "./failure.ts";

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
) => Promise<JsonObject>;

const nothing = () => {};
/** The SDK would log request bodies and Slack's answers. */
const SILENT = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  setLevel: nothing,
  getLevel: () => "error" as never,
  setName: nothing,
};

export function createWeb(options: WebOptions): CallSlack {
  return async (method, args, signal) => {
    if (signal.aborted) throw new DeliveryError("retry", `${method}: not begun, stopped before`);
    let answered: Answered | null = null;
    // One client a call (0.1 ms), because the SDK takes no signal per call.
    const web = new WebClient(options.botToken.reveal(), {
      ...(options.apiUrl !== undefined && { slackApiUrl: options.apiUrl }),
      logger: SILENT,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      allowAbsoluteUrls: false,
      fetch: async (url, init) => {
        const response = await fetch(url, { ...init, signal: withDeadline(signal, options.timeoutMs) });
        answered = { status: response.status, retryAfter: response.headers.get("retry-after") };
        return response;
      },
    });
    try {
      return { ...(await web.apiCall(method, args)) };
    } catch (error) {
      throw failureOf(error, method, answered, options.clock.nowMs());
    }
  };
}

export function withDeadline(signal: AbortSignal, timeoutMs: number): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
}

function failureOf(error: unknown, method: string, answered: Answered | null, nowMs: number): DeliveryError {
  if (answered === null) return networkFailure(error, method);
  const failure = statusFailure(method, answered, nowMs);
  if (failure !== null) return failure;
  if (error instanceof WebAPIPlatformError)
    return codeFailure(String(error.data.error), method, answered, nowMs);
  // The answer began and broke off: whatever it was, Slack had the message.
  return networkFailure(error, method);
}
