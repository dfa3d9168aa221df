import { z } from "zod";
import type { EnvReader } from "../../src/ports/env-reader.ts";
import type { PlatformSettings } from "../../src/ports/platform.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { atLeast, type Form, ID, plain, secret, TOKEN } from "../../src/shared/variable.ts";
import { CHANGE_OPTIONS } from "../shared/change-options.ts";
import { formsOption } from "../shared/forms.ts";
import { MENTIONS_OPTION } from "../shared/mentions-option.ts";
import { previewOption } from "../shared/preview-option.ts";
import { reactionsOption } from "../shared/reactions.ts";
import { asList, withoutSlash } from "../shared/settings.ts";
import { appOption } from "./app-options.ts";
import { SLACK_FIELDS } from "./forms.ts";

export interface SlackSettings extends PlatformSettings {
  /** One, of two values during a rotation; none where Slack is heard over Socket Mode alone. */
  readonly signingSecrets: readonly Secret[];
  /** Null: workspaces install the app themselves. */
  readonly botToken: Secret | null;
  /** Null: they cannot. */
  readonly oauth: { readonly clientId: string; readonly clientSecret: Secret } | null;
  readonly appToken: Secret | null;
  /** Null: not said. */
  readonly appId: string | null;
  /** Ends in a slash; null: Slack's own. */
  readonly apiUrl: string | null;
}

/** The others that Slack gives out open nothing here. */
const APP_TOKEN: Form = { pattern: /^xapp-\S+$/, words: "an app-level token: xapp- and no spaces" };

export const VARIABLES = [
  secret(
    "SLACK_SIGNING_SECRET",
    "Checks that a request comes from Slack; at least 32 characters; two during a rotation",
    { form: atLeast(32), isPair: true },
  ),
  secret("SLACK_BOT_TOKEN", "Sends to Slack (xoxb-…)", { form: TOKEN }),
  secret(
    "SLACK_APP_TOKEN",
    "Socket Mode: Slack is heard over connections of Parley's own (xapp-…), and needs no SLACK_SIGNING_SECRET",
    { form: APP_TOKEN, insteadOf: "SLACK_SIGNING_SECRET" },
  ),
  plain("SLACK_CLIENT_ID", "Lets workspaces install the app themselves, at /slack/install", {
    form: { pattern: /^[0-9A-Za-z._-]{1,100}$/, words: "the client id of the app" },
    beside: ["SLACK_CLIENT_SECRET", "PARLEY_ENCRYPTION_KEY"],
  }),
  secret("SLACK_CLIENT_SECRET", "Exchanges what Slack gives to whoever installs it for a token", {
    form: TOKEN,
    beside: ["SLACK_CLIENT_ID"],
  }),
  plain(
    "SLACK_APP_ID",
    "The Slack app; what another one delivers is then ignored. Without it, none is told apart",
    { form: ID },
  ),
  plain("SLACK_API_URL", "Where the Slack API is. Default https://slack.com/api/"),
  secret(
    "SLACK_CONFIG_TOKEN",
    "Lets `parley setup slack --apply` change the app's manifest (an app configuration token, xoxe.xoxp-…); the gateway needs none",
    { form: TOKEN, isOfCommands: true },
  ),
];

export const NEEDS = ["SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN"];

export const API_URL = "https://slack.com/api/";

export function readSettings(env: EnvReader): SlackSettings | null {
  const signingSecrets = asList(env.guard("SLACK_SIGNING_SECRET"));
  const botToken = env.secret("SLACK_BOT_TOKEN");
  const appToken = env.secret("SLACK_APP_TOKEN");
  const appId = env.matching("SLACK_APP_ID");
  const apiUrl = env.url("SLACK_API_URL");
  const clientId = env.matching("SLACK_CLIENT_ID");
  const clientSecret = env.secret("SLACK_CLIENT_SECRET");
  const oauth = clientId === null || clientSecret === null ? null : { clientId, clientSecret };
  if ((signingSecrets.length === 0 && appToken === null) || (botToken === null && oauth === null))
    return null;
  return {
    kind: "on",
    signingSecrets,
    botToken,
    oauth,
    appToken,
    appId,
    apiUrl: apiUrl === null ? null : `${withoutSlash(apiUrl)}/`,
  };
}

export type SlackOptions = z.output<z.ZodObject<typeof OPTIONS>>;
export const OPTIONS = {
  command_replies: z
    .enum(["ephemeral", "in_channel"])
    .default("ephemeral")
    .describe("Who sees the answer to a slash command: the person, or the channel."),
  dm_replies: z
    .enum(["thread", "flat"])
    .default("thread")
    .describe("In direct messages: answer in a thread, or below each other."),
  ...CHANGE_OPTIONS,
  ...MENTIONS_OPTION,
  reactions: reactionsOption(
    ["+1", "thumbsup", "white_check_mark", "heavy_check_mark"],
    ["-1", "thumbsdown", "x"],
  ),
  app: appOption,
  forms: formsOption(SLACK_FIELDS),
  home: z
    .strictObject({
      show: z
        .enum(["on", "off"])
        .default("on")
        .describe("Whether the home tab is filled when somebody opens it."),
      text: z
        .string()
        .min(1)
        .max(2_900)
        .default(
          "Name me in a channel, write to me in *Messages*, or use my command. `!help` says what else I know.",
        )
        .describe(
          "What it says, in Slack's mrkdwn; below it what the person has used today, and a button to forget.",
        ),
    })
    .prefault({}),
  assistant: z
    .strictObject({
      prompts: z
        .array(
          z.strictObject({
            title: z.string().min(1).max(75).describe("On the button."),
            message: z.string().min(1).max(3_000).describe("What is said with it."),
          }),
        )
        .max(4)
        .default([])
        .describe("Offered in a new thread of the assistant's pane."),
      titles: z
        .boolean()
        .default(true)
        .describe("Threads of the pane are called by the first words of their first message."),
      pane: z
        .enum(["auto", "on", "off"])
        .default("auto")
        .describe("Whether `parley setup slack` gives the app the pane; auto: where there are prompts."),
    })
    .prefault({}),
  names: z
    .enum(["on", "off"])
    .default("on")
    .describe("Whether people, channels and groups that are named by id are looked up, for the model."),
  preview: previewOption(
    "on",
    "Where an answer is shown while it grows, as a stream where Slack takes one: everywhere, in direct messages alone, or nowhere.",
  ),
  thread_context: z
    .strictObject({
      messages: z
        .int()
        .min(0)
        .max(1_000)
        .default(50)
        .describe("The first message and the newest, so many in all; 0: none is read."),
      characters: z.int().min(100).max(200_000).default(20_000).describe("Of all of them together."),
      wait_seconds: z
        .int()
        .min(1)
        .max(60)
        .default(5)
        .describe("How long a run waits for Slack to give them; then it goes on without."),
    })
    .prefault({})
    .describe("What is read of a thread that the bot comes into, and shown to the agent."),
};
