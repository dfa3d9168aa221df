import { OF_PROGRAMS, type TriggerEvent } from "./event.ts";
import { redactedJson } from "./redact.ts";
import type { Approval, ApprovalPlace, AskedStep, DecidedStep, Step, ToolCall, Vote } from "./run.ts";
import type { Decider, Signal } from "./signal.ts";

export type { AskedStep, DecidedStep };

/** Who may decide what an agent asks. */
export interface Approvers {
  /** `platform:id`, `platform:tenant:id`, or `platform:role:tenant:id`; null: whoever may use the agent there. */
  readonly only: ReadonlySet<string> | null;
  /** Whether whoever asked may decide, too, in any case; null: as it is with the tool. */
  readonly self: boolean | null;
  /** Of tools that have rules of their own, by the names under which they are configured. */
  readonly tools?: ReadonlyMap<string, ToolRules>;
}

/** What is said of one tool in place of what is said of all. */
export type ToolRules = Partial<Pick<ApprovalRules, "only" | "place">>;

/** How an agent asks before it uses a tool that needs it. */
export interface ApprovalRules extends Approvers {
  readonly expiresMs: number;
  /** So many people must approve; one who denies decides. */
  readonly needs: number;
  /** How long whoever approves may let the tool be used without asking; 0: not at all. */
  readonly rememberMs: number;
  /** Where it is asked; null: in the conversation. */
  readonly place: ApprovalPlace | null;
}

export const APPROVAL_RULES: ApprovalRules = {
  only: null,
  self: null,
  expiresMs: 300_000,
  needs: 1,
  rememberMs: 0,
  place: null,
};

/** As they hold for this tool, which the model sees as `name` or `name__tool`. */
export function rulesFor<R extends Approvers>(rules: R, tool: string | undefined): R {
  const own = rules.tools?.get(tool?.split("__")[0] ?? "");
  return own === undefined ? rules : { ...rules, ...own };
}

/** Whether nobody but whoever asked would hear of the question, and they may not decide it. */
export function hasNobodyToAsk(
  { isDirect }: Pick<TriggerEvent, "isDirect">,
  { only, self, place }: Approvers & Pick<ApprovalRules, "place">,
  isShown: boolean,
): boolean {
  return isDirect && only === null && place === null && !(self ?? !isShown);
}

/** All that a run has asked, in that order. */
export function approvalsIn(steps: readonly Step[]): readonly Approval[] {
  return steps.flatMap((asked, index) => {
    if (asked.kind !== "tool-asked") return [];
    const { kind: _, callId, ...question } = asked;
    const decided = decisionOn(asked, steps);
    const { verdict, by, reason, atMs, unasked } = decided ?? {};
    const why = {
      ...(reason !== undefined && { reason }),
      ...(atMs !== undefined && { atMs }),
      ...(unasked && { unasked }),
    };
    const outcome = verdict === undefined ? null : { verdict, by: by ?? null, ...why };
    const call = callOf(callId, steps.slice(0, index));
    const votes = votesOn(asked, steps);
    const about = { tool: call?.name ?? "", ...(call && { input: redactedJson(call.input) }) };
    return [{ ...question, ...about, ...(votes.length > 0 && { votes }), decided: outcome }];
  });
}

/** Of the last answer of the model before it: others may have calls of the same id. */
function callOf(callId: string, before: readonly Step[]): ToolCall | undefined {
  const model = before.findLast((step) => step.kind === "model");
  return model?.kind === "model" ? model.toolCalls.find(({ id }) => id === callId) : undefined;
}

export type Decision = Extract<Signal, { kind: "decide" }>;
type Asked = Pick<AskedStep, "approvalId">;

/** What the run has recorded. */
export function decisionOn({ approvalId }: Asked, steps: readonly Step[]): DecidedStep | null {
  const found = steps.find((step) => step.kind === "tool-decided" && step.approvalId === approvalId);
  return found?.kind === "tool-decided" ? found : null;
}

/** Those who have approved a question that others have to approve as well. */
export function votesOn({ approvalId }: Asked, steps: readonly Step[]): readonly Vote[] {
  return steps.flatMap((step) => {
    if (step.kind !== "tool-voted" || step.approvalId !== approvalId) return [];
    const { by, atMs, always } = step;
    return [{ by, ...(atMs !== undefined && { atMs }), ...(always && { always }) }];
  });
}

/** What was said on a question comes to. */
export interface Tally {
  /** Null: more have to approve. */
  readonly decision: Decision | null;
  /** Who approves, each once, but for whoever decides with it; those that the run has recorded come first. */
  readonly votes: readonly Vote[];
}

