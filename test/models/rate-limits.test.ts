import { describe, expect, it } from "vitest";
import { RATE_RESET_MS_MAX } from "../../src/domain/bounds.ts";
import { rateLimitsIn } from "../../src/models/rate-limits.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");

function leftIn(headers: Record<string, string>) {
  return Object.fromEntries(rateLimitsIn(200, new Headers(headers), NOW).left);
}

function openAi(reset: string, remaining = "0") {
  return leftIn({ "x-ratelimit-remaining-requests": remaining, "x-ratelimit-reset-requests": reset });
}

describe("what a provider's headers say of its limits", () => {
  it("reads Anthropic's, of requests and of tokens", () => {
    const left = leftIn({
      "anthropic-ratelimit-requests-remaining": "41",
      "anthropic-ratelimit-requests-reset": "2026-11-30T12:00:07Z",
      "anthropic-ratelimit-input-tokens-remaining": "0",
      "anthropic-ratelimit-input-tokens-reset": "2026-11-30T12:00:30.5Z",
      "anthropic-ratelimit-output-tokens-remaining": "8000",
      "anthropic-ratelimit-output-tokens-reset": "2026-11-30T13:00:00+01:00",
    });
    expect(left).toEqual({
      requests: { remaining: 41, resetsInMs: 7_000 },
      "input-tokens": { remaining: 0, resetsInMs: 30_500 },
      "output-tokens": { remaining: 8_000, resetsInMs: 0 },
    });
  });

  it.each([
    ["1s", 1_000],
    ["1m30s", 90_000],
    ["2m59.56s", 179_560],
    ["17ms", 17],
    ["20", 20_000],
    ["6m0s", RATE_RESET_MS_MAX],
    ["24h0m0s", RATE_RESET_MS_MAX],
    ["99999999999999999999999999s", RATE_RESET_MS_MAX],
  ])("reads OpenAI's duration %s, which it does not believe for long", (reset, ms) => {
    expect(openAi(reset)).toEqual({ requests: { remaining: 0, resetsInMs: ms } });
  });

  it.each([
    "",
    "soon",
    "-1s",
    "1s, 2s",
    "1s1",
    "s",
    "1e9",
    "NaN",
    "Infinity",
    "1 s",
    `${"1s".repeat(1_000)}`,
  ])("takes the duration %j for none", (reset) => {
    expect(openAi(reset)).toEqual({});
  });

  it.each(["", "-1", "0x10", "none", "1.5", "9".repeat(30)])("takes %j for no count", (remaining) => {
    expect(openAi("1s", remaining)).toEqual({});
  });

  it.each([
    ["2099-01-01T00:00:00Z", { requests: { remaining: 0, resetsInMs: RATE_RESET_MS_MAX } }],
    ["2001-01-01T00:00:00Z", { requests: { remaining: 0, resetsInMs: 0 } }],
    ["2026-13-45T99:00:00Z", {}],
    ["1764504000", {}],
  ])("takes the time %s for what it is worth", (reset, left) => {
    const headers = {
      "anthropic-ratelimit-requests-remaining": "0",
      "anthropic-ratelimit-requests-reset": reset,
    };
    expect(leftIn(headers)).toEqual(left);
  });

  it.each([
    [429, "7", 7_000],
    [429, "86400", RATE_RESET_MS_MAX],
    [429, "later", null],
    [503, "7", null],
  ])("keeps to the Retry-After of a %i: %s", (status, header, quietMs) => {
    expect(rateLimitsIn(status, new Headers({ "retry-after": header }), NOW).quietMs).toBe(quietMs);
  });
});
