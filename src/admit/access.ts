import type { TriggerEvent } from "../domain/event.ts";
import type { AllowList, PlatformPolicy } from "./policy.ts";

/** What is not allowed about this event, for the operator; null when all of it is. */
export function forbidden(event: TriggerEvent, policy: PlatformPolicy): string | null {
  if (!allows(policy.tenants, event.tenant)) return "tenant";
  if (event.isDirect) {
    if (policy.directMessages === "deny") return "direct_message";
    if (!allows(policy.directMessages, ...namesOf(event))) return "direct_message";
  } else if (!allows(policy.channels, event.place)) return "channel";
  if (!allows(policy.users, ...namesOf(event))) return "user";
  // Not known yet: whoever runs it looks again.
  if (event.rolesDue === true) return null;
  return allows(policy.roles, ...(event.sender.roles ?? [])) ? null : "role";
}

export function allowsBot(event: TriggerEvent, policy: PlatformPolicy): boolean {
  return policy.bots !== "none" && allows(policy.bots, ...namesOf(event));
}

function namesOf({ sender }: TriggerEvent): readonly string[] {
  return [sender.id, ...(sender.alsoKnownAs ?? [])];
}

function allows(list: AllowList, ...ids: readonly string[]): boolean {
  return list === "any" || ids.some((id) => list.has(id));
}