/** In the order in which it was said: whoever denies decides, and so does the last who is needed. */
export function tallyOf(
  asked: Pick<AskedStep, "approvalId" | "needs">,
  steps: readonly Step[],
  signals: readonly Signal[],
): Tally {
  const votes = [...votesOn(asked, steps)];
  for (const signal of signals) {
    if (signal.kind !== "decide" || signal.approvalId !== asked.approvalId) continue;
    if (signal.verdict === "denied") return { decision: signal, votes };
    if (votes.some(({ by }) => isSame(by, signal.by))) continue;
    if (votes.length + 1 >= (asked.needs ?? 1)) return { decision: signal, votes };
    const { by, atMs, always } = signal;
    votes.push({ by, ...(atMs !== undefined && { atMs }), ...(always && { always }) });
  }
  return { decision: null, votes };
}

/** `platform:tenant:id`, or `api:name`. */
export function fullName(
  { id, from }: Decider,
  { platform, tenant }: Pick<TriggerEvent, "platform" | "tenant">,
): string {
  return `${from ?? `${platform}:${tenant}`}:${id}`;
}

export function isSame(one: Decider, other: Decider): boolean {
  return one.id === other.id && one.from === other.from;
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

/**
 * Bots never decide. Of an agent that is not there any more, nobody does. What is asked in a place is decided there. A program
 * passes on words of anybody's, under a name that it gives them: they decide nothing, unless that name is named.
 */
export function mayDecide(
  by: TriggerEvent,
  asked: TriggerEvent,
  approvers: Approvers | null,
  { shows, place }: Partial<Pick<AskedStep, "shows" | "place">>,
): boolean {
  if (approvers === null || by.sender.isBot) return false;
  const isThere = by.platform === asked.platform && by.tenant === asked.tenant;
  const isNear = isWhereAsked(by, asked, place) && by.platform !== OF_PROGRAMS;
  const { only, self } = approvers;
  const isNamed = only !== null && isAmong(only, by, isThere || by.platform !== asked.platform);
  const names = namesOf(by);
  const isAsker = isThere && namesOf(asked).some((name) => names.includes(name));
  if (isAsker) return (self ?? shows === undefined) && (isNear || isNamed);
  return only === null ? isNear : isNamed;
}

/** Where the question stands, for who may read it. */
export function isWhereAsked(
  by: TriggerEvent,
  asked: TriggerEvent,
  place: ApprovalPlace | undefined,
): boolean {
  if (place !== undefined) return isIn(place, by);
  const isThere = by.platform === asked.platform && by.tenant === asked.tenant;
  return isThere && (by.conversation === asked.conversation || by.place === asked.place);
}

/** A channel, a thread that is named as one, or the direct messages with whoever has that id. */
function isIn({ platform, tenant, channel }: ApprovalPlace, by: TriggerEvent): boolean {
  if (by.platform !== platform || (tenant !== null && by.tenant !== tenant)) return false;
  return by.place === channel || by.thread === channel || (by.isDirect && by.sender.id === channel);
}

/** In the workspace of whoever asks, where nothing else is said and there can be one. */
export function placeFor(
  place: ApprovalPlace,
  { platform, tenant }: Pick<TriggerEvent, "platform" | "tenant">,
): ApprovalPlace {
  return place.tenant === null && place.platform === platform ? { ...place, tenant } : place;
}

/** Without `isKnown`, an id alone may be that of somebody else, in another workspace. */
export function isAmong(only: ReadonlySet<string>, by: TriggerEvent, isKnown: boolean): boolean {
  const { platform, tenant, sender } = by;
  const roles = (sender.roles ?? []).map((id) => `role:${tenant}:${id}`);
  const ids = namesOf(by).flatMap((id) => [`${tenant}:${id}`, ...(isKnown ? [id] : [])]);
  return [...ids, ...roles].some((name) => only.has(`${platform}:${name}`));
}

function namesOf({ sender }: TriggerEvent): readonly string[] {
  return [sender.id, ...(sender.alsoKnownAs ?? [])];
}

/** Arguments as they are given to the tool; nothing in it is invisible, or turns what stands beside it around. */
export function exactly(input: unknown): string {
  return (JSON.stringify(input, null, 2) ?? "null").replaceAll(UNSEEN, (signs) => escapesOf(signs).join(""));
}

const UNSEEN = /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cn}\p{Co}\p{Zl}\p{Zp}\u007f-\u009f]/gu;

function escapesOf(sign: string): string[] {
  return sign.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
