import type { PlatformModule } from "../../src/ports/platform.ts";
import { WORDS } from "./explain.ts";
import {
  API_URL,
  NEEDS,
  OPTIONS,
  readSettings,
  VARIABLES,
  type WhatsAppOptions,
  type WhatsAppSettings,
} from "./settings.ts";

export const whatsapp: PlatformModule<WhatsAppSettings, WhatsAppOptions> = {
  name: "whatsapp",
  label: "WhatsApp",
  isReadOnly: true,
  tenant: "WhatsApp business account",
  variables: VARIABLES,
  needs: NEEDS,
  options: OPTIONS,
  settings: readSettings,
  api: ({ apiUrl }) => apiUrl ?? API_URL,
  words: WORDS,
  setup: {
    what: "print the app's webhook, look at token, app and business account, or set the webhook with --apply",
    flags: [
      {
        flag: "--waba-id <id>",
        what: "the WhatsApp Business Account (default: the token's that has the number)",
      },
    ],
    examples: [
      "parley setup whatsapp --check",
      "parley setup whatsapp --url https://bot.example.com --apply --dry-run",
      "parley setup whatsapp --url https://bot.example.com --apply",
    ],
    open: async (context) => (await import("./setup.ts")).openSetup(context),
  },
  sampler: async () => (await import("./sending.ts")).sending,
  stub: async () => (await import("./stub.ts")).stub,
  async open({ settings, options, clock, linkHosts, timeoutMs }) {
    const { createWhatsAppAdapter } = await import("./adapter.ts");
    const { accessToken, appSecrets, verifyToken, phoneNumberId, apiUrl } = settings;
    return createWhatsAppAdapter({
      accessToken,
      appSecrets,
      verifyToken,
      phoneNumberId,
      ...(apiUrl !== null && { apiUrl }),
      apiVersion: options.api_version,
      linkHosts,
      clock,
      timeoutMs,
    });
  },
};
