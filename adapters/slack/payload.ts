import { get, getArray, getString, isObject, type JsonObject, nameOf } from "../../src/shared/json.ts";

/** A field that is not what Slack documents. Thrown and caught within parse. */
export class PayloadError extends Error {}

/** A required text; `at` is the path of the object that holds it, ending in a dot. */
export function requiredText(object: unknown, key: string, at = ""): string {
  const value = get(object, key);
  if (typeof value === "string" && value !== "") return value.toWellFormed();
  throw expected(`${at}${key}`, "a non-empty string", value);
}

/** A text that may be absent or null, which reads as empty. */
export function optionalText(object: unknown, key: string, at = ""): string {
  const value = get(object, key);
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value.toWellFormed();
  throw expected(`${at}${key}`, "a string", value);
}

export function requiredObject(object: unknown, key: string, at = ""): JsonObject {
  const value = get(object, key);
  if (isObject(value)) return value;
  throw expected(`${at}${key}`, "an object", value);
}

/** A message's time stamp, which is also its id: seconds, a dot, digits that make it unique. */
export function requiredTs(object: unknown, key: string, at = ""): string {
  const value = requiredText(object, key, at);
  if (/^\d{1,12}(\.\d{1,20})?$/.test(value)) return value;
  throw new PayloadError(`Expected ${at}${key} to be seconds with a fraction, got another string`);
}

export function tsToMs(ts: string): number {
  return Math.round(Number(ts) * 1000);
}

/**
 * Whose installation of the app this is for: the workspace, or the whole organisation where it is installed for all of
 * it. In channels that two companies share, `team_id` is the workspace of whoever wrote, and comes second; a person's
 * own workspace comes last of all.
 */
export function tenantOf(payload: JsonObject): string {
  const installation = getArray(payload, "authorizations")[0];
  const enterprise =
    getString(installation, "enterprise_id") ??
    getString(payload, "enterprise_id") ??
    getString(get(payload, "enterprise"), "id");
  if ((isSet(installation) || isSet(payload)) && enterprise !== undefined) return enterprise.toWellFormed();
  const team =
    getString(installation, "team_id") ??
    getString(get(payload, "view"), "app_installed_team_id") ??
    getString(payload, "team_id") ??
    getString(get(payload, "team"), "id") ??
    enterprise ??
    getString(get(payload, "user"), "team_id");
  return team?.toWellFormed() ?? requiredText(payload, "team_id");
}

/** The workspace of whoever acted; in a shared channel not that of the installation. */
export function teamOf(payload: JsonObject): string | undefined {
  const team =
    getString(payload, "team_id") ??
    getString(get(payload, "team"), "id") ??
    getString(get(payload, "user"), "team_id");
  return team?.toWellFormed();
}

/** JSON says true, a form says "true". */
function isSet(installation: unknown): boolean {
  const flag = get(installation, "is_enterprise_install");
  return flag === true || flag === "true";
}

/** A name fit for a log; whatever else a payload may call itself is `unknown`. Metrics know only those of a list of ours. */
export function labelOf(name: string): string {
  return /^[a-z][a-z0-9_.]{0,63}$/.test(name) ? name : "unknown";
}

function expected(path: string, what: string, value: unknown): PayloadError {
  return new PayloadError(
    `Expected ${path} to be ${what}, got ${value === "" ? "an empty one" : nameOf(value)}`,
  );
}
