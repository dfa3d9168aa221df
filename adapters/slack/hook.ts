import { get, getString, type JsonObject } from "../../src/shared/json.ts";
import { tenantOf } from "./payload.ts";

/** `/commands/T1/…`, `/actions/T1/…`, `/app/T1/…`: whose it is. */
const TEAM = /^\/[a-z]+\/([TE][A-Z0-9]+)\//;

/**
 * The `response_url` that stands there. One of a workspace of which the payload says nothing else is none: whatever is said
 * through it would be heard there, and not where it was asked.
 */
export function hookIn(object: unknown, payload: JsonObject): string | undefined {
  const given = getString(object, "response_url");
  const team = TEAM.exec(URL.parse(given ?? "")?.pathname ?? "")?.[1];
  return team === undefined || teamsIn(payload).includes(team) ? given : undefined;
}

/** Workspaces and organisations that have to do with it; in a channel that two companies share, both. */
function teamsIn(payload: JsonObject): readonly unknown[] {
  return [
    tenantOf(payload),
    payload.team_id,
    payload.enterprise_id,
    get(payload.team, "id"),
    get(payload.enterprise, "id"),
    get(payload.user, "team_id"),
    get(payload.view, "team_id"),
    get(payload.view, "app_installed_team_id"),
  ];
}
