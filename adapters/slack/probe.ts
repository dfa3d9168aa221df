import { DeliveryError } from "../../src/domain/errors.ts";
import type { ProbeFinding } from "../../src/ports/adapter.ts";
import { get, getString, type JsonObject } from "../../src/shared/json.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { PROBE_TIMEOUT_MS, probed, well } from "../shared/probe.ts";
import { askSlack, type Said, type WebOptions } from "./api.ts";
import { type Configured, featuresOf, scopesOf } from "./features.ts";
import { grantedBy, lacking } from "./granted.ts";

export interface ProbeOptions extends Omit<WebOptions, "botToken"> {
  readonly botToken: Secret | null;
  readonly appToken: Secret | null;
  /** Absent: scopes are not looked at. */
  readonly configured?: Configured;
}

/** The bot's token by `auth.test`, which needs no scope, and that of Socket Mode by what it is for. */
export async function probeSlack(
  options: ProbeOptions,
  signal: AbortSignal,
): Promise<readonly ProbeFinding[]> {
  const { botToken, appToken, configured } = options;
  const web = { ...options, timeoutMs: Math.min(options.timeoutMs, PROBE_TIMEOUT_MS) };
  const features = configured === undefined ? [] : featuresOf(configured);
  const looks = [
    botToken !== null &&
      probed(settingsOf("SLACK_BOT_TOKEN"), async () => {
        const { value, headers } = await asked(web, botToken, "auth.test", signal);
        const granted = grantedBy(headers["x-oauth-scopes"]);
        const untold =
          granted === null && features.length > 0 ? "; it does not tell which scopes that has" : "";
        return [
          well(`its API takes the bot token${placeOf(value)}${untold}`),
          ...lacking(features, granted ?? scopesOf(features)),
        ];
      }),
    appToken !== null &&
      probed(settingsOf("SLACK_APP_TOKEN"), async () => {
        await asked(web, appToken, "apps.connections.open", signal);
        return [well("its API takes the token of Socket Mode")];
      }),
  ];
  return (await Promise.all(looks.filter((look) => look !== false))).flat();
}

function settingsOf(credential: string) {
  return { address: "SLACK_API_URL", credential };
}

/** Throws DeliveryError. Slack says no in a 200: any other status is of something else. */
async function asked(
  web: Omit<WebOptions, "botToken">,
  token: Secret,
  method: string,
  signal: AbortSignal,
): Promise<Said> {
  try {
    const said = await askSlack(web, token, [method, {}, signal]);
    if (said.failure !== null) throw said.failure;
    return said;
  } catch (error) {
    if (error instanceof DeliveryError && error.kind === "rejected" && error.status !== 200)
      throw new DeliveryError("unknown", error.message, { status: error.status });
    throw error;
  }
}

function placeOf(answer: JsonObject): string {
  const [team, user] = [getString(answer, "team") ?? getString(answer, "team_id"), getString(answer, "user")];
  if (team === undefined || get(answer, "ok") !== true) return "";
  return user === undefined ? `, in ${team}` : `, as ${user} in ${team}`;
}
