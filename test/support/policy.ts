import type { PlatformPolicy } from "../../src/admit/policy.ts";
import { PLATFORMS, type Platform } from "../../src/domain/event.ts";

/** Lets everybody in. */
export const OPEN: PlatformPolicy = {
  tenants: "any",
  channels: "any",
  users: "any",
  roles: "any",
  directMessages: "any",
  bots: "none",
  respondTo: "mention",
  dedupMs: 604_800_000,
  buttons: "run",
};

/** On every platform that there is: whoever adds one has none to name here. */
export function everywhere(policy: PlatformPolicy): Readonly<Record<Platform, PlatformPolicy>> {
  const policies = Object.fromEntries(PLATFORMS.map((name) => [name, policy]));
  return policies as Readonly<Record<Platform, PlatformPolicy>>;
}
