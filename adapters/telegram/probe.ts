import { quoted } from "../../src/domain/redact.ts";
import type { ProbeFinding } from "../../src/ports/adapter.ts";
import { getString } from "../../src/shared/json.ts";
import { doubtful, PROBE_TIMEOUT_MS, probed, well } from "../shared/probe.ts";
import type { TelegramClient } from "./api.ts";
import { failureOf } from "./failure.ts";
import { integer } from "./payload.ts";

const SETTINGS = { address: "TELEGRAM_API_ROOT", credential: "TELEGRAM_BOT_TOKEN" };

/** Of what Telegram says of a delivery that failed. */
const WORDS_CHARS_MAX = 200;

export interface ProbeOptions {
  readonly client: TelegramClient;
  readonly timeoutMs: number;
  /** Where Telegram is to deliver to; null: nobody has said. */
  readonly webhookUrl: string | null;
}

/** `getMe` tries the token; `getWebhookInfo` tells where updates go, and what went wrong there last. */
export async function probeTelegram(
  options: ProbeOptions,
  signal: AbortSignal,
): Promise<readonly ProbeFinding[]> {
  const limits = { timeoutMs: Math.min(options.timeoutMs, PROBE_TIMEOUT_MS) };
  return await probed(SETTINGS, async () => {
    const [me, webhook] = await Promise.all([
      options.client.call("getMe", {}, signal, limits),
      options.client.call("getWebhookInfo", {}, signal, limits).catch(() => null),
    ]);
    if (me.kind === "refused") throw failureOf("getMe", me);
    const found = webhook?.kind === "result" ? webhookFindings(webhook.value, options) : [];
    return [well("its API takes the bot token"), ...found];
  });
}

function webhookFindings(info: unknown, { webhookUrl }: ProbeOptions): readonly ProbeFinding[] {
  const url = getString(info, "url");
  if (url === undefined)
    return [doubtful("no webhook is set, so that no message arrives", "run parley setup telegram --apply")];
  const elsewhere =
    webhookUrl === null || url === webhookUrl
      ? []
      : // The address may hold a secret of somebody else, so it is not repeated.
        [
          doubtful(
            `the webhook leads to another address than ${webhookUrl}`,
            "run parley setup telegram --apply, or set PARLEY_PUBLIC_URL",
          ),
        ];
  const wrong = getString(info, "last_error_message");
  const atSeconds = integer(info, "last_error_date");
  const when =
    atSeconds === undefined ? "" : ` at ${new Date(Math.min(atSeconds, 4e9) * 1000).toISOString()}`;
  const failed =
    wrong === undefined
      ? []
      : [
          doubtful(
            `the last delivery that failed${when}: ${quoted(wrong.replaceAll(/\s+/g, " "), WORDS_CHARS_MAX)}`,
            "see whether it is over; the log has what was refused",
          ),
        ];
  return [...elsewhere, ...failed];
}
