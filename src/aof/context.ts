import { PLATFORMS } from "../domain/event.ts";
import { costCents, idsOf } from "./ids.ts";
import { type Entry, Mapping, type Report } from "./source.ts";
import { countOf, flagOf, type Hints, listOf, rawText, reportRest, secondsOf } from "./values.ts";

/** What a context of AOF says about the agents that work in it. */
export interface ContextOut {
  readonly env: readonly Entry[];
  readonly approvers: readonly string[];
  readonly approvals: Readonly<Record<string, unknown>>;
  /** Tools whose names hold one of these ask before each call. */
  readonly asking: readonly string[];
  readonly runSeconds: number | undefined;
  readonly perMinute: number | undefined;
  readonly concurrency: number | undefined;
  readonly costCentsPerDay: number | undefined;
}

const HINTS: Hints = {
  namespace: "has no counterpart: name it in the system prompt, or as an argument of a tool; left out",
  cluster: "has no counterpart: name it in the system prompt; left out",
  cluster_name: "has no counterpart: name it in the system prompt; left out",
  working_dir: "has no counterpart: a tool runs in a folder of its own in the data folder; left out",
  audit: "not needed: every event is kept with its steps, see parley events and docs/operations.md",
  secrets: "not copied: secrets are variables of the process",
  notifications: "has no counterpart; left out",
  max_tokens_per_day: "has no counterpart: budgets of a day are in US cents; left out",
};

export function contextFrom(file: Mapping, report: Report): ContextOut {
  const spec = file.mapping("spec") ?? new Mapping(file.place, []);
  file.take("api_version", "apiversion");
  file.take("kind");
  file.take("metadata");
  const approval = spec.mapping("approval");
  const limits = spec.mapping("limits");
  const kubeconfig = spec.take("kubeconfig");
  const env = spec.take("env", "environment");
  // `~` means something to a shell alone.
  const path = rawText(kubeconfig, report);
  const KUBECONFIG =
    kubeconfig !== undefined && path !== undefined
      ? [{ place: kubeconfig.place, value: new Mapping(kubeconfig.place, [["KUBECONFIG", kubeconfig]]) }]
      : [];
  if (kubeconfig !== undefined && path?.includes("~"))
    report(
      kubeconfig.place,
      "became KUBECONFIG of all tools that are processes; ~ is not expanded: write the whole path",
    );
  const out = {
    env: [...KUBECONFIG, ...(env === undefined ? [] : [env])],
    ...approvalFrom(approval, report),
    runSeconds: secondsOf(
      limits?.take("max_execution_time_seconds", "timeout_seconds", "timeout_secs"),
      86_400,
      report,
    ),
    perMinute: countOf(
      limits?.take("max_requests_per_minute", "rate_limit_per_minute"),
      { min: 1, max: 1_000_000 },
      report,
    ),
    concurrency: countOf(
      limits?.take("max_concurrent", "max_concurrent_operations"),
      { min: 1, max: 10_000 },
      report,
    ),
    costCentsPerDay: costCents(limits?.take("max_cost_per_day"), report),
  };
  reportRest(limits, report, HINTS);
  reportRest(spec, report, HINTS);
  reportRest(file, report, HINTS);
  return out;
}

type Approval = Pick<ContextOut, "approvers" | "approvals" | "asking">;

function approvalFrom(approval: Mapping | undefined, report: Report): Approval {
  const isNeeded = flagOf(approval?.take("required", "enabled"), report);
  const people = idsOf(approval?.take("allowed_users", "approvers"), report);
  const approvers = people.flatMap(({ id, entry }) => {
    const [, platform] = /^([a-z]+):[^:\s$]+(?::[^:\s$]+)?$/.exec(id) ?? [];
    if (PLATFORMS.some((one) => one === platform)) return [id];
    report(entry.place, "left out: expected platform:id, as approvals.approvers has it");
    return [];
  });
  const expires = secondsOf(approval?.take("timeout_seconds", "timeout_secs"), 7 * 86_400, report);
  const min = countOf(approval?.take("min_approvers"), { min: 1, max: 10 }, report);
  const self = flagOf(approval?.take("allow_self_approval", "self_approval"), report);
  const patterns = listOf(approval?.take("require_for", "required_for"));
  const words = patterns.flatMap((entry) => {
    const word = rawText(entry, report);
    if (word === undefined) return [];
    const [, plain] = /^\^?(?:\.\*)?([\w-]{2,100})(?:\.\*)?\$?$/.exec(word) ?? [];
    if (plain === undefined)
      report(entry.place, "left out: approve has names of tools with * for any characters");
    return plain ?? [];
  });
  reportRest(approval, report);
  const asking = isNeeded === false ? [] : isNeeded === true && words.length === 0 ? [""] : words;
  return {
    approvers,
    asking: asking.map((word) => (word === "" ? "*" : word)),
    approvals: {
      ...(expires !== undefined && { expires_seconds: expires }),
      ...(min !== undefined && { min_approvers: min }),
      ...(self !== undefined && { self_approval: self }),
      // Where the file names nobody who can be named here, nobody may, until somebody is.
      ...(people.length > 0 && approvers.length === 0 && { approvers: ["test:nobody"] }),
    },
  };
}
