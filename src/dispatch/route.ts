import type { TriggerEvent } from "../domain/event.ts";

/** Every condition that is present must hold; an empty match takes everything. */
export interface RouteMatch {
  readonly platforms?: ReadonlySet<string>;
  readonly tenants?: ReadonlySet<string>;
  readonly channels?: ReadonlySet<string>;
  readonly commands?: ReadonlySet<string>;
  readonly pattern?: RegExp;
}

export interface Route {
  readonly match: RouteMatch;
  readonly agent: string;
}

/** The first route that matches; null when none does. An event may name its agent itself (the test webhook). */
export function routeOf(
  event: TriggerEvent,
  routes: readonly Route[],
  agents: ReadonlySet<string>,
): string | null {
  if (event.agent !== undefined && agents.has(event.agent)) return event.agent;
  return routes.find(({ match }) => matches(event, match))?.agent ?? null;
}

function matches(event: TriggerEvent, match: RouteMatch): boolean {
  return (
    has(match.platforms, event.platform) &&
    has(match.tenants, event.tenant) &&
    has(match.channels, event.place) &&
    (match.commands === undefined ||
      (event.command !== null && match.commands.has(withSlash(event.command)))) &&
    (match.pattern === undefined || match.pattern.test(event.text))
  );
}

function has(set: ReadonlySet<string> | undefined, value: string): boolean {
  return set === undefined || set.has(value);
}

export function withSlash(command: string): string {
  return command.startsWith("/") ? command : `/${command}`;
}
