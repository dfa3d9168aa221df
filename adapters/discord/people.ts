import { getArray, getString } from "../../src/shared/json.ts";
import { isSnowflake } from "./snowflake.ts";

/** The name people see; the handle of an account that has not chosen one. */
export function nameOfUser(user: unknown): string | undefined {
  return getString(user, "global_name") ?? getString(user, "username");
}

/** Discord has no more in a server. */
const ROLES_MAX = 250;

/** Of a member of a server; nobody else has any. */
export function rolesOf(member: unknown): readonly string[] {
  return getArray(member, "roles").filter(isSnowflake).slice(0, ROLES_MAX);
}
