import type { BusyMode } from "./busy.ts";
import type { TriggerEvent } from "./event.ts";

/** Every condition that is present must hold; an empty match takes everything. */
export interface RouteMatch {
  readonly platforms?: ReadonlySet<string>;
  readonly tenants?: ReadonlySet<string>;
  readonly channels?: ReadonlySet<string>;
  readonly commands?: ReadonlySet<string>;
  /** One of those of the sender is enough. */
  readonly roles?: ReadonlySet<string>;
  /** One file of these kinds is enough. */
  readonly attachments?: ReadonlySet<FileKind>;
  /** One is enough. */
  readonly patterns?: readonly ((text: string) => boolean)[];
  /** Whether it is written in one of the languages; false where nobody can tell. */
  readonly isInLanguage?: (text: string) => boolean;
}

export const FILE_KINDS = ["image", "audio", "video", "document", "any"] as const;
export type FileKind = (typeof FILE_KINDS)[number];

export interface Route {
  readonly match: RouteMatch;
  readonly agent: string;
  /** Absent: as its agent has it. */
  readonly busy?: BusyMode;
  /** By which the model of its runs is known; absent: as its agent has it. */
  readonly model?: string;
  /** Of a `busy` that is there: how long nothing may have come before what was collected is answered. */
  readonly quietMs?: number;
}

/** The agent of the first route that matches; null when none does. An event may name its agent itself (the test webhook). */
export function routeOf(
  event: TriggerEvent,
  routes: readonly Route[],
  agents: ReadonlyMap<string, unknown>,
): string | null {
  return agentBy(firstMatch(event, routes), event, agents);
}

/**
 * The same, and what the event does while a run of whoever answers it is in hand: `chosen`, where the event names none and
 * somebody else was chosen. The routes are gone through once.
 */
export function routingOf(
  event: TriggerEvent,
  routes: readonly Route[],
  agents: ReadonlyMap<string, BusyMode>,
  chosen: string | null = null,
): { readonly agent: string | null; readonly answerer: string | null; readonly busy: BusyMode } {
  const route = firstMatch(event, routes);
  const agent = agentBy(route, event, agents);
  const answerer = event.agent === undefined ? (chosen ?? agent) : agent;
  return { agent, answerer, busy: route?.busy ?? agents.get(answerer ?? "") ?? "queue" };
}

/** How long nothing may have come before a run of this agent begins, by the route or by the agent; 0: it begins at once. */
export function quietMsOf(
  event: TriggerEvent,
  routes: readonly Route[],
  agents: ReadonlyMap<string, number>,
  agent: string,
): number {
  const route = firstMatch(event, routes);
  return route?.busy === undefined ? (agents.get(agent) ?? 0) : (route.quietMs ?? 0);
}

/** By which the model of a run is known: of its command, or of the route that its agent has it by. Null: the agent's own. */
export function modelKeyOf(
  event: TriggerEvent,
  routes: readonly Route[],
  commands: ReadonlySet<string>,
  agent: string,
): string | null {
  const [word = ""] = commandName(event.command ?? "").split(" ", 1);
  if (word !== "" && commands.has(word)) return `/${word}`;
  if (routes.every(({ model }) => model === undefined)) return null;
  const route = firstMatch(event, routes);
  return route?.agent === agent ? (route.model ?? null) : null;
}

function agentBy(
  route: Route | undefined,
  event: TriggerEvent,
  agents: ReadonlyMap<string, unknown>,
): string | null {
  if (event.agent !== undefined) return agents.has(event.agent) ? event.agent : null;
  return route?.agent ?? null;
}

/** Of one that does not name its agent. */
function firstMatch(event: TriggerEvent, routes: readonly Route[]): Route | undefined {
  return event.agent === undefined ? routes.find((route) => matches(event, route)) : undefined;
}

/** Whether it is for whoever sends the event, in that place, whatever they say. */
export function reaches({ match }: Route, event: TriggerEvent): boolean {
  return (
    has(match.platforms, event.platform) &&
    has(match.tenants, event.tenant) &&
    has(match.channels, event.place) &&
    (match.roles === undefined || event.sender.roles?.some((role) => match.roles?.has(role)) === true)
  );
}

/** Whether the route that takes it is one for its command: that is for its agent, whoever else was chosen. */
export function isRoutedCommand(event: TriggerEvent, routes: readonly Route[]): boolean {
  return firstMatch(event, routes)?.match.commands !== undefined;
}

function matches(event: TriggerEvent, route: Route): boolean {
  const { match } = route;
  return (
    reaches(route, event) &&
    (match.commands === undefined || isCommand(event, match.commands)) &&
    (match.attachments === undefined || bringsOneOf(event, match.attachments)) &&
    (match.patterns === undefined || match.patterns.some((isMatch) => isMatch(event.text))) &&
    // Last, for it takes the longest.
    (match.isInLanguage === undefined || match.isInLanguage(event.text))
  );
}

function bringsOneOf({ attachments }: TriggerEvent, kinds: ReadonlySet<FileKind>): boolean {
  return attachments.some(({ kind }) => kinds.has("any") || (kinds as ReadonlySet<string>).has(kind));
}

/** Whether its files came with a later delivery: it was routed without them. */
export function hasGrown({ mayGrow, attachments }: TriggerEvent): boolean {
  return mayGrow === true && attachments.length > 0;
}

function has(set: ReadonlySet<string> | undefined, value: string): boolean {
  return set === undefined || set.has(value);
}

/** `/deploy` and `deploy` are the same; a route for `/deploy` also takes its subcommands (`/deploy run`). */
function isCommand({ command }: TriggerEvent, commands: ReadonlySet<string>): boolean {
  if (command === null) return false;
  const name = commandName(command);
  return commands.has(name) || commands.has(name.split(" ", 1)[0] ?? name);
}

/** A command as routes hold it: lower case, without its slash. */
export function commandName(command: string): string {
  return command.replace(/^\//, "").toLowerCase();
}
