import { DefaultUserAgent } from "@discordjs/rest";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { ProbeFinding } from "../../src/ports/adapter.ts";
import { call } from "../../src/shared/call.ts";
import { getArray, getString, type JsonObject, parseJsonObject } from "../../src/shared/json.ts";
import { mismatch, PROBE_TIMEOUT_MS, probed, well } from "../shared/probe.ts";
import { apiBase, type RestOptions } from "./api.ts";
import { apiRefusal, serverFailure } from "./failure.ts";
import { mayEmbed } from "./permissions.ts";

const SETTINGS = { address: "DISCORD_API_URL", credential: "DISCORD_BOT_TOKEN" };
const ANSWER_BYTES_MAX = 256 * 1024;
/** What Discord lists at once. */
const SERVERS_MAX = 200;

export interface ProbeOptions extends RestOptions {
  readonly applicationId: string | undefined;
  readonly publicKeys: readonly string[];
  /** Whether what is merely written is heard. */
  readonly isHeard: boolean;
  /** Where this gateway is reached; null: not said. */
  readonly publicUrl: string | null;
  /** What tables of an answer are. */
  readonly structured?: "text" | "embeds";
}

/** Where Discord is to send interactions. */
export function endpointOf(publicUrl: string): string {
  return `${publicUrl}/webhooks/discord`;
}

/** Of an application: what people write may be read, by a bot in few servers too. */
const MESSAGE_CONTENT_FLAGS = (1 << 18) | (1 << 19);

/**
 * `/users/@me` tries the token; `/applications/@me` tells whether it, the id and the key belong to one application.
 * Without a bot token there is only the question whether somebody answers.
 */
export async function probeDiscord(
  options: ProbeOptions,
  signal: AbortSignal,
): Promise<readonly ProbeFinding[]> {
  return await probed(SETTINGS, async () => {
    if (options.botToken === null) {
      await get("/gateway", options, signal);
      return [well("its API answers")];
    }
    const [, application] = await Promise.all([
      get("/users/@me", options, signal),
      get("/applications/@me", options, signal).catch(() => null),
    ]);
    const own = [well("its API takes the bot token"), ...ownFindings(application, options)];
    if (options.structured !== "embeds") return own;
    const servers = await get(`/users/@me/guilds?limit=${SERVERS_MAX}`, options, signal).catch(() => null);
    return [...own, ...embedFindings(getArray(servers, "items"))];
  });
}

function ownFindings(
  application: JsonObject | null,
  { applicationId, publicKeys, isHeard, publicUrl }: ProbeOptions,
): readonly ProbeFinding[] {
  const id = getString(application, "id");
  const key = getString(application, "verify_key")?.toLowerCase();
  const findings: ProbeFinding[] = [];
  if (id !== undefined && applicationId !== undefined && id !== applicationId)
    findings.push(
      mismatch(
        "DISCORD_BOT_TOKEN is of another application than DISCORD_APPLICATION_ID",
        "copy both from one application",
      ),
    );
  if (key !== undefined && publicKeys.length > 0 && !publicKeys.some((one) => one.toLowerCase() === key))
    findings.push(
      mismatch(
        "DISCORD_PUBLIC_KEY is not the key of the bot's application: what Discord sends is refused",
        "copy the public key from the application's general information",
      ),
    );
  const flags = application?.flags;
  if (isHeard && typeof flags === "number" && (flags & MESSAGE_CONTENT_FLAGS) === 0)
    findings.push({
      status: "warn",
      message: "Message Content Intent is off: only mentions and direct messages are heard",
      fix: "switch it on on the page Bot of the Developer Portal, and restart",
      code: null,
    });
  return [...findings, ...endpointFindings(application, { publicKeys, isHeard, publicUrl })];
}

/** Of each server Discord tells what the bot may do there, but for what single channels take away. */
function embedFindings(servers: readonly unknown[]): readonly ProbeFinding[] {
  const without = servers.filter((server) => !mayEmbed(getString(server, "permissions")));
  if (without.length === 0) return [];
  return [
    {
      status: "warn",
      message:
        `structured: embeds is set, and the bot has no right to Embed Links in ${without.length} of ` +
        `${servers.length} servers: tables are text there`,
      fix: "give its role Embed Links, or install it again with the link that `parley setup discord` prints",
      code: null,
    },
  ];
}

/** Where an endpoint is set, interactions go there and nowhere else. */
function endpointFindings(
  application: JsonObject | null,
  { publicKeys, isHeard, publicUrl }: Pick<ProbeOptions, "publicKeys" | "isHeard" | "publicUrl">,
): readonly ProbeFinding[] {
  if (application === null || !("interactions_endpoint_url" in application)) return [];
  const endpoint = getString(application, "interactions_endpoint_url") ?? null;
  const wanted = publicUrl === null ? null : endpointOf(publicUrl);
  const warn = (message: string, fix: string): ProbeFinding[] => [
    { status: "warn", message, fix, code: null },
  ];
  const page = "on the page General Information of the Developer Portal";
  if (endpoint === null && !isHeard)
    return warn(
      "no Interactions Endpoint URL is set, and the Gateway is off: no command and no press arrives",
      `set it to ${wanted ?? "https://…/webhooks/discord"} ${page}`,
    );
  if (endpoint !== null && publicKeys.length === 0)
    return warn(
      "an Interactions Endpoint URL is set, so commands and presses go there and not over the Gateway; without " +
        "DISCORD_PUBLIC_KEY this gateway takes none",
      `take it away ${page}, or set DISCORD_PUBLIC_KEY`,
    );
  if (endpoint !== null && wanted !== null && endpoint !== wanted)
    return warn(
      "the Interactions Endpoint URL is another than that of this gateway",
      `set it to ${wanted} ${page}, or look at PARLEY_PUBLIC_URL`,
    );
  return [];
}

async function get(path: string, options: RestOptions, signal: AbortSignal): Promise<JsonObject> {
  const { botToken, apiUrl, timeoutMs } = options;
  const what = `Discord ${path}`;
  const { status, text } = await call(`${apiBase(apiUrl)}/v10${path}`, {
    what,
    setting: SETTINGS.address,
    method: "GET",
    headers: {
      "user-agent": DefaultUserAgent,
      ...(botToken !== null && { authorization: `Bot ${botToken.reveal()}` }),
    },
    body: "",
    signal,
    timeoutMs: Math.min(timeoutMs, PROBE_TIMEOUT_MS),
    bytesMax: ANSWER_BYTES_MAX,
  });
  if (status >= 500) throw serverFailure(what, status, true);
  const parsed = parseJsonObject(text?.startsWith("[") ? `{"items":${text}}` : (text ?? ""));
  if (!parsed.ok)
    throw new DeliveryError("unknown", `${what}: expected JSON, got something else`, { status });
  if (status >= 300) throw apiRefusal({ what, repeatable: true, as: "bot" }, status, parsed.value.code);
  return parsed.value;
}
