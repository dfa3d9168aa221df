import { getString } from "../../src/shared/json.ts";

/** The name people see; the handle of an account that has not chosen one. */
export function nameOfUser(user: unknown): string | undefined {
  return getString(user, "global_name") ?? getString(user, "username");
}
