import type { ReadOnlyRules } from "../config/read-only-schema.ts";
import type { ToolCaller } from "../ports/tool.ts";

type Rule = ReadOnlyRules[number];
type Said = ToolCaller["event"];

/** Whether tools that do more than read need an approval there: the first rule that fits decides. */
export function isReadOnlyFor(rules: ReadOnlyRules): (event: Said) => boolean {
  return (event) => rules.find((rule) => isAbout(rule, event))?.read_only ?? false;
}

function isAbout(rule: Rule, { platform, tenant, place, sender }: Said): boolean {
  const {
    tenant: tenants,
    channel,
    role,
  } = { tenant: undefined, channel: undefined, role: undefined, ...rule };
  const hasRole = role?.some((one) => sender.roles?.includes(one) === true) ?? true;
  return (
    (rule.platform ?? platform) === platform &&
    (tenants?.includes(tenant) ?? true) &&
    (channel?.includes(place) ?? true) &&
    hasRole
  );
}
