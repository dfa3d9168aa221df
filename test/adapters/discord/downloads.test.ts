import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createDiscordAdapter } from "../../../adapters/discord/adapter.ts";
import type { Attachment } from "../../../src/domain/attachment.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { discordFileUrl, type FakeDiscord, fakeDiscord } from "../../fakes/discord.ts";
import { PUBLIC_KEY } from "./fixture.ts";

const PATH = "/attachments/20/60/a.txt";

let fake: FakeDiscord;
let nowMs: number;
beforeEach(async () => {
  nowMs = Date.now();
  fake = await fakeDiscord({ botToken: "token", nowMs: () => nowMs });
});
afterEach(() => fake.close());

async function read(token: string | null): Promise<string> {
  const file = { bytes: Buffer.from("abc"), mime: "text/plain", expiresAtMs: nowMs + 60_000 };
  fake.files.set(PATH, file);
  const source = discordFileUrl(PATH, file);
  const attachment: Attachment = {
    id: "60",
    kind: "document",
    name: "a.txt",
    mime: "text/plain",
    sizeBytes: 3,
    source,
  };
  nowMs += 120_000;
  const { files } = createDiscordAdapter({
    publicKeys: [PUBLIC_KEY],
    botToken: token === null ? null : new Secret(token),
    apiUrl: fake.apiUrl,
    clock: { nowMs: () => nowMs, sleep: async () => {} },
    timeoutMs: 5_000,
    random: () => 0,
  });
  const asked = { file: attachment, signal: new AbortController().signal, timeoutMs: 5_000 };
  const bytes = await files?.open(asked as never);
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

const refreshes = () => fake.calls.filter(({ path }) => path.endsWith("/attachments/refresh-urls")).length;

describe("a file whose address has expired", () => {
  it("is read from a new one, for which the bot asks once", async () => {
    expect(await read("token")).toBe("abc");
    expect(refreshes()).toBe(1);
  });

  it.each([null, "revoked"])("is gone where there is no bot to ask for it (%s)", async (token) => {
    await expect(read(token)).rejects.toMatchObject({ fault: "gone" });
  });
});
