import { createPrivateKey, sign } from "node:crypto";
import nacl from "tweetnacl";
import { discordSampler } from "../../adapters/discord/sample.ts";
import type { Sampler } from "../../adapters/shared/sample.ts";

/** Secrets of no worth, as long as real ones, and like no word of a message: such a message costs more. */
export const KEYS = {
  slack: "5ad0c7be91f64d2e8c3f70b6a1e94d58",
  telegram: "wh_7Qd2mXk9TzB4pLr8YcV1nHs6",
  whatsapp: "c41f0e9ab83d5762fd109b7a64e3c825",
  discordSeed: "42".repeat(32),
} as const;

export function secretsOf(): Record<string, string> {
  const { publicKey } = nacl.sign.keyPair.fromSeed(Buffer.from(KEYS.discordSeed, "hex"));
  return {
    SLACK_SIGNING_SECRET: KEYS.slack,
    SLACK_BOT_TOKEN: "xoxb-1111111111-2222222222-Zq8LmT4xVb7KpR2cWd9HsYf3",
    TELEGRAM_BOT_TOKEN: "123456:AAF3kd8Vw2QzXr7LmTb4YpNc9HsGe1JuKoR",
    TELEGRAM_WEBHOOK_SECRET: KEYS.telegram,
    WHATSAPP_ACCESS_TOKEN: "EAAGm0PX4ZCpsBAKd83hZQwNfT7uLr2v",
    WHATSAPP_APP_SECRET: KEYS.whatsapp,
    WHATSAPP_VERIFY_TOKEN: "vt_83hdk27fnq0s6",
    WHATSAPP_PHONE_NUMBER_ID: "PN1",
    DISCORD_PUBLIC_KEY: Buffer.from(publicKey).toString("hex"),
    DISCORD_APPLICATION_ID: "900",
    DISCORD_BOT_TOKEN: "OTAw.GkL9xQ.w8Vt2RzNc5YpKm7LsHd1JbFe4XuQaTo0",
    SLACK_API_URL: "http://127.0.0.1:9/api/",
    TELEGRAM_API_ROOT: "http://127.0.0.1:9",
    WHATSAPP_API_URL: "http://127.0.0.1:9",
    DISCORD_API_URL: "http://127.0.0.1:9/api",
  };
}

/** RFC 8410 wrapping of a raw Ed25519 seed. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** The Discord sampler with OpenSSL's signature: tweetnacl takes 10 ms for each, and a benchmark needs thousands. */
export const fastDiscordSampler: Sampler = {
  kinds: discordSampler.kinds,
  build(options) {
    template ??= discordSampler.build({ ...options, kind: "slash" });
    const timestamp = String(Math.floor(options.nowMs / 1000));
    const id = String((BigInt(options.nowMs - 1_420_070_400_000) << 22n) + BigInt(options.id.slice(-6)));
    const body = JSON.stringify({ ...JSON.parse(template.body), id, channel_id: options.channel });
    const signature = sign(null, Buffer.from(timestamp + body), privateKey).toString("hex");
    return {
      ...template,
      headers: { ...template.headers, "x-signature-ed25519": signature, "x-signature-timestamp": timestamp },
      body,
    };
  },
};

let template: ReturnType<typeof discordSampler.build> | undefined;
const privateKey = createPrivateKey({
  key: Buffer.concat([PKCS8_PREFIX, Buffer.from(KEYS.discordSeed, "hex")]),
  format: "der",
  type: "pkcs8",
});
