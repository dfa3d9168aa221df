import { z } from "zod";
import type { EnvReader } from "../../src/ports/env-reader.ts";
import type { PlatformSettings } from "../../src/ports/platform.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { ID, plain, secret, TOKEN } from "../../src/shared/variable.ts";
import { formsOption } from "../shared/forms.ts";
import { withoutSlash } from "../shared/settings.ts";
import { DISCORD_FIELDS } from "./forms.ts";

export interface DiscordSettings extends PlatformSettings {
  /** 64 hex digits each; two during a rotation. */
  readonly publicKeys: readonly string[];
  readonly applicationId: string;
  /** Null: an answer can only follow its command, for 15 minutes. */
  readonly botToken: Secret | null;
  readonly apiUrl: string | null;
}

const value = z.union([z.string().min(1).max(100), z.number()]);
const labelled = z.strictObject({ name: z.string().min(1).max(100), value });

export type DiscordOptions = z.output<z.ZodObject<typeof OPTIONS>>;
export const OPTIONS = {
  preview: z
    .enum(["direct", "on", "off"])
    .default("on")
    .describe("Where an answer is shown while it grows: everywhere, in direct messages alone, or nowhere."),
  command_replies: z
    .enum(["in_channel", "ephemeral"])
    .default("in_channel")
    .describe("Who sees the answer to a command: the channel, or the person alone."),
  forms: formsOption(DISCORD_FIELDS),
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
          z.strictObject({
            command: z.string().min(1).max(120).describe("With its sub-commands: `/deploy run`."),
            option: z.string().min(1).max(32).describe("The option's name."),
            values: z
              .array(z.union([value, labelled]))
              .min(1)
              .max(1_000),
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
  secret("DISCORD_BOT_TOKEN", "Sends to Discord channels when the answer to a command comes too late", {
    form: TOKEN,
    without: "answer later than 15 minutes",
  }),
  plain("DISCORD_GATEWAY", "on has no effect yet: there is no connection to the Gateway. Always off", {
    idle: "there is no connection to the Gateway yet; commands and buttons come by webhook, checked with DISCORD_PUBLIC_KEY",
    idleUnless: /^(?:off|false|no|0)$/i,
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
  if (publicKeys.length === 0 || applicationId === null) return null;
  return { kind: "on", publicKeys, applicationId, botToken, apiUrl };
}
