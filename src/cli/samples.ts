import { discordSampler } from "../../adapters/discord/sample.ts";
import type { SampleOptions, SampleRequest } from "../../adapters/shared/sample.ts";
import { slackSampler } from "../../adapters/slack/sample.ts";
import { telegramSampler } from "../../adapters/telegram/sample.ts";
import { testSampler } from "../../adapters/test/sample.ts";
import { whatsAppSampler } from "../../adapters/whatsapp/sample.ts";
import type { Platform } from "../domain/event.ts";
import type { EnvReader } from "../ports/platform.ts";

/** How `send` makes the webhooks of a platform. */
export interface Sample {
  readonly kinds: readonly string[];
  /** The variable whose value signs. */
  readonly secretVariable: (kind: string) => string;
  /** False: the webhook may be open. */
  readonly needsSecret: boolean;
  /** Throws TypeError or RangeError with an explanation when an option does not fit. */
  readonly build: (options: SampleOptions, env: EnvReader) => SampleRequest;
}

export const SAMPLES: Readonly<Record<Platform, Sample>> = {
  slack: {
    kinds: slackSampler.kinds,
    secretVariable: () => "SLACK_SIGNING_SECRET",
    needsSecret: true,
    build: (options) => slackSampler.build(options),
  },
  discord: {
    kinds: discordSampler.kinds,
    secretVariable: () => "DISCORD_PRIVATE_SEED",
    needsSecret: true,
    build(options, env) {
      const applicationId = env.text("DISCORD_APPLICATION_ID");
      return discordSampler.build({ ...options, ...(applicationId !== null && { applicationId }) });
    },
  },
  telegram: {
    kinds: telegramSampler.kinds,
    secretVariable: () => "TELEGRAM_WEBHOOK_SECRET",
    needsSecret: true,
    build: (options) => telegramSampler.build(options),
  },
  whatsapp: {
    kinds: whatsAppSampler.kinds,
    secretVariable: (kind) => (kind === "verify" ? "WHATSAPP_VERIFY_TOKEN" : "WHATSAPP_APP_SECRET"),
    needsSecret: true,
    build(options, env) {
      const channel = options.channel ?? env.text("WHATSAPP_PHONE_NUMBER_ID");
      return whatsAppSampler.build({ ...options, ...(channel !== null && { channel }) });
    },
  },
  test: {
    kinds: testSampler.kinds,
    secretVariable: () => "PARLEY_DEV_KEY",
    needsSecret: false,
    build: (options) => testSampler.build(options),
  },
};
