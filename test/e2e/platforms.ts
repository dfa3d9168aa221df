import nacl from "tweetnacl";
import { discordSampler } from "../../adapters/discord/sample.ts";
import type { SampleOptions, SampleRequest } from "../../adapters/shared/sample.ts";
import { slackSampler } from "../../adapters/slack/sample.ts";
import { telegramSampler } from "../../adapters/telegram/sample.ts";
import { whatsAppSampler } from "../../adapters/whatsapp/sample.ts";
import { discordRateLimit, type FakeDiscord, fakeDiscord } from "../fakes/discord.ts";
import type { FakeAnswer, FakeServer, Fault } from "../fakes/server.ts";
import { type FakeSlack, fakeSlack, slackRateLimited } from "../fakes/slack.ts";
import { type FakeTelegram, fakeTelegram, tooManyRequests } from "../fakes/telegram.ts";
import { type FakeWhatsApp, fakeWhatsApp } from "../fakes/whatsapp.ts";

export const CHAT_PLATFORMS = ["slack", "discord", "telegram", "whatsapp"] as const;
export type ChatPlatform = (typeof CHAT_PLATFORMS)[number];

const DISCORD_SEED = "5a".repeat(32);
const { publicKey, secretKey } = nacl.sign.keyPair.fromSeed(new Uint8Array(Buffer.from(DISCORD_SEED, "hex")));

/** None of these may ever be printed; each is odd enough to be found wherever it ends up. */
export const SECRETS = {
  SLACK_SIGNING_SECRET: "slack-signing-secret-f3a1-9c27e0",
  SLACK_BOT_TOKEN: "xoxb-slack-bot-token-77c2",
  DISCORD_BOT_TOKEN: "discord-bot-token-9d04",
  TELEGRAM_BOT_TOKEN: "77:telegram-bot-token-b5e8",
  TELEGRAM_WEBHOOK_SECRET: "telegram-webhook-secret-26aa",
  WHATSAPP_ACCESS_TOKEN: "whatsapp-access-token-e91f",
  WHATSAPP_APP_SECRET: "whatsapp-app-secret-40d7",
  WHATSAPP_VERIFY_TOKEN: "whatsapp-verify-token-c86b",
} as const;

export const SIGNING: Readonly<Record<ChatPlatform, string>> = {
  slack: SECRETS.SLACK_SIGNING_SECRET,
  discord: DISCORD_SEED,
  telegram: SECRETS.TELEGRAM_WEBHOOK_SECRET,
  whatsapp: SECRETS.WHATSAPP_APP_SECRET,
};

const SAMPLERS = {
  slack: slackSampler,
  discord: discordSampler,
  telegram: telegramSampler,
  whatsapp: whatsAppSampler,
};

/** The four chat platforms on loopback, and the environment that leads a gateway to them. */
export interface Platforms extends AsyncDisposable {
  readonly slack: FakeSlack;
  readonly discord: FakeDiscord;
  readonly telegram: FakeTelegram;
  readonly whatsapp: FakeWhatsApp;
  readonly env: Readonly<Record<string, string>>;
}

export async function openPlatforms(): Promise<Platforms> {
  const slack = await fakeSlack({ token: SECRETS.SLACK_BOT_TOKEN, nowMs: Date.now });
  const discord = await fakeDiscord({
    botToken: SECRETS.DISCORD_BOT_TOKEN,
    channelOf: (token) => channelOfInteraction.get(token) ?? "an interaction that nobody made",
  });
  const telegram = await fakeTelegram({ token: SECRETS.TELEGRAM_BOT_TOKEN, username: "gw_bot" });
  const whatsapp = await fakeWhatsApp({
    accessToken: SECRETS.WHATSAPP_ACCESS_TOKEN,
    appSecret: SECRETS.WHATSAPP_APP_SECRET,
    phoneNumberId: "PN1",
  });
  return {
    slack,
    discord,
    telegram,
    whatsapp,
    env: {
      ...SECRETS,
      DISCORD_PUBLIC_KEY: Buffer.from(publicKey).toString("hex"),
      DISCORD_APPLICATION_ID: "900",
      WHATSAPP_PHONE_NUMBER_ID: "PN1",
      SLACK_API_URL: slack.apiUrl,
      DISCORD_API_URL: discord.apiUrl,
      TELEGRAM_API_ROOT: telegram.url,
      WHATSAPP_API_URL: whatsapp.url,
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([slack, discord, telegram, whatsapp].map((fake) => fake.close()));
    },
  };
}

