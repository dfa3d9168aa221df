import { GatewayError } from "../../src/domain/errors.ts";
import type { ProbeFinding } from "../../src/ports/adapter.ts";
import type { Setup, SetupContext, SetupLink, SetupOutcome } from "../../src/ports/setup.ts";
import { getArray, getString, isObject, type JsonObject } from "../../src/shared/json.ts";
import { createRest, type DiscordRest } from "./api.ts";
import { diffOf } from "./command-diff.ts";
import { commandsOf } from "./commands.ts";
import { accountOf } from "./gateway/account.ts";
import { PERMISSIONS } from "./permissions.ts";
import { endpointOf, probeDiscord } from "./probe.ts";
import { API_URL, type DiscordOptions, type DiscordSettings } from "./settings.ts";
import { isSnowflake } from "./snowflake.ts";

const PORTAL = "https://discord.com/developers/applications";

export function openSetup(context: SetupContext<DiscordSettings, DiscordOptions>): Setup {
  const { settings, options, publicUrl, commands: routed, described, flags, env, clock, timeoutMs } = context;
  const botToken = settings?.botToken ?? env.secret("DISCORD_BOT_TOKEN");
  const apiUrl = settings?.apiUrl ?? env.text("DISCORD_API_URL") ?? API_URL;
  const guild = snowflakeIn(flags.guild, "--guild");
  const publicKeys = settings?.publicKeys ?? [];
  const isHeard = settings?.gateway ?? botToken !== null;
  const known =
    snowflakeIn(flags.app, "--app") ?? settings?.applicationId ?? env.text("DISCORD_APPLICATION_ID");
  // A bot's user has the id of its application, but for the oldest.
  const guessed = botToken === null ? null : accountOf(botToken);
  const applicationId = known ?? (isSnowflake(guessed) ? guessed : null);

  const document = () => commandsOf({ options, routed, described, isOfServer: guild !== null });

  return {
    document,
    links: () => (applicationId === null ? [] : linksOf(applicationId, options, botToken !== null)),
    async check(signal): Promise<readonly ProbeFinding[]> {
      if (botToken === null) return [];
      return await probeDiscord(
        {
          ...{ botToken, apiUrl, timeoutMs, clock, publicKeys, isHeard, publicUrl },
          structured: options.structured,
          applicationId: known ?? undefined,
        },
        signal,
      );
    },
    async apply({ isDryRun }, signal): Promise<SetupOutcome> {
      if (botToken === null)
        throw new GatewayError(
          "CONFIG_INVALID",
          `Expected DISCORD_BOT_TOKEN (of the page Bot of ${PORTAL}), got none`,
        );
      const rest = createRest({ botToken, apiUrl, timeoutMs, clock });
      const application = await whose(rest, signal);
      const id = getString(application, "id") ?? applicationId ?? "";
      if (known !== null && known !== id)
        throw new GatewayError(
          "CONFIG_INVALID",
          `Expected the token of application ${known}, got that of ${id}: DISCORD_BOT_TOKEN is of another one`,
        );
      const route = `/applications/${id}${guild === null ? "" : `/guilds/${guild}`}/commands` as const;
      const present = getArray(await ask(rest, { method: "GET", route }, signal), "items").filter(isObject);
      const { commands, changes } = diffOf(present, document(), { prunes: flags.prune === true });
      if (changes.length > 0 && !isDryRun) await ask(rest, { method: "PUT", route, body: commands }, signal);
      return { changes, next: nextOf(application, { publicUrl, publicKeys, id }) };
    },
  };
}

function snowflakeIn(flag: string | true | undefined, name: string): string | null {
  if (typeof flag !== "string") return null;
  if (!isSnowflake(flag))
    throw new GatewayError("CONFIG_INVALID", `Expected ${name} to be an id of Discord, digits`);
  return flag;
}

async function whose(rest: DiscordRest, signal: AbortSignal): Promise<JsonObject> {
  return await rest.ask(
    {
      ...{ method: "GET", route: "/applications/@me", as: "bot" },
      ...{ what: "look at the application", repeatable: true },
    },
    signal,
  );
}

async function ask(
  rest: DiscordRest,
  call: { method: "GET" | "PUT"; route: `/${string}`; body?: readonly JsonObject[] },
  signal: AbortSignal,
): Promise<JsonObject> {
  const what = call.method === "GET" ? "look at the commands" : "registering of commands";
  return await rest.ask({ ...call, as: "bot", what, repeatable: true }, signal);
}

function linksOf(id: string, options: DiscordOptions, hasBot: boolean): readonly SetupLink[] {
  const { viewChannel, sendMessages, sendMessagesInThreads, readMessageHistory, attachFiles } = PERMISSIONS;
  const thread = options.replies === "thread" ? PERMISSIONS.createPublicThreads : 0n;
  const embeds = options.structured === "embeds" ? PERMISSIONS.embedLinks : 0n;
  const permissions =
    viewChannel | sendMessages | sendMessagesInThreads | readMessageHistory | attachFiles | thread | embeds;
  const install = (query: Readonly<Record<string, string>>) =>
    `https://discord.com/oauth2/authorize?${new URLSearchParams({ client_id: id, ...query }).toString()}`;
  const server = hasBot
    ? { scope: "bot applications.commands", permissions: String(permissions) }
    : { scope: "applications.commands" };
  return [
    { what: "The app", url: `${PORTAL}/${id}/information` },
    { what: "Install it in a server", url: install(server) },
    ...(options.app.user_install
      ? [
          {
            what: "Install it for yourself",
            url: install({ integration_type: "1", scope: "applications.commands" }),
          },
        ]
      : []),
  ];
}

function nextOf(
  application: JsonObject,
  { publicUrl, publicKeys, id }: { publicUrl: string | null; publicKeys: readonly string[]; id: string },
): readonly string[] {
  const wanted = publicUrl === null || publicKeys.length === 0 ? null : endpointOf(publicUrl);
  const endpoint = getString(application, "interactions_endpoint_url") ?? null;
  return wanted === null || endpoint === wanted
    ? []
    : [`Set Interactions Endpoint URL to ${wanted} at ${PORTAL}/${id}/information, while the gateway runs`];
}
