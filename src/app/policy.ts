import type { AdmissionPolicy, AllowList, PlatformPolicy } from "../admit/policy.ts";
import { allowance } from "../config/limits.ts";
import { compilePattern, type Pattern } from "../config/pattern.ts";
import type { GatewaySpec } from "../config/schema.ts";
import { commandName, type Route } from "../dispatch/route.ts";

/** The operator's words to what admission decides by. */
export function policyOf(spec: GatewaySpec, isPaused: () => boolean): AdmissionPolicy {
  const { slack, discord, telegram, whatsapp } = spec.platforms;
  return {
    platforms: {
      slack: platformPolicy(slack),
      discord: platformPolicy(discord),
      telegram: platformPolicy(telegram),
      whatsapp: platformPolicy(whatsapp),
      test: DEVELOPER,
    },
    limits: {
      user: allowance(spec.limits.user),
      conversation: allowance(spec.limits.conversation),
      tenant: allowance(spec.limits.tenant),
      global: allowance(spec.limits.global),
    },
    maxAgeMs: spec.max_age_seconds === "off" ? null : spec.max_age_seconds * 1000,
    noticeWindowMs: spec.notices.window_seconds * 1000,
    isPaused,
  };
}

/** Who reaches the test webhook at all is decided by its verifier. */
const DEVELOPER: PlatformPolicy = {
  tenants: "any",
  channels: "any",
  users: "any",
  directMessages: "any",
  bots: "none",
  respondTo: "mention",
  dedupMs: 604_800_000,
  buttons: "run",
};

function platformPolicy(platform: GatewaySpec["platforms"]["discord"]): PlatformPolicy {
  const { access } = platform;
  return {
    tenants: allowList(access.tenants),
    channels: allowList(access.channels),
    users: allowList(access.users),
    directMessages:
      access.direct_messages === "deny"
        ? "deny"
        : access.direct_messages === "allow"
          ? "any"
          : new Set(access.direct_messages),
    bots: access.bots === "none" ? "none" : allowList(access.bots),
    respondTo: platform.respond_to,
    dedupMs: platform.dedup_seconds * 1000,
    buttons: platform.buttons,
  };
}

function allowList(list: "any" | readonly string[]): AllowList {
  return list === "any" ? "any" : new Set(list);
}

export function routesOf(spec: GatewaySpec): readonly Route[] {
  return spec.routes.map(({ match, agent }) => ({
    agent,
    match: {
      ...(match?.platform && { platforms: new Set(match.platform) }),
      ...(match?.tenant && { tenants: new Set(match.tenant) }),
      ...(match?.channel && { channels: new Set(match.channel) }),
      ...(match?.command && { commands: new Set(match.command.map(commandName)) }),
      ...(match?.pattern && { patterns: match.pattern.map((pattern) => searcher(compilePattern(pattern))) }),
    },
  }));
}

/** A pattern looks at this much of a message, so that even a clumsy one stays cheap. */
const PATTERN_TEXT_CHARS_MAX = 1_000;

function searcher(pattern: Pattern): (text: string) => boolean {
  return (text) => pattern.test(text.slice(0, PATTERN_TEXT_CHARS_MAX));
}
