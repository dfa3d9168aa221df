import { describe, expect, it } from "vitest";
import { momentMs } from "../../src/admin/moment.ts";

const NOW_MS = Date.parse("2026-11-21T12:00:00Z");

describe("a moment", () => {
  it.each([
    ["90s", "2026-11-21T11:58:30.000Z"],
    ["30m", "2026-11-21T11:30:00.000Z"],
    ["2h", "2026-11-21T10:00:00.000Z"],
    ["7d", "2026-11-14T12:00:00.000Z"],
    ["2026-11-20", "2026-11-20T00:00:00.000Z"],
    ["2026-11-20T08:15", "2026-11-20T08:15:00.000Z"],
    ["2026-11-20 08:15:30", "2026-11-20T08:15:30.000Z"],
    ["2026-11-20T08:15:30.5Z", "2026-11-20T08:15:30.500Z"],
    ["2026-11-20T08:15:30+02:00", "2026-11-20T06:15:30.000Z"],
  ])("%s is %s", (text, time) => {
    expect(new Date(momentMs(text, NOW_MS) ?? 0).toISOString()).toBe(time);
  });

  it.each(["", "x", "7", "1w", "-1h", "1.5h", "2026-13-01", "2026-11-20T25:00", "yesterday", "9999999d"])(
    "is not %j",
    (text) => {
      expect(momentMs(text, NOW_MS)).toBeNull();
    },
  );
});
