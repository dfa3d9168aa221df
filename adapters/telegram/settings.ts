import type { z } from "zod";
import type { EnvReader } from "../../src/ports/env-reader.ts";
import type { PlatformSettings } from "../../src/ports/platform.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { plain, secret } from "../../src/shared/variable.ts";
import { previewOption } from "../shared/preview-option.ts";
import { asList, withoutSlash } from "../shared/settings.ts";

export interface TelegramSettings extends PlatformSettings {
  readonly botToken: Secret;
  /** One at most, of two values during a rotation. */
  readonly webhookSecrets: readonly Secret[];
  readonly apiRoot: string | null;
}

export type TelegramOptions = z.output<z.ZodObject<typeof OPTIONS>>;
export const OPTIONS = {
  preview: previewOption(
    "direct",
    "Where an answer is shown while it grows: in private chats, in groups too, or nowhere.",
  ),
};

export const VARIABLES = [
  secret(
    "TELEGRAM_WEBHOOK_SECRET",
    "Checks that a request comes from Telegram; 16 to 256 characters; two during a rotation",
    {
      form: {
        charsMin: 16,
        charsMax: 256,
        pattern: /^[A-Za-z0-9_-]*$/,
        words: "16 to 256 of A-Z, a-z, 0-9, _ and -",
      },
      isPair: true,
      isOwn: true,
    },
  ),
  secret("TELEGRAM_BOT_TOKEN", "Sends to Telegram", {
    form: { pattern: /^[^\s/?#]+$/, words: "a token without spaces or slashes" },
  }),
  plain("TELEGRAM_API_ROOT", "Where the Telegram API is. Default https://api.telegram.org"),
];

export const NEEDS = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"];

export const API_ROOT = "https://api.telegram.org";

export function readSettings(env: EnvReader): TelegramSettings | null {
  const botToken = env.secret("TELEGRAM_BOT_TOKEN");
  const webhookSecrets = asList(env.guard("TELEGRAM_WEBHOOK_SECRET"));
  const apiRoot = withoutSlash(env.url("TELEGRAM_API_ROOT"));
  if (botToken === null || webhookSecrets.length === 0) return null;
  return { kind: "on", botToken, webhookSecrets, apiRoot };
}
