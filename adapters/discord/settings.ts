import { z } from "zod";
import type { EnvReader } from "../../src/ports/env-reader.ts";
import type { PlatformSettings } from "../../src/ports/platform.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { ID, plain, secret, TOKEN } from "../../src/shared/variable.ts";
import { CHANGE_OPTIONS } from "../shared/change-options.ts";
import { formsOption } from "../shared/forms.ts";
import { MENTIONS_OPTION } from "../shared/mentions-option.ts";
import { previewOption } from "../shared/preview-option.ts";
import { reactionsOption } from "../shared/reactions.ts";
import { withoutSlash } from "../shared/settings.ts";
import { appOption } from "./app-options.ts";
import { DISCORD_FIELDS } from "./forms.ts";

export interface DiscordSettings extends PlatformSettings {
  /** 64 hex digits each; two during a rotation. None: nobody may post here. */
  readonly publicKeys: readonly string[];
  /** Null: whichever the bot belongs to. */
  readonly applicationId: string | null;
  /** Null: an answer can only follow its command, for 15 minutes. */
  readonly botToken: Secret | null;
  /** Whether what is merely written is heard, over the Gateway. */
  readonly gateway: boolean;
  readonly apiUrl: string | null;
}

const value = z.union([z.string().min(1).max(100), z.number()]);
const labelled = z.strictObject({ name: z.string().min(1).max(100), value });

const source = z
  .strictObject({
    agent: z.string().min(1).max(63).describe("Whose tool it is."),
    tool: z
      .string()
      .min(1)
      .max(64)
      .describe("A tool that only reads, as the agent calls it: `deploys__services`."),
    arguments: z
      .record(z.string().min(1).max(100), z.union([z.string().max(1_000), z.number(), z.boolean()]))
      .default({})
      .describe("Of the call; `{typed}` stands for what was typed so far."),
  })
  .describe("A tool of an agent that is asked for choices: a list in JSON, or one choice a line.");

export type DiscordOptions = z.output<z.ZodObject<typeof OPTIONS>>;
export const OPTIONS = {
  preview: previewOption(
    "on",
    "Where an answer is shown while it grows: everywhere, in direct messages alone, or nowhere.",
  ),
  structured: z
    .enum(["text", "embeds"])
    .default("text")
    .describe(
      "What tables of an answer are: text, or embeds, which the bot needs the right Embed Links for, and which people may have switched off.",
    ),
  command_replies: z
    .enum(["in_channel", "ephemeral"])
    .default("in_channel")
    .describe("Who sees the answer to a command: the channel, or the person alone."),
  forms: formsOption(DISCORD_FIELDS),
  app: appOption,
  replies: z
    .enum(["reply", "thread"])
    .default("reply")
    .describe("A mention in a channel is answered beneath it, or in a thread that is opened from it."),
  names: z
    .enum(["on", "off"])
    .default("on")
    .describe("Whether channels, roles and people that are named by id are looked up, for the model."),
  ...CHANGE_OPTIONS,
  ...MENTIONS_OPTION,
  reactions: reactionsOption(["👍", "✅"], ["👎", "❌"]),
  autocomplete: z
    .strictObject({
      recent: z
        .int()
        .min(0)
        .max(25)
        .default(10)
        .describe("So many of a person's own latest values are offered first; 0: none."),
      choices: z
        .array(
          z
            .strictObject({
              command: z.string().min(1).max(120).describe("With its sub-commands: `/deploy run`."),
              option: z.string().min(1).max(32).describe("The option's name."),
              values: z
                .array(z.union([value, labelled]))
                .max(1_000)
                .default([]),
              from: source.optional(),
            })
            .refine(({ values, from }) => values.length > 0 || from !== undefined, {
              message: "expected a value, or from, got neither",
              path: ["values"],
            }),
        )
        .max(200)
        .default([]),
    })
    .prefault({})
    .describe("What is offered while somebody fills in an option that has `autocomplete`."),
};

export const VARIABLES = [
  plain(
    "DISCORD_PUBLIC_KEY",
    "Checks that a request comes from Discord; 64 hex digits; two during a rotation",
    {
      form: { charsMin: 64, charsMax: 64, pattern: /^[0-9a-f]*$/i, words: "64 hex digits" },
      isPair: true,
    },
  ),
  plain("DISCORD_APPLICATION_ID", "The Discord application", { form: ID }),
  secret(
    "DISCORD_BOT_TOKEN",
    "Hears and answers what is written in Discord, over the Gateway; on by itself. Also sends when the answer to a command comes too late",
    { form: TOKEN, without: "be chatted with, and not answer later than 15 minutes" },
  ),
  plain("DISCORD_GATEWAY", "on or off: whether to hear what is written. Default on with a bot token", {
    form: { pattern: /^(?:on|off|true|false|yes|no|1|0)$/i, words: "on or off" },
  }),
  plain("DISCORD_API_URL", "Where the Discord API is. Default https://discord.com/api"),
  secret("DISCORD_PRIVATE_SEED", "Signs what parley send discord sends; the gateway does not read it", {
    isOfCommands: true,
  }),
];

export const NEEDS = ["DISCORD_PUBLIC_KEY", "DISCORD_APPLICATION_ID"];

export const API_URL = "https://discord.com/api";

export function readSettings(env: EnvReader): DiscordSettings | null {
  const publicKeys = env.guards("DISCORD_PUBLIC_KEY");
  const applicationId = env.matching("DISCORD_APPLICATION_ID");
  const botToken = env.secret("DISCORD_BOT_TOKEN");
  const apiUrl = withoutSlash(env.url("DISCORD_API_URL"));
  const wanted = env.matching("DISCORD_GATEWAY") ?? "on";
  const gateway = botToken !== null && !/^(?:off|false|no|0)$/i.test(wanted);
  const hasWebhook = publicKeys.length > 0 && (applicationId !== null || botToken !== null);
  if (!gateway && !hasWebhook) return null;
  return { kind: "on", publicKeys, applicationId, botToken, gateway, apiUrl };
}
