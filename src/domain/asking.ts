import { isAmong } from "./approval.ts";
import type { TriggerEvent } from "./event.ts";
import { type Route, reaches } from "./route.ts";

/**
 * Who may ask for an agent by its name. `routes`: whoever a route to it reaches in that place, whatever has to be said for
 * that route. People as approvers are named.
 */
export type ChosenBy = "routes" | "any" | "none" | ReadonlySet<string>;

/** The agent that answers in a conversation, instead of that of the route. */
export interface AgentChoice {
  readonly agent: string;
  /** An agent has handed the conversation over. Absent: a person has chosen it. */
  readonly isHanded?: true;
}

const NAME = "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9_])?";
/** `@agent:ops why?`, `@ops: why?` */
const EXPLICIT = new RegExp(`^@agent:(${NAME})(?![A-Za-z0-9_])[:,.]?\\s*`, "i");
const SHORT = new RegExp(`^@(${NAME}):\\s*`);

export interface Asked {
  readonly name: string;
  /** What was said to it. */
  readonly rest: string;
  /** Nothing else can have been meant. */
  readonly isExplicit: boolean;
}

/** What a message says of who is to answer it; null: nothing. */
export function askedIn({ trigger, text }: Pick<TriggerEvent, "trigger" | "text">): Asked | null {
  if (trigger === "button") return null;
  const said = text.trimStart();
  const explicit = EXPLICIT.exec(said);
  const found = explicit ?? SHORT.exec(said);
  if (found?.[1] === undefined) return null;
  return { name: found[1], rest: said.slice(found[0].length), isExplicit: explicit !== null };
}

/** The agents that this person may ask for by name here, in their order. */
export function choosable(
  event: TriggerEvent,
  routes: readonly Route[],
  agents: ReadonlyMap<string, ChosenBy>,
): readonly string[] {
  return [...agents].flatMap(([name, by]) => (mayChoose(event, name, by, routes) ? [name] : []));
}

function mayChoose(event: TriggerEvent, name: string, by: ChosenBy, routes: readonly Route[]): boolean {
  if (by === "routes") return routes.some((route) => route.agent === name && reaches(route, event));
  return by === "any" || (by !== "none" && isAmong(by, event, true));
}

/** In any case of letters, where that is one alone. */
export function named(name: string, names: readonly string[]): string | null {
  if (names.includes(name)) return name;
  const near = names.filter((one) => one.toLowerCase() === name.toLowerCase());
  return near.length === 1 ? (near[0] ?? null) : null;
}

/** The event for the agent that it asks for by name, without that name; as it was, where it asks for none that it may. */
export function addressed(
  event: TriggerEvent,
  routes: readonly Route[],
  agents: ReadonlyMap<string, ChosenBy>,
): TriggerEvent {
  if (event.agent !== undefined || agents.size === 0) return event;
  const asked = askedIn(event);
  const agent = asked === null ? null : named(asked.name, choosable(event, routes, agents));
  if (asked === null || agent === null) return event;
  const isEmpty = asked.rest === "" && event.attachments.length === 0;
  return { ...event, agent, text: isEmpty ? event.text : asked.rest };
}
