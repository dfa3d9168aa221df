import type { PlatformModule } from "../../src/ports/platform.ts";
import { WORDS } from "./explain.ts";
import {
  API_ROOT,
  NEEDS,
  OPTIONS,
  readSettings,
  type TelegramOptions,
  type TelegramSettings,
  VARIABLES,
} from "./settings.ts";

const LEARN_AGAIN_MS = 60_000;

export const telegram: PlatformModule<TelegramSettings, TelegramOptions> = {
  name: "telegram",
  label: "Telegram",
  isReadOnly: true,
  tenant: "Telegram bot id",
  variables: VARIABLES,
  needs: NEEDS,
  options: OPTIONS,
  speaksFirst: true,
  settings: readSettings,
  api: ({ apiRoot }) => apiRoot ?? API_ROOT,
  words: WORDS,
  example: "telegram --text \"it's 5 o'clock\" --print-curl | sh",
  setup: {
    what: "print the bot's webhook and commands, look at what it has, or set both with --apply",
    flags: [{ flag: "--prune", what: "with --apply: remove commands that the configuration does not name" }],
    examples: [
      "parley setup telegram --check",
      "parley setup telegram --url https://bot.example.com --apply --dry-run",
      "parley setup telegram --url https://bot.example.com --apply",
    ],
    open: async (context) => (await import("./setup.ts")).openSetup(context),
  },
  sampler: async () => (await import("./sending.ts")).sending,
  stub: async () => (await import("./stub.ts")).stub,
  async open({ settings, options: { preview }, publicUrl, clock, linkHosts, timeoutMs }) {
    const { createTelegramAdapter, learnUsername } = await import("./adapter.ts");
    const { botToken, webhookSecrets, apiRoot } = settings;
    const identity = { username: null as string | null };
    const options = {
      botToken,
      webhookSecrets,
      ...(apiRoot !== null && { apiRoot }),
      identity,
      publicUrl,
      preview,
      linkHosts,
      clock,
      timeoutMs,
    };
    return {
      ...createTelegramAdapter(options),
      async start(signal) {
        for (let attempt = 0; identity.username === null && !signal.aborted; attempt++) {
          if (attempt > 0) await clock.sleep(LEARN_AGAIN_MS, signal).catch(() => {});
          identity.username = await learnUsername(options, signal);
        }
      },
    };
  },
};
