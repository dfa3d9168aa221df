import { describe, expect, it } from "vitest";
import { sayNotice } from "../../src/app/say-notice.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { Platform, ReplyAddress } from "../../src/domain/event.ts";
import { approvalRequested, eventDead } from "../../src/domain/happened.ts";
import { FakeAdapter, failing } from "../support/adapter.ts";
import { anEvent } from "../support/event.ts";

const place = { platform: "telegram", tenant: null, channel: "-100", thread: null } as const;
const signal = new AbortController().signal;

function telegram(): FakeAdapter {
  const adapter = new FakeAdapter("telegram");
  adapter.addressOf = (where) => JSON.stringify(where) as ReplyAddress;
  return adapter;
}
const say = (
  message: { type: string; data: Readonly<Record<string, unknown>> },
  adapter: FakeAdapter | null,
) =>
  sayNotice(
    { place, timeoutMs: 1_000 },
    message,
    { id: "msg_1", signal },
    new Map<Platform, FakeAdapter>(adapter === null ? [] : [["telegram", adapter]]),
  );

const asked = approvalRequested(
  anEvent({ text: "secret words" }),
  {
    ...{ approvalId: "apr_1_1", runId: "run_1", agent: "ops", use: { tool: "deploy", effect: "write" } },
    expiresAtMs: 1_700_000_300_000,
  },
  1_700_000_000_000,
);

describe("a line for operators", () => {
  it("says what waits for an approval, by its id, and none of anybody's words", async () => {
    const adapter = telegram();
    expect(await say(asked, adapter)).toEqual({ kind: "delivered", status: 200 });
    expect(adapter.said).toEqual([
      "Agent `ops` waits for an approval of `deploy`, asked for by `U1` in `slack:T1:C1`: `apr_1_1`, until 2023-11-14T22:18:20.000Z.",
    ]);
    expect(adapter.sends[0]).toMatchObject({ partId: "msg_1/0" });
    expect(JSON.parse(String(adapter.sends[0]?.to))).toMatchObject({ channel: "-100", thread: null });
  });

  it("holds nothing that reads as more than a word", async () => {
    const adapter = telegram();
    const cause = "x`\n\n# @channel **[a](http://e)**";
    const death = { agent: "ops", cause, attempts: 1, waitsSinceMs: 0 };
    await say(eventDead(anEvent(), death, 0), adapter);
    expect(adapter.said[0]).toContain("`x # @channel **[a](http://e)**`");
  });

  it.each<[string, FakeAdapter | null, string]>([
    ["whose platform is off", null, "no bot may speak there"],
    [
      "that is no place of it",
      Object.assign(telegram(), { addressOf: () => null }),
      "no bot may speak there",
    ],
  ])("for a place %s is not said, and why is told", async (_, adapter, words) => {
    expect(await say(asked, adapter)).toMatchObject({
      kind: "failed",
      cause: expect.stringContaining(words),
    });
  });

  it("that is refused for now is tried again when the platform says", async () => {
    const adapter = telegram();
    adapter.fates.push(failing(new DeliveryError("retry", "busy", { status: 429, retryAfterMs: 7_000 })));
    expect(await say(asked, adapter)).toMatchObject({ kind: "failed", retryAfterMs: 7_000 });
  });
});
