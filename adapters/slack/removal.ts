import { get, getArray, getObject, type JsonObject } from "../../src/shared/json.ts";
import { tenantOf } from "./payload.ts";

/** Told that the app was removed from a workspace; `atMs`: when, by Slack's clock. Rejects with STORE_*. */
export type Removed = (tenant: string, atMs: number | null) => Promise<void>;

/** Whose tokens are gone, by what Slack says of its own; null: nobody's. Throws PayloadError. */
export function removalOf(
  event: JsonObject,
  envelope: JsonObject,
): { readonly tenant: string; readonly atMs: number | null } | null {
  // Those of people who had signed in are told in the same way; we have none.
  const isBot = event.type === "tokens_revoked" && getArray(getObject(event, "tokens"), "bot").length > 0;
  if (event.type !== "app_uninstalled" && !isBot) return null;
  const seconds = get(envelope, "event_time");
  return { tenant: tenantOf(envelope), atMs: typeof seconds === "number" ? seconds * 1000 : null };
}