/** Discord knows from its own records where an interaction was made; the fake learns it from the samples. */
const channelOfInteraction = new Map<string, string>();
let lastId = 0;

export type MessageOptions = Pick<SampleOptions, "text"> &
  Partial<Pick<SampleOptions, "kind" | "id" | "nowMs" | "secret" | "user" | "channel" | "thread">>;

/** A webhook as the platform would sign it now, unlike any before it unless given an `id`. */
export function webhook(platform: ChatPlatform, options: MessageOptions): SampleRequest {
  const sampler = SAMPLERS[platform];
  const request = sampler.build({
    kind: sampler.kinds[0] ?? "",
    id: String(++lastId),
    nowMs: Date.now(),
    secret: SIGNING[platform],
    ...options,
  });
  if (platform === "discord") {
    const { token, channel_id } = JSON.parse(request.body);
    channelOfInteraction.set(token, channel_id);
  }
  return request;
}

/** What one person writes to the bot in private; each `person` is a conversation of its own. */
export function privateMessage(
  platform: ChatPlatform,
  { person, ...options }: { person: number } & Pick<MessageOptions, "text" | "id">,
): SampleRequest {
  const id = String(person);
  switch (platform) {
    case "slack":
      return webhook("slack", { kind: "dm", channel: `D${id}`, user: `U${id}`, ...options });
    case "discord":
    case "telegram":
      return webhook(platform, { channel: id, user: id, ...options });
    case "whatsapp":
      return webhook("whatsapp", { user: id, ...options });
  }
}

/** The headers that Discord would sign this body with now. */
export function discordSignature(body: string): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = nacl.sign.detached(new Uint8Array(Buffer.from(timestamp + body)), secretKey);
  return {
    "x-signature-timestamp": timestamp,
    "x-signature-ed25519": Buffer.from(signature).toString("hex"),
  };
}

interface Acknowledgement {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Sends a webhook as it is. Rejects when the gateway is not there, or takes longer than the sender is willing to wait. */
export async function deliver(
  url: string,
  request: SampleRequest,
  patienceMs?: number,
): Promise<Acknowledgement> {
  const { method, path, headers, body } = request;
  const response = await fetch(url + path, {
    method,
    headers,
    ...(method === "POST" && { body }),
    ...(patienceMs !== undefined && { signal: AbortSignal.timeout(patienceMs) }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** How each platform says "wait". */
export function tooMany(platform: ChatPlatform, seconds: number): FakeAnswer {
  switch (platform) {
    case "slack":
      return slackRateLimited(seconds);
    case "discord":
      return discordRateLimit(seconds);
    case "telegram":
      return tooManyRequests(seconds);
    case "whatsapp":
      return { status: 429, headers: { "retry-after": String(seconds) } };
  }
}

export function statusFault({ status = 200, body, headers }: FakeAnswer): Fault {
  return { kind: "status", status, body, ...(headers && { headers }) };
}

/** Waits until `look` finds something; looks again after each call that the platform gets. */
export async function seenOn<T>(fake: FakeServer, look: () => T | undefined): Promise<T> {
  await fake.until(() => look() !== undefined);
  const found = look();
  if (found === undefined) throw new Error("Expected what was seen to stay, got nothing at the second look");
  return found;
}

/** Where a long answer is cut, the space around the cut is lost; all else must be there. */
export function withoutSpace(text: string): string {
  return text.replaceAll(/\s/g, "");
}
