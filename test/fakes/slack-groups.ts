import { type Method, need, SlackRefusal, word } from "./slack-streams.ts";

export interface GroupsOfSlack {
  /** By id; of a workspace that installed the app, or of an organisation, as `T1/S1`. */
  readonly members: Map<string, readonly string[]>;
  /** Workspaces of an organisation. */
  readonly teams: Map<string, readonly string[]>;
  /** They are told one group at a time alone. */
  areUntold: boolean;
}

interface GroupsOptions {
  /** Of groups, too. */
  readonly names: ReadonlyMap<string, string>;
  readonly groups: GroupsOfSlack;
  readonly missing: ReadonlySet<string>;
  /** Whose token the call has. */
  readonly teamOf: () => string | null;
}

export function slackGroups({ names, groups, missing, teamOf }: GroupsOptions): Record<string, Method> {
  const asked = (args: Parameters<Method>[0]) => {
    if (missing.has("usergroups:read")) throw new SlackRefusal("missing_scope");
    const team = teamOf();
    // Of an organisation Slack wants to know which workspace.
    if (team?.startsWith("E") === true) return need(args, "team_id", "missing_argument");
    return team;
  };
  const members = (team: string | null, id: string) =>
    groups.members.get(team === null ? id : `${team}/${id}`) ?? null;

  return {
    "auth.teams.list": () => ({ teams: (groups.teams.get(teamOf() ?? "") ?? []).map((id) => ({ id })) }),
    "usergroups.list": (args) => {
      const team = asked(args);
      const prefix = team === null ? "" : `${team}/`;
      const ids = [...groups.members.keys()].filter(
        (key) => key.startsWith(prefix) && key.includes("/") === (team !== null),
      );
      const withMembers = ids.map((key) => key.slice(prefix.length));
      const all = new Map([...names].filter(([id]) => id.startsWith("S")));
      for (const id of withMembers) all.set(id, all.get(id) ?? id.toLowerCase());
      const isTold = word(args, "include_users") === "true" && !groups.areUntold;
      return {
        usergroups: [...all].map(([id, handle]) => ({
          ...{ id, handle, name: `The ${handle}`, date_delete: 0 },
          ...(isTold && { users: members(team, id) ?? [] }),
        })),
      };
    },
    "usergroups.users.list": (args) => {
      const team = asked(args);
      const users = members(team, need(args, "usergroup", "no_such_subteam"));
      if (users === null) throw new SlackRefusal("no_such_subteam");
      return { users };
    },
  };
}
