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
  speaksFirst: true,
  choiceSources: ({ autocomplete }) =>
    autocomplete.choices.flatMap(({ from }, i) =>
      from === undefined ? [] : [{ path: ["autocomplete", "choices", i, "from"], source: from }],
    ),
  settings: readSettings,
  api: ({ apiUrl }) => apiUrl ?? API_URL,
  words: WORDS,
  example: "discord --generate-key",
  sampler: async () => (await import("./sending.ts")).sending,
  stub: async () => (await import("./stub.ts")).stub,
  setup: {
    what: "print the app's commands, look at the app that there is, or register them with --apply",
    flags: [
      { flag: "--app <id>", what: "the application (default: DISCORD_APPLICATION_ID, or the token's)" },
      { flag: "--guild <id>", what: "for one server alone, where they are there at once" },
      { flag: "--prune", what: "with --apply: remove commands that the configuration does not name" },
    ],
    examples: [
      "parley setup discord --check",
      "parley setup discord --apply --dry-run",
      "parley setup discord --apply --guild 1017000000000000000",
    ],
    open: async (context) => (await import("./setup.ts")).openSetup(context),
  },
  async open({ settings, options, clock, linkHosts, random, timeoutMs, publicUrl, kept }) {
    const { createDiscordAdapter } = await import("./adapter.ts");
    const { publicKeys, applicationId, botToken, apiUrl, gateway } = settings;
    const { replies, edits, deletes } = options;
    return createDiscordAdapter({
      publicKeys,
      ...(applicationId !== null && { applicationId }),
      botToken,
      ...(gateway && { gateway: { clock, replies, changes: { edits, deletes } } }),
      ...(apiUrl !== null && { apiUrl }),
      publicUrl,
      preview: options.preview,
      mentions: options.mentions,
      ...(options.names === "on" && { names: { kept } }),
      reactions: options.reactions,
      structured: options.structured,
      commandReplies: options.command_replies,
      autocomplete: options.autocomplete,
      forms: options.forms,
      linkHosts,
      clock,
      random,
      timeoutMs,
    });
  },
};
