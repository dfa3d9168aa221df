import { createTelegramAdapter, type TelegramOptions } from "../../../adapters/telegram/adapter.ts";
import { type FakeTelegram, fakeTelegram } from "../../fakes/telegram.ts";
import { BOT_TOKEN, NOW_MS, secretOf, WEBHOOK_SECRET } from "./setup.ts";

/** The fake of the one bot that these tests know. */
export function openFake(): Promise<FakeTelegram> {
  return fakeTelegram({ token: BOT_TOKEN, username: "gw_bot" });
}

/** Its options against a fake; each may be another. The clock sleeps for ever. */
export function optionsFor(fake: { url: string }, over: Partial<TelegramOptions> = {}): TelegramOptions {
  return {
    botToken: secretOf(BOT_TOKEN),
    webhookSecrets: [secretOf(WEBHOOK_SECRET)],
    identity: { username: "gw_bot" },
    apiRoot: fake.url,
    clock: { sleep: untilAborted, nowMs: () => NOW_MS },
    timeoutMs: 15_000,
    ...over,
  };
}

export function adapterFor(fake: { url: string }, over: Partial<TelegramOptions> = {}) {
  return createTelegramAdapter(optionsFor(fake, over));
}

function untilAborted(_: number, signal?: AbortSignal): Promise<void> {
  return new Promise((_resolve, reject) => {
    const stop = () => reject(signal?.reason as Error);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
}
