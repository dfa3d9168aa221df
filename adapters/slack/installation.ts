import type { Clock } from "../../src/ports/clock.ts";
import {
  get,
  getArray,
  getObject,
  getString,
  type JsonObject,
  parseJsonObject,
} from "../../src/shared/json.ts";
import { Secret } from "../../src/shared/secret.ts";

export interface Rotation {
  readonly refreshToken: Secret;
  readonly expiresAtMs: number;
  /** How long the token lives from when it was given. */
  readonly lifeMs: number;
}

/** One workspace, or one organisation, that has installed the app. */
export interface Installation {
  /** As events name it: of the organisation where it is installed for all of it, else of the workspace. */
  readonly tenant: string;
  readonly name: string;
  readonly isEnterprise: boolean;
  readonly appId: string | null;
  readonly botUserId: string | null;
  readonly scopes: readonly string[];
  readonly token: Secret;
  /** Of a token that expires; null: it does not. */
  readonly rotation: Rotation | null;
  readonly installedAtMs: number;
  /** Who installed it. */
  readonly installedBy: string | null;
}

/** Ids of teams, organisations and users. */
const ID = /^[A-Z][A-Z0-9]{0,63}$/;
const NAME_CHARS_MAX = 200;
const SCOPES_MAX = 200;

/** Of an answer of `oauth.v2.access` to a code; null: it is not one. */
export function installationFrom(answer: JsonObject, clock: Pick<Clock, "nowMs">): Installation | null {
  const isEnterprise = get(answer, "is_enterprise_install") === true;
  const owner = getObject(answer, isEnterprise ? "enterprise" : "team");
  const tenant = idIn(owner, "id");
  const granted = grantedIn(answer, clock);
  if (tenant === null || granted === null) return null;
  return {
    ...granted,
    tenant,
    name: (getString(owner, "name") ?? tenant).toWellFormed().slice(0, NAME_CHARS_MAX),
    isEnterprise,
    appId: idIn(answer, "app_id"),
    botUserId: idIn(answer, "bot_user_id"),
    scopes: (getString(answer, "scope") ?? "")
      .split(",")
      .filter((scope) => /^[a-z:._-]{1,80}$/.test(scope))
      .slice(0, SCOPES_MAX),
    installedAtMs: clock.nowMs(),
    installedBy: idIn(getObject(answer, "authed_user"), "id"),
  };
}

/** A token, and what follows it; null: there is none for a bot. */
export function grantedIn(
  answer: JsonObject,
  clock: Pick<Clock, "nowMs">,
): Pick<Installation, "token" | "rotation"> | null {
  const token = secretIn(answer, "access_token");
  const refreshToken = secretIn(answer, "refresh_token");
  const seconds = get(answer, "expires_in");
  if (token === null) return null;
  if (refreshToken === null || typeof seconds !== "number" || !(seconds > 0))
    return { token, rotation: null };
  const lifeMs = seconds * 1000;
  return { token, rotation: { refreshToken, expiresAtMs: clock.nowMs() + lifeMs, lifeMs } };
}

export function writeInstallation({ token, rotation, ...rest }: Installation): string {
  return JSON.stringify({
    ...rest,
    token: token.reveal(),
    ...(rotation !== null && {
      refresh_token: rotation.refreshToken.reveal(),
      expires_at_ms: rotation.expiresAtMs,
      life_ms: rotation.lifeMs,
    }),
  });
}

/** Null: no version of ours wrote that. */
export function readInstallation(text: string): Installation | null {
  const parsed = parseJsonObject(text);
  if (!parsed.ok) return null;
  const { value } = parsed;
  const tenant = idIn(value, "tenant");
  const token = secretIn(value, "token");
  const installedAtMs = get(value, "installedAtMs");
  if (tenant === null || token === null || typeof installedAtMs !== "number") return null;
  return {
    tenant,
    name: getString(value, "name") ?? tenant,
    isEnterprise: get(value, "isEnterprise") === true,
    appId: idIn(value, "appId"),
    botUserId: idIn(value, "botUserId"),
    scopes: getArray(value, "scopes").filter((scope) => typeof scope === "string"),
    token,
    rotation: rotationIn(value),
    installedAtMs,
    installedBy: idIn(value, "installedBy"),
  };
}

function rotationIn(value: JsonObject): Rotation | null {
  const refreshToken = secretIn(value, "refresh_token");
  const expiresAtMs = get(value, "expires_at_ms");
  const lifeMs = get(value, "life_ms");
  if (refreshToken === null || typeof expiresAtMs !== "number" || typeof lifeMs !== "number") return null;
  return { refreshToken, expiresAtMs, lifeMs };
}

function idIn(object: unknown, key: string): string | null {
  const id = getString(object, key);
  return id !== undefined && ID.test(id) ? id : null;
}

function secretIn(object: unknown, key: string): Secret | null {
  const text = getString(object, key);
  return text !== undefined && /^[!-~]{1,4096}$/.test(text) ? new Secret(text, true) : null;
}
