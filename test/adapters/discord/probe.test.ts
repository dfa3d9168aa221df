import { afterEach, describe, expect, it } from "vitest";
import { createDiscordAdapter, type DiscordOptions } from "../../../adapters/discord/adapter.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { type FakeDiscord, fakeDiscord } from "../../fakes/discord.ts";
import { FakeClock } from "../../support/clock.ts";
import { OTHER_PUBLIC_KEY, PUBLIC_KEY } from "./fixture.ts";

let fake: FakeDiscord;
afterEach(() => fake.close());

async function probe(
  over: Partial<DiscordOptions>,
  application: { id: string; verify_key: string; flags?: number } = { id: "900", verify_key: PUBLIC_KEY },
  servers: readonly (bigint | undefined)[] = [],
) {
  fake = await fakeDiscord({ botToken: "token", application });
  for (const [at, permissions] of servers.entries())
    fake.guilds.set(String(10 + at), {
      ...{ channels: [], roles: [], members: {} },
      ...(permissions !== undefined && { permissions }),
    });
  const adapter = createDiscordAdapter({
    publicKeys: [PUBLIC_KEY],
    botToken: new Secret("token"),
    applicationId: "900",
    apiUrl: fake.apiUrl,
    clock: { nowMs: () => 0, sleep: async () => {} },
    timeoutMs: 5_000,
    random: () => 0,
    ...over,
  });
  return await adapter.probe?.(new AbortController().signal);
}

describe("a look at Discord", () => {
  it("finds nothing where token, id and key are of one application", async () => {
    expect(await probe({})).toMatchObject([{ status: "ok" }]);
    await fake.close();
    const rotated = { publicKeys: [OTHER_PUBLIC_KEY, PUBLIC_KEY.toUpperCase()] };
    expect(await probe(rotated)).toMatchObject([{ status: "ok" }]);
  });

  it("finds the token of another application, and the key of another", async () => {
    const other = { id: "901", verify_key: OTHER_PUBLIC_KEY };
    expect(await probe({}, other)).toMatchObject([
      { status: "ok" },
      { code: "PLATFORM_MISMATCH", message: expect.stringContaining("DISCORD_APPLICATION_ID") },
      { code: "PLATFORM_MISMATCH", message: expect.stringContaining("DISCORD_PUBLIC_KEY") },
    ]);
  });

  it("looks whether what is written may be read, where it is to be heard", async () => {
    const gateway = {
      clock: new FakeClock(),
      replies: "reply",
      changes: { edits: "ignore", deletes: "forget" },
    } as const;
    const application = (flags: number) => ({ id: "900", verify_key: OTHER_PUBLIC_KEY, flags });
    // Without a webhook no key is looked at.
    expect(await probe({ gateway, publicKeys: [] }, application(0))).toMatchObject([
      { status: "ok" },
      { status: "warn", message: expect.stringContaining("Message Content Intent is off") },
    ]);
    for (const flags of [1 << 18, 1 << 19]) {
      await fake.close();
      expect(await probe({ gateway, publicKeys: [] }, application(flags))).toMatchObject([{ status: "ok" }]);
    }
    await fake.close();
    expect(await probe({}, { ...application(0), verify_key: PUBLIC_KEY })).toMatchObject([{ status: "ok" }]);
  });

  it("counts the servers where embeds are to be shown and the bot may show none", async () => {
    const [may, mayNot, administers] = [(1n << 14n) | (1n << 11n), 1n << 11n, 1n << 3n];
    const servers = [may, mayNot, administers, undefined, mayNot];
    expect(await probe({ structured: "embeds" }, undefined, servers)).toMatchObject([
      { status: "ok" },
      { status: "warn", message: expect.stringContaining("no right to Embed Links in 2 of 5 servers") },
    ]);
    await fake.close();
    expect(await probe({ structured: "embeds" }, undefined, [may, administers])).toMatchObject([
      { status: "ok" },
    ]);
    await fake.close();
    expect(await probe({}, undefined, servers)).toMatchObject([{ status: "ok" }]);
    expect(fake.calls.some(({ path }) => path.includes("guilds"))).toBe(false);
  });

  it("without a bot token only asks whether somebody answers", async () => {
    expect(await probe({ botToken: null })).toMatchObject([{ status: "ok", message: "its API answers" }]);
    expect(fake.calls.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ["/api/v10/gateway", undefined],
    ]);
  });
});
