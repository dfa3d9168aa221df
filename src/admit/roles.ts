import type { TriggerEvent } from "../domain/event.ts";
import type { RoleReader } from "../ports/roles.ts";
import type { PlatformPolicy } from "./policy.ts";

/**
 * The event with those roles of its sender that rules go by. Nobody waits for the platform here: where they are not known yet,
 * the event says so, and what goes by them is decided before it is run.
 */
export function withRoles(
  event: TriggerEvent,
  reader: RoleReader | undefined,
  { rolesNamed }: PlatformPolicy,
): TriggerEvent {
  if (reader === undefined || rolesNamed === undefined || event.sender.isBot) return event;
  const roles = reader.known(event, rolesNamed);
  return roles === null ? { ...event, rolesDue: true } : inRoles(event, roles);
}

/** The event, now that they are known. */
export function inRoles(due: TriggerEvent, roles: readonly string[]): TriggerEvent {
  const { rolesDue: _, ...event } = due;
  return roles.length === 0 ? event : { ...event, sender: { ...event.sender, roles } };
}
