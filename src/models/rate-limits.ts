import { RATE_RESET_MS_MAX } from "../domain/bounds.ts";
import { retryAfterMs } from "../shared/fault.ts";

/** What a provider's answer says of its limits. */
export interface RateLimits {
  /** By what is counted: requests, tokens, input-tokens, output-tokens. */
  readonly left: ReadonlyMap<string, Left>;
  /** No call before that; null: it does not say so. */
  readonly quietMs: number | null;
}

export interface Left {
  readonly remaining: number;
  readonly resetsInMs: number;
}

const KINDS = ["requests", "tokens", "input-tokens", "output-tokens"];

/** Anthropic's headers, and those of OpenAI and of servers that are compatible with it. What is not understood is not said. */
export function rateLimitsIn(status: number, headers: Headers, nowMs: number): RateLimits {
  const left = new Map<string, Left>();
  for (const kind of KINDS) {
    const remaining = countIn(
      headers.get(`anthropic-ratelimit-${kind}-remaining`) ?? headers.get(`x-ratelimit-remaining-${kind}`),
    );
    const resetsInMs =
      untilIn(headers.get(`anthropic-ratelimit-${kind}-reset`), nowMs) ??
      durationIn(headers.get(`x-ratelimit-reset-${kind}`));
    if (remaining !== null && resetsInMs !== null)
      left.set(kind, { remaining, resetsInMs: believed(resetsInMs) });
  }
  const quietMs = status === 429 ? retryAfterMs(headers.get("retry-after"), nowMs) : null;
  return { left, quietMs: quietMs === null ? null : believed(quietMs) };
}

function believed(ms: number): number {
  return Math.min(Math.max(ms, 0), RATE_RESET_MS_MAX);
}

function countIn(header: string | null): number | null {
  return header !== null && /^\d{1,15}$/.test(header) ? Number(header) : null;
}

/** A point in time, as `2026-11-29T12:00:00Z`. */
function untilIn(header: string | null, nowMs: number): number | null {
  const atMs = header !== null && /^\d{4}-\d\d-\d\dT/.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(atMs) ? null : atMs - nowMs;
}

const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** `1s`, `6m0s`, `2m59.56s`, `17ms`; a bare number is of seconds. */
function durationIn(header: string | null): number | null {
  if (header === null || header.length > 40) return null;
  if (/^\d+(\.\d+)?$/.test(header)) return Number(header) * 1_000;
  if (!/^(\d+(\.\d+)?(ms|[dhms]))+$/.test(header)) return null;
  return [...header.matchAll(/([\d.]+)(ms|[dhms])/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ""] ?? 0),
    0,
  );
}
