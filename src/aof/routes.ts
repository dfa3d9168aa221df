import type { PlatformModule } from "../ports/platform.ts";
import type { AgentOut } from "./agent.ts";
import type { ContextOut } from "./context.ts";
import type { DaemonOut } from "./daemon.ts";
import { ACCESS, type AccessKey, type TriggerOut } from "./gateway.ts";
import { type ScheduleOut, writtenSchedule } from "./schedules.ts";
import type { Place, Report } from "./source.ts";

interface Parts {
  readonly agents: readonly AgentOut[];
  readonly triggers: readonly TriggerOut[];
  readonly schedules: readonly ScheduleOut[];
  readonly daemon: DaemonOut | null;
  readonly context: ContextOut | null;
  readonly report: Report;
  readonly modules: readonly PlatformModule[];
  readonly scheduleNameOf: (given: string, place: Place) => string;
  /** What an agent of that name is called here; undefined: there is none. */
  readonly known: (name: string) => string | undefined;
}

interface Route {
  readonly match?: Readonly<Record<string, unknown>>;
  readonly agent: string;
}

const ROUTES_MAX = 1_000;

/** The `spec` of gateway.yaml. */
export function gatewaySpec(parts: Parts): object {
  const { daemon, context } = parts;
  const routes = routesFrom(parts);
  const platforms = platformsFrom(parts);
  const schedules = schedulesOf(parts);
  const concurrency = context?.concurrency ?? daemon?.concurrency;
  const messages = context?.perMinute ?? daemon?.perMinute;
  const burst = daemon?.burst;
  const cost = context?.costCentsPerDay;
  return {
    ...(messages !== undefined && {
      limits: { global: { messages, per_seconds: 60, ...(burst !== undefined && { burst }) } },
    }),
    ...(cost !== undefined && { budgets: { global: { cost_cents: cost } } }),
    ...(routes.length > 0 && { routes }),
    ...(schedules.length > 0 && { schedules }),
    ...(Object.keys(platforms).length > 0 && { platforms }),
    ...(concurrency !== undefined && { queue: { concurrency } }),
  };
}

function schedulesOf({ schedules, triggers, daemon, agents, ...parts }: Parts): object[] {
  const platforms = new Set(triggers.map(({ platform }) => platform));
  const around = {
    ...parts,
    nameOf: parts.scheduleNameOf,
    agent: (daemon?.agent && parts.known(daemon.agent.name)) ?? agents[0]?.name,
    platform: platforms.size === 1 ? [...platforms][0] : undefined,
  };
  return schedules.flatMap((one) => writtenSchedule(one, around));
}

function routesFrom({ agents, triggers, daemon, report, known }: Parts): Route[] {
  const to = (name: string, place: Place): string | undefined => {
    const agent = known(name);
    if (agent === undefined) report(place, "left out: there is no agent of that name in the folder");
    return agent;
  };
  const routes = triggers.flatMap((trigger): Route[] => {
    const isOneOfSeveral = triggers.filter(({ platform }) => platform === trigger.platform).length > 1;
    const where = {
      platform: trigger.platform,
      ...(isOneOfSeveral && trigger.access.channels.length > 0 && { channel: trigger.access.channels }),
    };
    const byCommand = trigger.commands.flatMap(({ command, agent: name, place }): Route[] => {
      const agent = to(name, place);
      return agent === undefined ? [] : [{ match: { ...where, command }, agent }];
    });
    const agent = trigger.agent === null ? undefined : to(trigger.agent.name, trigger.agent.place);
    if (agent === undefined) return byCommand;
    const pattern = trigger.patterns.length > 0 && { pattern: trigger.patterns };
    return [...byCommand, { match: { ...where, ...pattern }, agent }];
  });
  // One trigger's answer to everything must not hide the commands of the next.
  const sorted = [...routes.filter(isNarrow), ...routes.filter((one) => !isNarrow(one))].slice(
    0,
    ROUTES_MAX - 1,
  );
  const asked = daemon?.agent ?? null;
  const byDefault = asked === null ? undefined : to(asked.name, asked.place);
  const [first] = agents;
  if (byDefault === undefined && first !== undefined && agents.length > 1 && sorted.length === 0)
    report(first.place, `answers whatever no route sends elsewhere, because no default_agent is named`);
  const last = byDefault ?? (sorted.length === 0 || agents.length === 1 ? first?.name : undefined);
  return last === undefined ? sorted : [...sorted, { agent: last }];
}

function isNarrow({ match }: Route): boolean {
  return match?.command !== undefined || match?.pattern !== undefined || match?.channel !== undefined;
}

/** Who may use each platform. Where several files say it, all of what they let in is let in, and nobody else. */
function platformsFrom({ triggers, daemon, report }: Parts): Record<string, object> {
  const lists = new Map<string, Partial<Record<AccessKey, string[]>>>();
  const add = (platform: string, key: AccessKey, ids: readonly string[]) => {
    if (ids.length === 0) return;
    const own = lists.get(platform) ?? {};
    own[key] = [...new Set([...(own[key] ?? []), ...ids])].slice(0, 10_000);
    lists.set(platform, own);
  };
  for (const { platform, access, place } of triggers) {
    for (const key of ACCESS) add(platform, key, access[key]);
    const others = triggers.filter((one) => one.platform === platform);
    const isOpen = ACCESS.some(
      (key) => access[key].length === 0 && others.some((one) => one.access[key].length > 0),
    );
    if (isOpen)
      report(
        place,
        "lets in no more than the other triggers of its platform do: access is one for each platform",
      );
  }
  for (const { platform, users, channels } of daemon?.access ?? []) {
    add(platform, "users", users);
    add(platform, "channels", channels);
  }
  const names = new Set([...lists.keys(), ...(daemon?.off ?? [])]);
  return Object.fromEntries(
    [...names].sort().map((name) => [
      name,
      {
        ...(daemon?.off.includes(name) && { enabled: false }),
        ...(lists.has(name) && { access: lists.get(name) }),
      },
    ]),
  );
}
