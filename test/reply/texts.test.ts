import { describe, expect, it } from "vitest";
import type { Refusal } from "../../src/domain/refusal.ts";
import { noticeText } from "../../src/reply/texts.ts";

const refused = (changes: Partial<Refusal>): string =>
  noticeText({ cause: "rate_limited", detail: "user", noticeWindowMs: 60_000, ...changes });

describe("a notice", () => {
  it.each([
    [undefined, "1 second"],
    [1, "1 second"],
    [1_001, "2 seconds"],
    [119_000, "119 seconds"],
    [120_000, "2 minutes"],
    [3_599_999, "60 minutes"],
  ])("of a rate limit says how long to wait: %s ms is %s", (retryAfterMs, wait) => {
    const text = refused(retryAfterMs === undefined ? {} : { retryAfterMs });
    expect(text).toBe(`That was too many messages at once. Please wait ${wait} and send it again.`);
  });

  it("of a rate limit says whose it is, without naming anybody", () => {
    expect(refused({ detail: "conversation" })).toContain(" at once in this conversation.");
    for (const detail of ["tenant", "global"]) expect(refused({ detail })).toContain(" for all of us here.");
  });

  it("tells a person who may not write to the bot directly where to ask", () => {
    expect(refused({ cause: "not_allowed", detail: "direct_message" })).toContain("in a channel");
    expect(refused({ cause: "not_allowed", detail: "user" })).toContain("not allowed");
  });

  it("is one line that never shows the operator's detail", () => {
    for (const cause of ["rate_limited", "not_allowed", "paused", "too_old", "not_installed"] as const) {
      const text = refused({ cause, detail: "tenant T1" });
      expect(text).not.toMatch(/\n|T1/);
    }
  });
});
