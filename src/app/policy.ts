import type { AdmissionPolicy, AllowList, PlatformPolicy } from "../admit/policy.ts";
import type { AgentSpec } from "../config/agent-schema.ts";
import { knownCommands } from "../config/commands-schema.ts";
import { allowance } from "../config/limits.ts";
import { routeKey } from "../config/model-keys.ts";
import { compilePattern, type Pattern } from "../config/pattern.ts";
import { rolesNamed } from "../config/roles.ts";
import { type GatewaySpec, PLATFORM_DEFAULTS, type PlatformSpec } from "../config/schema.ts";
import { busyModeOf, busyQuietMs } from "../config/schema-parts.ts";
import type { AgentMemory } from "../dispatch/memory.ts";
import type { ChosenBy } from "../domain/asking.ts";
import { LIMIT_SCOPES, type LimitScope, type LimitValue } from "../domain/controls.ts";
import { PLATFORMS, type Platform } from "../domain/event.ts";
import type { LanguageOf } from "../domain/language.ts";
import { commandName, type Route } from "../domain/route.ts";
import type { Retention } from "../ports/retention.ts";

/** The operator's words to what admission decides by. */
export function policyOf(
  spec: GatewaySpec,
  agents: ReadonlyMap<string, Pick<AgentSpec, "busy" | "chosen_by" | "approvals" | "menu">>,
  isPaused: AdmissionPolicy["isPaused"],
  limitOf: (scope: LimitScope) => LimitValue = (scope) => spec.limits[scope],
  languageOf?: LanguageOf,
): AdmissionPolicy {
  return {
    platforms: policiesOf(spec, agents),
    get limits() {
      const allowances = LIMIT_SCOPES.map((scope) => [scope, allowance(limitOf(scope))] as const);
      return Object.fromEntries(allowances) as AdmissionPolicy["limits"];
    },
    routes: routesOf(spec, languageOf),
    commands: knownCommands(
      spec.commands,
      [...agents.values()].flatMap(({ menu }) => menu ?? []),
    ),
    agents: new Map([...agents].map(([name, { busy }]) => [name, busyModeOf(busy)])),
    chosenBy: new Map([...agents].map(([name, { chosen_by }]) => [name, asChosenBy(chosen_by)])),
    maxAgeMs: spec.max_age_seconds === "off" ? null : spec.max_age_seconds * 1000,
    noticeWindowMs: spec.notices.window_seconds * 1000,
    isPaused,
  };
}

function asChosenBy(by: AgentSpec["chosen_by"]): ChosenBy {
  return typeof by === "string" ? by : new Set(by);
}

/** One that the configuration does not know decides by its verifier alone who reaches it at all. */
function policiesOf(spec: GatewaySpec, agents: Parameters<typeof policyOf>[1]): AdmissionPolicy["platforms"] {
  const unknown = PLATFORMS.map((name) => [name, PLATFORM_DEFAULTS] as const);
  const specs = Object.entries({ ...Object.fromEntries(unknown), ...spec.platforms });
  const policies = Object.fromEntries(
    specs.map(([name, one]) => {
      const named = rolesNamed(spec, agents.values(), name);
      return [name, { ...platformPolicy(one), ...(named.size > 0 && { rolesNamed: named }) }];
    }),
  );
  return policies as Readonly<Record<Platform, PlatformPolicy>>;
}

function platformPolicy(platform: PlatformSpec): PlatformPolicy {
  const { access } = platform;
  return {
    tenants: allowList(access.tenants),
    channels: allowList(access.channels),
    users: allowList(access.users),
    roles: allowList(access.roles ?? "any"),
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

/** Without one who tells languages, nothing is in any. */
export function routesOf(spec: GatewaySpec, languageOf: LanguageOf = () => null): readonly Route[] {
  const { names } = knownCommands(spec.commands, []);
  return spec.routes.map(({ match, agent, busy, model }, index) => ({
    agent,
    ...(model !== undefined && { model: routeKey(index) }),
    ...(busy !== undefined && { busy: busyModeOf(busy), quietMs: busyQuietMs(busy) }),
    match: {
      ...(match?.platform && { platforms: new Set(match.platform) }),
      ...(match?.tenant && { tenants: new Set(match.tenant) }),
      ...(match?.channel && { channels: new Set(match.channel) }),
      ...(match?.command && { commands: new Set(match.command.map((name) => byItsName(name, names))) }),
      ...(match?.role && { roles: new Set(match.role) }),
      ...(match?.attachment && { attachments: new Set(match.attachment) }),
      ...(match?.pattern && { patterns: match.pattern.map((pattern) => searcher(compilePattern(pattern))) }),
      ...(match?.language && { isInLanguage: isOneOf(new Set(match.language), languageOf) }),
    },
  }));
}

/** A route for an alias is one for its command. */
function byItsName(command: string, names: ReadonlyMap<string, string>): string {
  const [word = "", ...rest] = commandName(command).split(" ");
  return [names.get(word) ?? word, ...rest].join(" ");
}

function isOneOf(languages: ReadonlySet<string>, languageOf: LanguageOf): (text: string) => boolean {
  return (text) => {
    const language = languageOf(text);
    return language !== null && languages.has(language);
  };
}

/** A pattern looks at this much of a message, so that even a clumsy one stays cheap. */
const PATTERN_TEXT_CHARS_MAX = 1_000;

function searcher(pattern: Pattern): (text: string) => boolean {
  return (text) => pattern.test(text.slice(0, PATTERN_TEXT_CHARS_MAX));
}

/** How long what is over is kept; turns as long as the agent with the longest memory may show them. */
export function retentionOf({ retention }: GatewaySpec, agents: ReadonlyMap<string, AgentMemory>): Retention {
  return {
    finishedMs: retention.finished_seconds * 1000,
    deadMs: retention.dead_seconds * 1000,
    turnsMs: Math.max(...[...agents.values()].map(({ ttlMs }) => ttlMs)),
  };
}
