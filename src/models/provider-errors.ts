import { ModelError } from "../domain/errors.ts";
import { causesOf, retryAfterMs } from "../shared/fault.ts";

type ModelCode = ConstructorParameters<typeof ModelError>[0];

/**
 * The parts of an SDK's APIError that tell errors apart; those of Anthropic and OpenAI are alike. Their classes are not
 * imported: the SDKs are loaded lazily.
 */
interface ApiFailure {
  readonly status: number | undefined;
  readonly type: string | null;
  readonly errorCode: string | null;
  readonly apiMessage: string | null;
  readonly requestId: string | null;
  readonly header: (name: string) => string | null;
}

/** How errors name a provider, and what leads to another one. */
export interface ProviderName {
  readonly title: string;
  readonly baseUrlVariable: string;
}

export interface FailureContext {
  readonly provider: ProviderName;
  readonly streamBegan: boolean;
  readonly nowMs: number;
}

/**
 * | answer | code | retry |
 * |-|-|-|
 * | 402, billing error, a spend limit | MODEL_BILLING | no |
 * | 401, 403 | MODEL_AUTH | no |
 * | 404 | MODEL_NOT_FOUND | no |
 * | 429 | MODEL_RATE_LIMITED | after `Retry-After` |
 * | 5xx, 529, 408, 409 | MODEL_OVERLOADED | yes |
 * | any other 4xx | MODEL_REQUEST_REJECTED | no |
 * | no answer, a redirect (which is not followed) | MODEL_UNREACHABLE | yes |
 * | broken off after it began | MODEL_STREAM_CUT | yes |
 *
 * The message holds codes and ids only. The provider's own words may quote the prompt, so they are left in `cause`.
 */
export function modelErrorFrom(error: unknown, context: FailureContext): ModelError {
  if (error instanceof ModelError) return error;
  const failure = apiFailureIn(error);
  const code = codeOf(failure, context.streamBegan);
  return new ModelError(code, describe(failure, error, context.provider), {
    retryable: RETRYABLE.has(code),
    retryAfterMs: failure === null ? null : delayAsked(failure, context.nowMs),
    cause: error,
  });
}

const RETRYABLE: ReadonlySet<ModelCode> = new Set([
  "MODEL_RATE_LIMITED",
  "MODEL_OVERLOADED",
  "MODEL_UNREACHABLE",
  "MODEL_STREAM_CUT",
]);

function codeOf(failure: ApiFailure | null, streamBegan: boolean): ModelCode {
  const code = failure === null ? null : answeredCode(failure);
  // Once tokens have flowed they may be charged: "cut" tells the budget so, "overloaded" would not.
  if (streamBegan && (code === null || RETRYABLE.has(code))) return "MODEL_STREAM_CUT";
  return code ?? "MODEL_UNREACHABLE";
}

/** Null when the provider gave no answer. An error inside a stream has a type but no status. */
function answeredCode(failure: ApiFailure): ModelCode | null {
  const { status, type } = failure;
  if (isRedirect(failure)) return null;
  if (isAboutMoney(failure)) return "MODEL_BILLING";
  if (status === 401 || status === 403 || type === "authentication_error" || type === "permission_error") {
    return "MODEL_AUTH";
  }
  if (status === 404 || type === "not_found_error") return "MODEL_NOT_FOUND";
  if (status === 429 || type === "rate_limit_error") return "MODEL_RATE_LIMITED";
  if (status === 408 || status === 409 || (status !== undefined && status >= 500)) return "MODEL_OVERLOADED";
  if (status !== undefined && status >= 400) return "MODEL_REQUEST_REJECTED";
  if (type === "invalid_request_error") return "MODEL_REQUEST_REJECTED";
  return type === null ? null : "MODEL_OVERLOADED";
}

function isRedirect({ status }: ApiFailure): boolean {
  return status !== undefined && status >= 300 && status < 400;
}

/** An empty account is still reported as an invalid request with nothing but words to tell it by. */
function isAboutMoney({ status, type, errorCode, apiMessage }: ApiFailure): boolean {
  if (status === 402 || type === "billing_error") return true;
  if (/spend_limit|billing|insufficient_quota/.test(`${errorCode} ${type}`)) return true;
  return status === 400 && /credit balance/i.test(apiMessage ?? "");
}

function delayAsked(failure: ApiFailure, nowMs: number): number | null {
  const ms = failure.header("retry-after-ms");
  return ms === null
    ? retryAfterMs(failure.header("retry-after"), nowMs)
    : retryAfterMs(String(Number(ms) / 1000), nowMs);
}

function describe(failure: ApiFailure | null, error: unknown, provider: ProviderName): string {
  if (failure === null || (failure.status === undefined && failure.type === null)) {
    return `${provider.title}: no complete answer (${nameOf(error)})`;
  }
  if (isRedirect(failure))
    return `${provider.title}: redirected (${failure.status}), which is not followed; look at ${provider.baseUrlVariable}`;
  const parts = [failure.status, failure.type, failure.errorCode, failure.requestId];
  return `${provider.title}: ${parts.filter((part) => part !== null && part !== undefined).join(", ")}`;
}

/** The innermost name or system code: `ECONNREFUSED` says more than `TypeError`. */
function nameOf(error: unknown): string {
  let name = "unknown";
  for (const { code, name: own } of causesOf(error))
    name = typeof code === "string" && /^[A-Z][A-Z_]+$/.test(code) ? code : own;
  return name;
}

function apiFailureIn(error: unknown): ApiFailure | null {
  if (!(error instanceof Error) || !("requestID" in error)) return null;
  const { status, type, errorCode, code, apiMessage, requestID, headers } = error as Error &
    Record<string, unknown>;
  return {
    status: typeof status === "number" ? status : undefined,
    type: word(type),
    errorCode: word(errorCode ?? code),
    apiMessage: typeof apiMessage === "string" ? apiMessage : null,
    requestId: word(requestID),
    header: (name) => (headers instanceof Headers ? headers.get(name) : null),
  };
}

/** Codes and ids are words; anything longer or stranger is not shown. */
function word(value: unknown): string | null {
  return typeof value === "string" && /^[\w.-]{1,80}$/.test(value) ? value : null;
}
