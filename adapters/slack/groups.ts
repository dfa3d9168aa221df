import { LRUCache } from "lru-cache";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { RoleReader } from "../../src/ports/roles.ts";
import { get, getArray, getString, type JsonObject } from "../../src/shared/json.ts";
import { aborted, UNSTOPPED } from "../shared/signals.ts";
import type { CallSlack } from "./api.ts";

/** What is older is read again beside its use. */
const FRESH_MS = 5 * 60_000;
/** While Slack does not tell: nobody is let in by what is older. */
const USED_MS = 30 * 60_000;
/** The app lacks the scope, or the workspace has no user groups: until somebody may have changed that. */
const LACKING_MS = 60_000;
/** Slack is away, or not well. */
const UNWELL_MS = 5_000;
const WORKSPACES_MAX = 2_000;
/** Of all groups that rules go by, in all workspaces. A workspace with more is asked each time. */
const MEMBERS_MAX = 500_000;
/** Of an organisation: each has groups of its own. */
const TEAMS_MAX = 100;

/** Who is in which of the groups that were asked for. */
interface Membership {
  readonly asked: ReadonlySet<string>;
  readonly members: ReadonlyMap<string, ReadonlySet<string>>;
  readonly atMs: number;
  readonly freshMs: number;
}

export interface GroupsOptions {
  /** With the token of that tenant's installation; null: it is not ours, or nobody knows yet. */
  readonly callIn: (tenant: string) => CallSlack | null;
  readonly clock: Pick<Clock, "nowMs">;
}

/**
 * Slack's user groups as roles. Its events do not tell them, so who is in those that rules go by is read for a workspace at a
 * time (`usergroups.list`, `usergroups.users.list`) and remembered in this process.
 */
export class Groups implements RoleReader {
  readonly #options: GroupsOptions;
  readonly #known = new LRUCache<string, Membership>({
    max: WORKSPACES_MAX,
    maxSize: MEMBERS_MAX,
    sizeCalculation: ({ members }) => [...members.values()].reduce((sum, one) => sum + one.size, 1),
  });
  readonly #rests = new LRUCache<string, number>({ max: WORKSPACES_MAX });
  readonly #reading = new Map<string, Promise<Membership | null>>();

  constructor(options: GroupsOptions) {
    this.#options = options;
  }

  known(event: TriggerEvent, named: ReadonlySet<string>): readonly string[] | null {
    const { tenant } = event;
    const found = this.#usable(tenant, named);
    const isFresh = found !== null && this.#ageOf(found) < found.freshMs;
    if (!isFresh) void this.#read(tenant, named);
    return found === null ? null : groupsOf(event, found, named);
  }

  async read(
    event: TriggerEvent,
    named: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<readonly string[] | null> {
    const { tenant } = event;
    const late = aborted(signal).then(() => null);
    // What is being read may have been asked for other groups, by rules that have changed meanwhile.
    for (let tries = 0; tries < 2; tries++) {
      const found = this.#usable(tenant, named) ?? (await Promise.race([this.#read(tenant, named), late]));
      if (found === null) return null;
      if (covers(found, named)) return groupsOf(event, found, named);
    }
    return null;
  }

  /** Who is in them has changed there. */
  forget(tenant: string): void {
    const { asked } = this.#known.get(tenant) ?? { asked: null };
    this.#known.delete(tenant);
    // What is being read may be from before.
    this.#reading.delete(tenant);
    if (asked !== null) void this.#read(tenant, asked);
  }

  #usable(tenant: string, named: ReadonlySet<string>): Membership | null {
    const found = this.#known.get(tenant);
    return found !== undefined && this.#ageOf(found) < USED_MS && covers(found, named) ? found : null;
  }

  #ageOf({ atMs }: Membership): number {
    return this.#options.clock.nowMs() - atMs;
  }

  /** One at a time for each workspace. Null: Slack does not tell now. Never rejects. */
  #read(tenant: string, named: ReadonlySet<string>): Promise<Membership | null> {
    const before = this.#reading.get(tenant);
    if (before !== undefined) return before;
    if ((this.#rests.get(tenant) ?? 0) > this.#options.clock.nowMs()) return Promise.resolve(null);
    const reading: Promise<Membership | null> = this.#fetch(tenant, named).then((found) => {
      if (this.#reading.get(tenant) !== reading) return found;
      this.#reading.delete(tenant);
      if (found !== null) this.#known.set(tenant, found);
      return found;
    });
    this.#reading.set(tenant, reading);
    return reading;
  }

  async #fetch(tenant: string, asked: ReadonlySet<string>): Promise<Membership | null> {
    const { callIn, clock } = this.#options;
    const atMs = clock.nowMs();
    const call = callIn(tenant);
    if (call === null) return null;
    try {
      const members = await membersOf(call, tenant, asked);
      return { asked, members, atMs, freshMs: FRESH_MS };
    } catch (error) {
      const isAnswer = error instanceof DeliveryError && error.kind === "rejected";
      // No group that we may know of has anybody in it.
      if (isAnswer) return { asked, members: new Map(), atMs, freshMs: LACKING_MS };
      const waitMs = error instanceof DeliveryError ? (error.retryAfterMs ?? UNWELL_MS) : UNWELL_MS;
      this.#rests.set(tenant, clock.nowMs() + waitMs);
      return null;
    }
  }
}

function covers({ asked }: Membership, named: ReadonlySet<string>): boolean {
  return asked === named || named.isSubsetOf(asked);
}

function groupsOf(
  { sender }: TriggerEvent,
  { members }: Membership,
  named: ReadonlySet<string>,
): readonly string[] {
  return [...named].filter((group) => members.get(group)?.has(sender.id) === true);
}

/** Throws DeliveryError. */
async function membersOf(
  call: CallSlack,
  tenant: string,
  asked: ReadonlySet<string>,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const members = new Map<string, ReadonlySet<string>>();
  for (const team of await teamsOf(call, tenant)) {
    const groups = await listed(call, team);
    for (const group of groups) {
      const id = getString(group, "id");
      if (id === undefined || !asked.has(id) || isDisabled(group)) continue;
      const users =
        get(group, "users") === undefined ? await usersOf(call, id, team) : getArray(group, "users");
      members.set(id, new Set(users.filter((user) => typeof user === "string")));
    }
  }
  return members;
}

type Team = { readonly team_id?: string };

/** Of an organisation groups are listed for a workspace at a time. */
async function teamsOf(call: CallSlack, tenant: string): Promise<readonly Team[]> {
  if (!tenant.startsWith("E")) return [{}];
  const answer = await call("auth.teams.list", { limit: TEAMS_MAX }, UNSTOPPED);
  return getArray(answer, "teams").flatMap((team) => {
    const id = getString(team, "id");
    return id === undefined ? [] : [{ team_id: id }];
  });
}

async function listed(call: CallSlack, team: Team): Promise<readonly unknown[]> {
  return getArray(await call("usergroups.list", { include_users: true, ...team }, UNSTOPPED), "usergroups");
}

async function usersOf(call: CallSlack, usergroup: string, team: Team): Promise<readonly unknown[]> {
  return getArray(await call("usergroups.users.list", { usergroup, ...team }, UNSTOPPED), "users");
}

/** Disabled ones are not listed; whoever lists them all the same says when that was. */
function isDisabled(group: unknown): boolean {
  const at = get(group, "date_delete");
  return typeof at === "number" && at > 0;
}

/** Events of Slack after which others may be in a group. */
export function isGroupChange(event: JsonObject): boolean {
  const type = getString(event, "type");
  return type === "subteam_members_changed" || type === "subteam_updated";
}
