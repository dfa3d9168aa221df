import { DeliveryError, GatewayError } from "../../src/domain/errors.ts";
import type { ProbeFinding } from "../../src/ports/adapter.ts";
import type { Setup, SetupContext, SetupLink, SetupOutcome } from "../../src/ports/setup.ts";
import { getArray, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { askSlack } from "./api.ts";
import { configuredBy } from "./features.ts";
import { manifestOf } from "./manifest.ts";
import { merged } from "./manifest-merge.ts";
import { INSTALL } from "./paths.ts";
import { probeSlack } from "./probe.ts";
import type { SlackOptions, SlackSettings } from "./settings.ts";

const APPS = "https://api.slack.com/apps";

/** Before there is an app there are no secrets either: flags say what they would. */
export function openSetup(context: SetupContext<SlackSettings, SlackOptions>): Setup {
  const { settings, options, publicUrl, commands, described, goesByRoles, flags, env, clock, timeoutMs } =
    context;
  const configured =
    settings === null
      ? {
          options,
          isSocketMode: isSet("SLACK_APP_TOKEN"),
          isInstallable: isSet("SLACK_CLIENT_ID"),
          goesByGroups: goesByRoles,
        }
      : configuredBy(settings, options, goesByRoles);
  const wanted = {
    ...configured,
    isSocketMode: configured.isSocketMode || flags.socketMode === true,
    isInstallable: configured.isInstallable || flags.manyWorkspaces === true,
  };
  const appId = given(flags.app) ?? settings?.appId ?? env.text("SLACK_APP_ID");
  const apiUrl = settings?.apiUrl ?? env.text("SLACK_API_URL");
  const web = { ...(apiUrl !== null && { apiUrl }), clock, timeoutMs };
  const botToken = settings?.botToken ?? env.secret("SLACK_BOT_TOKEN");
  const configToken = env.secret("SLACK_CONFIG_TOKEN");

  function isSet(name: string): boolean {
    return env.text(name) !== null;
  }

  const document = (): JsonObject => manifestOf({ ...wanted, publicUrl, commands, described });

  /** Throws DeliveryError, with what Slack says is wrong in the manifest. */
  async function manage(
    token: Secret,
    method: string,
    args: object,
    signal: AbortSignal,
  ): Promise<JsonObject> {
    const { value, failure } = await askSlack(web, token, [`apps.manifest.${method}`, { ...args }, signal]);
    if (failure === null) return value;
    const faults = getArray(value, "errors").flatMap((one) => {
      const message = getString(one, "message");
      return message === undefined ? [] : [`${getString(one, "pointer") ?? "/"}: ${message}`];
    });
    throw new DeliveryError(failure.kind, [failure.message, ...faults].join("\n  "), {
      status: failure.status,
    });
  }

  async function current(token: Secret, id: string, signal: AbortSignal): Promise<JsonObject> {
    return getObject(await manage(token, "export", { app_id: id }, signal), "manifest") ?? {};
  }

  return {
    document,
    links(): readonly SetupLink[] {
      const manifest = new URLSearchParams({ new_app: "1", manifest_json: JSON.stringify(document()) });
      return [
        appId === null
          ? { what: "Make the app", url: `${APPS}?${manifest.toString()}` }
          : { what: "The app", url: `${APPS}/${appId}` },
        ...(wanted.isInstallable && publicUrl !== null
          ? [{ what: "Install it in a workspace", url: publicUrl + INSTALL }]
          : []),
      ];
    },
    async check(signal): Promise<readonly ProbeFinding[]> {
      return botToken === null && settings?.appToken == null
        ? []
        : await probeSlack(
            { ...web, botToken, appToken: settings?.appToken ?? null, configured: wanted },
            signal,
          );
    },
    async apply({ isDryRun }, signal): Promise<SetupOutcome> {
      if (configToken === null || appId === null)
        throw new GatewayError(
          "CONFIG_INVALID",
          `Expected SLACK_CONFIG_TOKEN (an app configuration token of ${APPS}) and SLACK_APP_ID or --app, got ` +
            (configToken === null ? "no SLACK_CONFIG_TOKEN" : "no id of an app"),
        );
      const { manifest, changes } = merged(await current(configToken, appId, signal), document());
      const args = { app_id: appId, manifest: JSON.stringify(manifest) };
      await manage(configToken, "validate", args, signal);
      if (changes.length === 0 || isDryRun) return { changes, next: [] };
      const updated = await manage(configToken, "update", args, signal);
      return { changes, next: nextOf(updated, appId) };
    },
  };
}

function nextOf(updated: JsonObject, appId: string): readonly string[] {
  return updated.permissions_updated === true
    ? [`The scopes have changed: install the app again, at ${APPS}/${appId}/install-on-team`]
    : [];
}

function given(flag: string | true | undefined): string | null {
  return typeof flag === "string" ? flag : null;
}
