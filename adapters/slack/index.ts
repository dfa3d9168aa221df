import type { PlatformModule } from "../../src/ports/platform.ts";
import { WORDS } from "./explain.ts";
import { configuredBy, featuresOf } from "./features.ts";
import {
  API_URL,
  NEEDS,
  OPTIONS,
  readSettings,
  type SlackOptions,
  type SlackSettings,
  VARIABLES,
} from "./settings.ts";

/** The first wait after a failure, which events wait too; later ones are longer. */
const LEARN_AGAIN_MS = 2_000;
const LEARN_AGAIN_MS_MAX = 60_000;

export const slack: PlatformModule<SlackSettings, SlackOptions> = {
  name: "slack",
  label: "Slack",
  tenant: "Slack team",
  variables: VARIABLES,
  needs: NEEDS,
  options: OPTIONS,
  speaksFirst: true,
  knowsRoles: true,
  settings: readSettings,
  api: ({ apiUrl }) => apiUrl ?? API_URL,
  words: WORDS,
  example: 'slack --kind slash --text "deploy api"',
  sampler: async () => (await import("./sending.ts")).sending,
  stub: async () => (await import("./stub.ts")).stub,
  setup: {
    what: "print the app's manifest, look at the app that there is, or change its manifest with --apply",
    flags: [
      { flag: "--app <id>", what: "the app to change (default: SLACK_APP_ID)" },
      { flag: "--socket-mode", what: "for Socket Mode, also where SLACK_APP_TOKEN is not set yet" },
      {
        flag: "--many-workspaces",
        what: "for an app that workspaces install themselves, also where SLACK_CLIENT_ID is not set yet",
      },
    ],
    examples: [
      "parley setup slack --url https://bot.example.com > manifest.yaml",
      "parley setup slack --check",
      "SLACK_CONFIG_TOKEN=xoxe.xoxp-… parley setup slack --app A0123456789 --apply",
    ],
    open: async (context) => (await import("./setup.ts")).openSetup(context),
  },
  async open({ settings, options, clock, linkHosts, random, timeoutMs, publicUrl, kept, goesByRoles }) {
    const { createSlackAdapter } = await import("./adapter.ts");
    const { signingSecrets, botToken, appToken, appId, apiUrl, oauth } = settings;
    const socketMode = appToken === null ? null : await import("./socket.ts");
    const { thread_context: thread } = options;
    const features = featuresOf(configuredBy(settings, options, goesByRoles === true));
    const { learn, ...adapter } = createSlackAdapter({
      signingSecrets,
      ...(botToken !== null && { botToken }),
      ...(oauth !== null && { oauth: { oauth, features, publicUrl, kept } }),
      ...(appId !== null && { appId }),
      ...(apiUrl !== null && { apiUrl }),
      commandReplies: options.command_replies,
      dmReplies: options.dm_replies,
      surfaces: {
        homeText: options.home.show === "on" ? options.home.text : null,
        prompts: options.assistant.prompts,
        titles: options.assistant.titles,
      },
      forms: options.forms,
      changes: { edits: options.edits, deletes: options.deletes },
      preview: options.preview,
      mentions: options.mentions,
      reactions: options.reactions,
      ...(appToken !== null &&
        socketMode !== null && {
          socketOf: (parsing) =>
            socketMode.createSlackSocket({ appToken, apiUrl, timeoutMs, clock, random }, parsing),
        }),
      learns: true,
      ...(options.names === "on" && { names: { kept } }),
      ...(thread.messages > 0 && {
        threadLimits: {
          messages: thread.messages,
          characters: thread.characters,
          waitMs: thread.wait_seconds * 1000,
        },
      }),
      linkHosts,
      clock,
      timeoutMs,
    });
    return {
      ...adapter,
      async start(signal) {
        for (let delayMs = LEARN_AGAIN_MS; !signal.aborted && !(await learn(signal)); ) {
          await clock.sleep(delayMs, signal).catch(() => {});
          delayMs = Math.min(delayMs * 2, LEARN_AGAIN_MS_MAX);
        }
      },
    };
  },
};
