import type { TriggerEvent } from "./event.ts";
import type { Step } from "./run.ts";
import type { Signal } from "./signal.ts";

export type AskedStep = Extract<Step, { kind: "tool-asked" }>;
export type DecidedStep = Extract<Step, { kind: "tool-decided" }>;

/** Who may decide what an agent asks. */
export interface Approvers {
  /** `platform:id`, or `platform:tenant:id`; null: whoever may use the agent. */
  readonly only: ReadonlySet<string> | null;
  /** Whether whoever asked may decide, too, in any case. */
  readonly self: boolean;
}

export type Decision = Extract<Signal, { kind: "decide" }>;
type Asked = Pick<AskedStep, "approvalId">;

/** What the run has recorded. */
export function decisionOn({ approvalId }: Asked, steps: readonly Step[]): DecidedStep | null {
  const found = steps.find((step) => step.kind === "tool-decided" && step.approvalId === approvalId);
  return found?.kind === "tool-decided" ? found : null;
}

/** What somebody has said, which the run is to record. */
export function wordOn({ approvalId }: Asked, signals: readonly Signal[]): Decision | null {
  const found = signals.find((one) => one.kind === "decide" && one.approvalId === approvalId);
  return found?.kind === "decide" ? found : null;
}

/** What a run waits for; null: for no decision. */
export function openQuestion(steps: readonly Step[]): AskedStep | null {
  const last = steps.findLast((step) => step.kind === "tool-asked");
  return last?.kind === "tool-asked" && decisionOn(last, steps) === null ? last : null;
}

/** Bots never decide. Of an agent that is not there any more, nobody does. */
export function mayDecide(by: TriggerEvent, asked: TriggerEvent, approvers: Approvers | null): boolean {
  if (approvers === null || by.sender.isBot || by.platform !== asked.platform || by.tenant !== asked.tenant)
    return false;
  const names = namesOf(by);
  if (namesOf(asked).some((name) => names.includes(name))) return approvers.self;
  const { only } = approvers;
  if (only === null) return true;
  const { platform, tenant } = by;
  return names.some((id) => only.has(`${platform}:${id}`) || only.has(`${platform}:${tenant}:${id}`));
}

function namesOf({ sender }: TriggerEvent): readonly string[] {
  return [sender.id, ...(sender.alsoKnownAs ?? [])];
}
