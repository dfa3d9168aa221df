import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FakeTelegram } from "../../fakes/telegram.ts";
import { adapterFor, openFake } from "./fake.ts";
import { BOT_TOKEN } from "./setup.ts";

let fake: FakeTelegram;
beforeEach(async () => {
  fake = await openFake();
});
afterEach(() => fake.close());

const URL = "https://gw.example/webhooks/telegram";
const probe = async () =>
  (await adapterFor(fake, { publicUrl: "https://gw.example" }).probe?.(new AbortController().signal)) ?? [];

describe("a look at Telegram", () => {
  it("finds that no webhook is set, that it leads elsewhere, and nothing where it leads here", async () => {
    expect(await probe()).toMatchObject([
      { status: "ok" },
      { status: "warn", fix: expect.stringContaining("parley setup telegram --apply") },
    ]);
    Object.assign(fake.webhook, { url: "https://other.example/with-a-secret" });
    const elsewhere = await probe();
    expect(elsewhere).toMatchObject([
      { status: "ok" },
      { status: "warn", message: expect.stringContaining(URL) },
    ]);
    expect(JSON.stringify(elsewhere)).not.toContain("with-a-secret");
    Object.assign(fake.webhook, { url: URL });
    expect(await probe()).toMatchObject([{ status: "ok" }]);
  });

  it("tells what went wrong at the last delivery, without the token that it may repeat", async () => {
    Object.assign(fake.webhook, {
      url: URL,
      lastError: { date: 1_780_000_000, message: `Wrong response: 401 from /bot${BOT_TOKEN}/x` },
    });
    expect(await probe()).toMatchObject([
      { status: "ok" },
      {
        status: "warn",
        message:
          "the last delivery that failed at 2026-05-28T20:26:40.000Z: Wrong response: 401 from /bot***/x",
      },
    ]);
  });
});
