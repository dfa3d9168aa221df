import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mintAddress } from "../../../adapters/discord/address.ts";
import { createRest } from "../../../adapters/discord/api.ts";
import { Channels } from "../../../adapters/discord/channels.ts";
import { HELD_AT, InvalidRequests, PROBE_EVERY_MS } from "../../../adapters/discord/invalid-requests.ts";
import { invalidRequestsReport } from "../../../src/app/invalid-requests.ts";
import { DeliveryError } from "../../../src/domain/errors.ts";
import type { Delivery, ReplyPart } from "../../../src/domain/reply.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { type FakeDiscord, fakeDiscord } from "../../fakes/discord.ts";
import { FakeClock } from "../../support/clock.ts";

const MINUTE_MS = 60_000;

describe("requests that Discord refuses", () => {
  let clock: FakeClock;
  let invalid: InvalidRequests;
  beforeEach(() => {
    clock = new FakeClock();
    invalid = new InvalidRequests(clock);
  });
  const answered = (status: number, times = 1, scope: string | null = null) => {
    for (let n = 0; n < times; n++) invalid.enter("call")(status, scope);
  };
  const isMade = () => {
    try {
      return invalid.enter("call");
    } catch (error) {
      expect(error).toMatchObject({ kind: "refused", retryAfterMs: expect.any(Number) });
      return null;
    }
  };

  it("are those with 401, 403 and 429 that are our own doing", () => {
    for (const status of [401, 403, 429]) answered(status);
    for (const status of [200, 204, 400, 404, 500, 503]) answered(status);
    answered(429, 1, "shared");
    expect(invalid.report().count).toBe(3);
  });

  it("count for ten minutes", () => {
    answered(403, 10);
    clock.advance(5 * MINUTE_MS);
    answered(403, 5);
    clock.advance(5 * MINUTE_MS + 6_000);
    expect(invalid.report().count).toBe(5);
    clock.advance(5 * MINUTE_MS + 6_000);
    expect(invalid.report().count).toBe(0);
  });

  it("from 5,000 on let one call through now and then, whose answer decides", () => {
    answered(403, HELD_AT);
    expect(invalid.report()).toMatchObject({ count: 5_000, isHeld: true });
    expect(isMade()).toBeNull();
    clock.advance(PROBE_EVERY_MS);
    const probe = isMade();
    expect(isMade()).toBeNull();
    probe?.(403, null);
    clock.advance(PROBE_EVERY_MS - 1);
    expect(isMade()).toBeNull();
    clock.advance(1);
    isMade()?.(200, null);
    expect(isMade()).not.toBeNull();
    expect(invalid.report().isHeld).toBe(false);
    answered(401);
    expect(isMade()).toBeNull();
  });

  it("that end while a call from before is on its way are not ended by that", () => {
    const before = isMade();
    answered(403, HELD_AT);
    before?.(200, null);
    expect(isMade()).toBeNull();
  });

  it("never come near to 10,000, however eager everybody is", () => {
    let made = 0;
    let most = 0;
    for (let ms = 0; ms < 40 * MINUTE_MS; ms += 60) {
      clock.advance(60);
      const one = isMade();
      if (one === null) continue;
      one(++made % 50 === 0 ? 200 : 403, null);
      most = Math.max(most, invalid.report().count);
    }
    expect(most).toBeGreaterThanOrEqual(HELD_AT);
    expect(most).toBeLessThan(HELD_AT + 2_500);
  });

  it("are told of from half of that on", () => {
    const of = { invalidRequests: () => invalid.report() };
    answered(403, 2_499);
    expect(invalidRequestsReport(of)).toBeNull();
    answered(403);
    expect(invalidRequestsReport(of)).toMatchObject({
      status: "degraded",
      code: "INVALID_REQUESTS",
      details: expect.stringContaining("2500 requests were refused"),
    });
    expect(invalidRequestsReport({})).toBeNull();
  });
});

describe("an answer that Discord may have taken", () => {
  let fake: FakeDiscord;
  beforeEach(async () => {
    fake = await fakeDiscord({ botToken: "token" });
  });
  afterEach(() => fake.close());

  it("is not looked for while nothing may be asked, so that it is not said twice, and found afterwards", async () => {
    const clock = new FakeClock(Date.now());
    const invalid = new InvalidRequests(clock);
    const { apiUrl } = fake;
    const rest = createRest({ botToken: new Secret("token"), apiUrl, timeoutMs: 5_000, clock, invalid });
    const channels = new Channels(rest, clock);
    const address = { kind: "message", id: fake.gateway.nextId(), channelId: "20", guildId: "10" } as const;
    const delivery: Delivery = {
      ...{ partId: "e1/0", to: mintAddress(address), part: "" as ReplyPart },
      ...{ index: 0, sendsBefore: 0, mayRepeat: false },
    };
    const signal = new AbortController().signal;
    const post = {
      content: "done",
      embedded: null,
      files: [],
      charsLeft: null,
      buttons: [],
      mentions: [],
      delivery,
      signal,
      permit: undefined,
    };
    fake.faults.push({ kind: "reset-after", match: ({ path }) => path.endsWith("/messages") });
    await expect(channels.post(address, post)).rejects.toBeInstanceOf(DeliveryError);
    expect(fake.messages).toHaveLength(1);

    // The nonce does not hold any more, and all has been refused meanwhile.
    clock.advance(3 * MINUTE_MS);
    for (let n = 0; n < HELD_AT; n++) invalid.enter("call")(403, null);
    const before = fake.calls.length;
    await expect(channels.recover(address, post)).rejects.toMatchObject({ kind: "refused" });
    await expect(channels.post(address, post)).rejects.toMatchObject({ kind: "refused" });
    expect(fake.calls).toHaveLength(before);
    expect(rest.invalidRequests()).toMatchObject({ count: HELD_AT, isHeld: true });
    clock.advance(PROBE_EVERY_MS);
    expect(await channels.recover(address, post)).toMatchObject({ messageId: fake.messages[0]?.id });
    expect(rest.invalidRequests().isHeld).toBe(false);
  });
});
