import { GatewayError } from "../../src/domain/errors.ts";
import type { DescribedCommand } from "../../src/ports/setup.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import { type Configured, eventsOf, featuresOf, isPaneOn, scopesOf } from "./features.ts";
import { REDIRECT } from "./paths.ts";

export interface ManifestOptions extends Configured {
  readonly publicUrl: string | null;
  /** Those that routes name, beside those that the options describe. */
  readonly commands: readonly string[];
  /** Those that gateway.yaml describes for all platforms, with their aliases. */
  readonly described: readonly DescribedCommand[];
}

/** As Slack's **Create New App** takes it, and `apps.manifest.update`. Throws CONFIG_INVALID. */
export function manifestOf(options: ManifestOptions): JsonObject {
  const { isSocketMode, isInstallable, publicUrl } = options;
  const { app, home } = options.options;
  if (publicUrl === null && (!isSocketMode || isInstallable))
    throw new GatewayError(
      "CONFIG_INVALID",
      "Expected PARLEY_PUBLIC_URL or --url, where Slack reaches this gateway, or --socket-mode; got none",
    );
  // Over its own connections Slack needs no address, and checks one that is there.
  const url = isSocketMode ? null : `${publicUrl ?? ""}/webhooks/slack`;
  const features = featuresOf(options);
  return {
    _metadata: { major_version: 2, minor_version: 1 },
    display_information: { name: app.name, description: app.description },
    features: {
      app_home: {
        home_tab_enabled: home.show === "on",
        messages_tab_enabled: true,
        messages_tab_read_only_enabled: false,
      },
      bot_user: {
        display_name: app.name.toLowerCase().replace(/[^\p{L}\p{N}_.-]+/gu, "-"),
        always_online: true,
      },
      ...(isPaneOn(options.options) && {
        assistant_view: { assistant_description: app.description, suggested_prompts: [] },
      }),
      slash_commands: commandsOf(options).map((command) => ({
        ...command,
        ...(url !== null && { url }),
        should_escape: true,
      })),
      ...(app.shortcuts.length > 0 && {
        shortcuts: app.shortcuts.map(({ id, ...shortcut }) => ({ ...shortcut, callback_id: id })),
      }),
    },
    oauth_config: {
      ...(isInstallable && { redirect_urls: [`${publicUrl ?? ""}${REDIRECT}`] }),
      scopes: { bot: scopesOf(features) },
    },
    settings: {
      event_subscriptions: { ...(url !== null && { request_url: url }), bot_events: eventsOf(features) },
      interactivity: { is_enabled: true, ...(url !== null && { request_url: url }) },
      socket_mode_enabled: isSocketMode,
    },
  };
}

/** Slack takes no more. */
const COMMANDS_MAX = 50;

/** Those that are described, and those that something else in the configuration waits for. */
function commandsOf({ options: { app, forms }, commands, described: named }: ManifestOptions) {
  const described = app.commands.map(({ command, ...rest }) => ({ command: command.toLowerCase(), ...rest }));
  for (const { command, aliases, description = `Ask ${command.slice(1)}`, usage } of named) {
    const own = described.find((one) => one.command === command);
    const like = own ?? { description, ...(usage !== undefined && { usage_hint: usage }) };
    for (const name of [command, ...aliases])
      if (!described.some((one) => one.command === name)) described.push({ ...like, command: name });
  }
  const waited = [...commands, ...forms.flatMap(({ opened_by }) => opened_by)]
    .map((command) => command.split(" ", 1)[0]?.toLowerCase() ?? "")
    .filter((command) => /^\/[\w-]{1,31}$/.test(command));
  const known = new Set(described.map(({ command }) => command));
  const others = [...new Set(waited)].filter((command) => !known.has(command));
  const all = [
    ...described,
    ...others.map((command) => ({ command, description: `Ask ${command.slice(1)}` })),
  ];
  if (all.length > COMMANDS_MAX)
    throw new GatewayError(
      "CONFIG_INVALID",
      `Expected at most ${COMMANDS_MAX} slash commands, which is what Slack takes, got ${all.length}`,
    );
  return all;
}
