import type { TriggerEvent } from "./event.ts";
import type { Approval, AskedStep, DecidedStep, Step } from "./run.ts";
import type { Signal } from "./signal.ts";

export type { AskedStep, DecidedStep };

/** Who may decide what an agent asks. */
export interface Approvers {
  /** `platform:id`, or `platform:tenant:id`; null: whoever may use the agent. */
  readonly only: ReadonlySet<string> | null;
  /** Whether whoever asked may decide, too, in any case; null: as it is with the tool. */
  readonly self: boolean | null;
}

/** How an agent asks before it uses a tool that needs it. */
export interface ApprovalRules extends Approvers {
  readonly expiresMs: number;
}

export const APPROVAL_RULES: ApprovalRules = { only: null, self: null, expiresMs: 300_000 };

/** Whether nobody but whoever asked would hear of the question, and they may not decide it. */
export function hasNobodyToAsk(
  { isDirect }: Pick<TriggerEvent, "isDirect">,
  { only, self }: Approvers,
  isShown: boolean,
): boolean {
  return isDirect && only === null && !(self ?? !isShown);
}

/** All that a run has asked, in that order. */
export function approvalsIn(steps: readonly Step[]): readonly Approval[] {
  return steps.flatMap((asked, index) => {
    if (asked.kind !== "tool-asked") return [];
    const { kind: _, callId, ...question } = asked;
    const decided = decisionOn(asked, steps);
    const { verdict, by, reason } = decided ?? {};
    const outcome =
      verdict === undefined ? null : { verdict, by: by ?? null, ...(reason !== undefined && { reason }) };
    return [{ ...question, tool: toolOf(callId, steps.slice(0, index)), decided: outcome }];
  });
}

/** Of the last answer of the model before it: others may have calls of the same id. */
function toolOf(callId: string, before: readonly Step[]): string {
  const model = before.findLast((step) => step.kind === "model");
  const call = model?.kind === "model" ? model.toolCalls.find(({ id }) => id === callId) : undefined;
  return call?.name ?? "";
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

/** Nothing else is said of its event before it. */
export const FIRST_QUESTION = "ask/1";

/** Longer arguments stand in messages of their own, or in a file, before the question and its buttons. */
const ARGUMENTS_BELOW = 1_500;

export function isAskedApart({ question, shows }: Pick<AskedStep, "question" | "shows">): boolean {
  return shows !== undefined && question.length > ARGUMENTS_BELOW;
}

/** Names what is asked last among all that is said of an event beside its answer. */
export function questionKey(steps: readonly Step[]): string {
  const asked = steps.filter((step) => step.kind === "tool-asked");
  const last = asked.at(-1);
  return `${argumentsKey(steps)}${last !== undefined && isAskedApart(last) ? "/question" : ""}`;
}

/** Of its arguments, where they stand apart. */
export function argumentsKey(steps: readonly Step[]): string {
  return `ask/${steps.filter(({ kind }) => kind === "tool-asked").length}`;
}

/** Bots never decide. Of an agent that is not there any more, nobody does. */
export function mayDecide(
  by: TriggerEvent,
  asked: TriggerEvent,
  approvers: Approvers | null,
  { shows }: Pick<AskedStep, "shows">,
): boolean {
  if (approvers === null || by.sender.isBot || by.platform !== asked.platform || by.tenant !== asked.tenant)
    return false;
  const names = namesOf(by);
  if (namesOf(asked).some((name) => names.includes(name))) return approvers.self ?? shows === undefined;
  const { only } = approvers;
  if (only === null) return true;
  const { platform, tenant } = by;
  return names.some((id) => only.has(`${platform}:${id}`) || only.has(`${platform}:${tenant}:${id}`));
}

function namesOf({ sender }: TriggerEvent): readonly string[] {
  return [sender.id, ...(sender.alsoKnownAs ?? [])];
}

/** Arguments as they are given to the tool; nothing in it is invisible, or turns what stands beside it around. */
export function exactly(input: unknown): string {
  return (JSON.stringify(input, null, 2) ?? "null").replaceAll(UNSEEN, (signs) =>
    [...signs].flatMap(escapesOf).join(""),
  );
}

const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cn}\p{Co}\p{Zl}\p{Zp}\u007f-\u009f]/gu;

function escapesOf(sign: string): string[] {
  return sign.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
