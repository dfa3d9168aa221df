import type { AgentSpec } from "./agent-schema.ts";
import type { GatewaySpec, PlatformSpec } from "./schema.ts";

/** Ids of roles that anything goes by on that platform: access, routes, where tools only read, and who chooses and decides. */
export function rolesNamed(
  { platforms, routes, read_only }: Pick<GatewaySpec, "platforms" | "routes" | "read_only">,
  agents: Iterable<Pick<AgentSpec, "chosen_by" | "approvals"> & Partial<Pick<AgentSpec, "tools">>>,
  platform: string,
): ReadonlySet<string> {
  const spec: PlatformSpec | undefined = platforms[platform];
  const { roles = "any" } = spec?.access ?? {};
  const prefix = `${platform}:role:`;
  const people = [...agents].flatMap(({ chosen_by, approvals, tools = [] }) =>
    [
      ...[chosen_by, approvals.approvers],
      ...tools.flatMap((tool) => ("approvals" in tool ? (tool.approvals?.approvers ?? []) : [])),
    ].flatMap((list) => (typeof list === "string" ? [] : list)),
  );
  return new Set([
    ...(roles === "any" ? [] : roles),
    ...routes.flatMap(({ match }) =>
      match?.platform?.includes(platform as never) === false ? [] : (match?.role ?? []),
    ),
    ...read_only.flatMap((rule) =>
      "role" in rule && (rule.platform ?? platform) === platform ? (rule.role ?? []) : [],
    ),
    ...people.flatMap((one) => (one.startsWith(prefix) ? (one.split(":").at(-1) ?? []) : [])),
  ]);
}
