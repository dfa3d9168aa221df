import { redacted } from "./redact.ts";

/**
 * Faults of the outside world, each with a code explained in docs/errors.md.
 * Expected refusals are values, not errors; broken promises of our own are assertions.
 */
export const ERROR_CODES = [
  "CONFIG_INVALID",
  "STORE_OPEN_FAILED",
  "STORE_LOCKED",
  "STORE_SCHEMA_NEWER",
  "STORE_WRITE_FAILED",
  "STORE_MOVED",
  "STORE_DAMAGED",
  "STORE_CLOSED",
  "EVENT_DAMAGED",
  "STORE_UNAVAILABLE",
  "STORE_UNSAFE",
  "MEDIA_OPEN_FAILED",
  "LISTEN_FAILED",
  "MODEL_AUTH",
  "MODEL_NOT_FOUND",
  "MODEL_OVERLOADED",
  "MODEL_RATE_LIMITED",
  "MODEL_REQUEST_REJECTED",
  "MODEL_UNREACHABLE",
  "MODEL_STREAM_CUT",
  "MODEL_BILLING",
  "BREAKER_OPEN",
  "DELIVERY_RETRY",
  "DELIVERY_REJECTED",
  "DELIVERY_UNKNOWN",
  "PLATFORM_REFUSED",
  "SECRET_UNREADABLE",
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

const CODES: ReadonlySet<string> = new Set(ERROR_CODES);

/** The code in the words that say why something failed, for a field of its own in the log; undefined: there is none. */
export function codeIn(cause: string | undefined): ErrorCode | undefined {
  // Before it may stand that it was given up; after it, words of others.
  const word = /^(?:gave up after \d+ attempts: )?([A-Z][A-Z0-9_]+): /.exec(cause ?? "")?.[1];
  return word !== undefined && CODES.has(word) ? (word as ErrorCode) : undefined;
}

/** Its message may hold what an upstream said, and ends up in logs, the API and the store: no secret of ours is in it. */
export class GatewayError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(redacted(message), options);
    this.name = "GatewayError";
    this.code = code;
  }
}

const DELIVERY_CODES = {
  retry: "DELIVERY_RETRY",
  rejected: "DELIVERY_REJECTED",
  refused: "PLATFORM_REFUSED",
  unknown: "DELIVERY_UNKNOWN",
} as const satisfies Readonly<Record<string, ErrorCode>>;

/**
 * A send that did not succeed:
 * - `retry`: certainly not said; try again, not before `retryAfterMs`
 * - `rejected`: certainly not said, and never will be
 * - `refused`: certainly not said: the platform will not have our credentials, so any message would end like this one
 * - `unknown`: may have been said (time-out or connection lost after the request went out)
 */
export class DeliveryError extends GatewayError {
  readonly kind: "retry" | "rejected" | "refused" | "unknown";
  readonly retryAfterMs: number | null;
  /** HTTP status, when there was one; 429 is counted. */
  readonly status: number | null;

  constructor(
    kind: DeliveryError["kind"],
    message: string,
    options: { retryAfterMs?: number | null; status?: number | null; cause?: unknown } = {},
  ) {
    super(DELIVERY_CODES[kind], message, { cause: options.cause });
    this.name = "DeliveryError";
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.status = options.status ?? null;
  }
}

/**
 * The provider refuses the installation, not the message: a key that is not valid or lacks a permission, an account that
 * cannot pay, a model that this key cannot have. Any message would be refused, until somebody changes that.
 */
const REFUSALS: ReadonlySet<string> = new Set<ErrorCode>(["MODEL_AUTH", "MODEL_BILLING", "MODEL_NOT_FOUND"]);

export function isModelRefusal(code: string): boolean {
  return REFUSALS.has(code);
}

/** A model call that did not succeed. `retryable` is about the same call; a retry may still be capped. */
export class ModelError extends GatewayError {
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;

  constructor(
    code: Extract<ErrorCode, `MODEL_${string}`>,
    message: string,
    options: { retryable: boolean; retryAfterMs?: number | null; cause?: unknown },
  ) {
    super(code, message, { cause: options.cause });
    this.name = "ModelError";
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }

  /** Nothing that the message or another try could change. */
  get isRefusal(): boolean {
    return isModelRefusal(this.code);
  }
}

/** So many calls are made of a model, or allowed by its provider, that this one has to wait. Nobody's fault: it uses up no attempt. */
export class ModelBusy extends ModelError {
  constructor(model: string, retryAfterMs: number) {
    super("MODEL_RATE_LIMITED", `The calls of ${model} that may be made now are used up`, {
      retryable: true,
      retryAfterMs,
    });
    this.name = "ModelBusy";
  }
}
