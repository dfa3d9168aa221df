import type { AgentSpec } from "../config/agent-schema.ts";
import type { ApprovalRules, ToolRules } from "../domain/approval.ts";

/** Who decides what an agent asks, and how, as its file has it. */
export function approvalRulesOf({ approvals, tools }: AgentSpec): ApprovalRules {
  const {
    approvers,
    self_approval: self = null,
    expires_seconds,
    min_approvers: needs,
    remember_seconds,
    place: where,
  } = approvals;
  const only = onlyOf(approvers);
  const place = placeOf(where);
  const own = tools.flatMap((tool): [string, ToolRules][] =>
    "approvals" in tool && tool.approvals !== undefined ? [[tool.name, toolRulesOf(tool.approvals)]] : [],
  );
  return {
    only,
    self,
    expiresMs: expires_seconds * 1000,
    needs,
    rememberMs: remember_seconds * 1000,
    place,
    tools: new Map(own),
  };
}

type Decided = AgentSpec["approvals"];

function toolRulesOf({
  approvers,
  place,
}: {
  readonly approvers?: Decided["approvers"] | undefined;
  readonly place?: Decided["place"] | undefined;
}): ToolRules {
  return {
    ...(approvers !== undefined && { only: onlyOf(approvers) }),
    ...(place !== undefined && { place: placeOf(place) }),
  };
}

function onlyOf(approvers: Decided["approvers"]): ApprovalRules["only"] {
  return approvers === "any" ? null : new Set(approvers);
}

function placeOf(where: Decided["place"]): ApprovalRules["place"] {
  if (where === "conversation") return null;
  return { ...where, tenant: where.tenant ?? null, thread: where.thread ?? null };
}
