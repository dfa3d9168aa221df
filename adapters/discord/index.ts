import type { PlatformModule } from "../../src/ports/platform.ts";
import { WORDS } from "./explain.ts";
import {
  API_URL,
  type DiscordOptions,
  type DiscordSettings,
  NEEDS,
  OPTIONS,
  readSettings,
  VARIABLES,
} from "./settings.ts";

export const discord: PlatformModule<DiscordSettings, DiscordOptions> = {
  name: "discord",
  label: "Discord",
  tenant: "Discord server",
  variables: VARIABLES,
  needs: NEEDS,
  options: OPTIONS,
  knowsRoles: true,
  settings: readSettings,
  api: ({ apiUrl }) => apiUrl ?? API_URL,
  words: WORDS,
  example: "discord --generate-key",
  sampler: async () => (await import("./sending.ts")).sending,
  async open({ settings, options, clock, random, timeoutMs }) {
    const { createDiscordAdapter } = await import("./adapter.ts");
    const { publicKeys, applicationId, botToken, apiUrl, gateway } = settings;
    const { replies, edits, deletes } = options;
    return createDiscordAdapter({
      publicKeys,
      ...(applicationId !== null && { applicationId }),
      botToken,
      ...(gateway && { gateway: { clock, replies, changes: { edits, deletes } } }),
      ...(apiUrl !== null && { apiUrl }),
      preview: options.preview,
      commandReplies: options.command_replies,
      autocomplete: options.autocomplete,
      forms: options.forms,
      clock,
      random,
      timeoutMs,
    });
  },
};
