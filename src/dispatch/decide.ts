import {
  type Approvers,
  approvalsIn,
  type DecidedStep,
  type Decision,
  decisionOn,
  fullName,
  isSame,
  isWhereAsked,
  mayDecide,
  openQuestion,
  rulesFor,
  tallyOf,
} from "../domain/approval.ts";
import { decisionIn } from "../domain/command.ts";
import { personOf } from "../domain/conversation.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { Approval, AskedStep, Step } from "../domain/run.ts";
import { onOneLine } from "../domain/text.ts";
import type { Audit } from "../ports/audit.ts";
import type { Clock } from "../ports/clock.ts";
import type { LaneHead, Lanes } from "../ports/lanes.ts";
import type { Questions } from "../ports/questions.ts";
import {
  ALWAYS,
  decidedText,
  NOT_YOURS_TO_DECIDE,
  NOTED,
  NOTHING_TO_DECIDE,
  notAmongText,
  notOpenText,
  TAKEN_BACK,
  TOO_LATE,
  VERDICTS,
  votedText,
} from "../reply/approval-texts.ts";

export interface CastDeps {
  readonly lanes: Pick<Lanes, "head" | "signal">;
  readonly clock: Pick<Clock, "nowMs">;
}

interface DecideDeps extends CastDeps {
  readonly approversOf: (agent: string) => Approvers | null;
  /** Where a question of this id is asked; absent: only those of the own conversation are found. */
  readonly questions?: Pick<Questions, "find">;
  /** Absent: nobody keeps who decided. */
  readonly audit?: Audit;
  readonly isRepeat?: boolean;
}

/**
 * `/approve` and `/deny`, and presses: a word on what a run has asked, wherever that run is parked, and whichever
 * conversation the word comes from. Each is told what was decided. Safe to repeat after a crash.
 */
export async function decide(event: TriggerEvent, deps: DecideDeps): Promise<string> {
  const said = decisionIn(event);
  const own = await deps.lanes.head(event.conversation);
  const id = said?.approvalId ?? openQuestion(own?.progress?.steps ?? [])?.approvalId ?? null;
  if (said === null || id === null) return NOTHING_TO_DECIDE;
  const isOwn = own !== null && isAskedBy(own, id);
  const lane = isOwn ? event.conversation : ((await deps.questions?.find(id))?.lane ?? null);
  const head = isOwn || lane === null ? own : await deps.lanes.head(lane);
  if (lane === null || head === null || !isAskedBy(head, id)) return notOpenText(id);
  const verdict = said.command === "approve" ? "approved" : "denied";
  const open = openQuestion(head.progress?.steps ?? []);
  const isOpen = open?.approvalId === id && rulingIn(head, open) === null;
  const about = open?.approvalId === id ? open : askedAs(head, id);
  const isHeard = isOwn || isWhereAsked(event, head.event, about?.place);
  if (isOpen || !isHeard) {
    const approvers = deps.approversOf(head.progress?.agent ?? "");
    const theirs = approvers && rulesFor(approvers, about?.use?.tool);
    const isTheirs = mayDecide(event, head.event, theirs, about ?? {});
    if (!isTheirs) return isOwn ? NOT_YOURS_TO_DECIDE : notOpenText(id);
  }
  const { sender, platform, tenant } = event;
  const isThere = platform === head.event.platform && tenant === head.event.tenant;
  const by = {
    // Whichever of their names the word comes by: a person counts once.
    id: personOf(event),
    name: onOneLine(sender.name),
    ...(!isThere && { from: `${platform}:${tenant}` }),
  };
  const answers = open?.choices?.length ?? 0;
  const isChoice = said.choice !== null && isOpen && answers > 0;
  if (isChoice && said.choice > answers) return notAmongText(answers);
  const isLasting = said.isAlways && open?.rememberMs !== undefined;
  const why = {
    ...(said.reason !== null && { reason: onOneLine(said.reason) }),
    ...(isLasting && { always: true as const }),
    ...(isChoice && { choice: said.choice }),
  };
  const cast = await castWord({ approvalId: id, verdict, by, ...why }, lane, head, deps);
  if (isOwnNews(cast, { verdict, by }, deps.isRepeat === true))
    await deps.audit?.write({
      ...{ actor: fullName(by, head.event), role: "member", action: "approval.decided", subject: id },
      after: {
        ...{ verdict, choice: isChoice ? said.choice : undefined, always: isLasting || undefined },
        ...{ state: cast.kind === "counted" ? "waiting" : verdict },
        ...{ needed: cast.kind === "counted" ? cast.needed : 0 },
      },
    });
  return castText(cast, { verdict, by, id, isChoice: isOpen && answers > 0 });
}

/** Whether this word has changed something: now, or just before the process died that had begun with it. */
function isOwnNews(
  cast: Cast,
  { verdict, by }: Pick<Decision, "verdict" | "by">,
  isRepeat: boolean,
): boolean {
  if (cast.kind === "counted") return cast.isNews || isRepeat;
  if (cast.kind !== "decided" || !(cast.isNews || isRepeat)) return false;
  const { as } = cast;
  return as.verdict === verdict && as.by !== null && isSame(as.by, by);
}

interface Said extends Pick<Decision, "verdict" | "by"> {
  readonly id: string;
  /** Of a question with answers of its own, which may mean no. */
  readonly isChoice: boolean;
}

function castText(cast: Cast, said: Said): string {
  switch (cast.kind) {
    case "counted":
      return votedText(cast.needed, cast.isNews);
    case "late":
      return TOO_LATE;
    case "gone":
      return notOpenText(said.id);
    case "decided":
      return outcomeText(cast.as, said);
  }
}

type Word = Pick<Decision, "approvalId" | "verdict" | "by" | "reason" | "always" | "choice">;

/** What became of a word: it was decided, by this or another; it is one of several that are needed; it has no use. */
export type Cast =
  | { readonly kind: "decided"; readonly as: DecidedStep | Decision; readonly isNews: boolean }
  /** `isNews` false: they had approved it before. */
  | { readonly kind: "counted"; readonly needed: number; readonly isNews: boolean }
  | { readonly kind: "late" | "gone" };

/** Says the word to the run that is the head of this lane. Whether whoever says it may do so was asked before. */
export async function castWord(word: Word, lane: string, head: LaneHead, deps: CastDeps): Promise<Cast> {
  const { approvalId, verdict, by } = word;
  const steps = head.progress?.steps ?? [];
  const before = rulingIn(head, { approvalId });
  if (before !== null) return { kind: "decided", as: before, isNews: false };
  const open = openQuestion(steps);
  if (open?.approvalId !== approvalId) return { kind: "gone" };
  const again = verdict === "approved" ? votedBefore(by, open, head) : null;
  if (again !== null) return again;
  const atMs = deps.clock.nowMs();
  if (atMs >= open.untilMs) return { kind: "late" };
  const ballot = isOneOfMany(open) ? { ballot: `${verdict} ${by.from ?? ""} ${by.id}` } : {};
  const decision: Decision = { kind: "decide", ...word, ...ballot, atMs };
  const { state, isKept } = await deps.lanes.signal(lane, decision);
  // Where it was parked and ours is kept, it is what counts.
  if (isKept && state === "parked") return countedBy(decision, open, steps);
  const now = await deps.lanes.head(lane);
  const ruling = now === null ? null : rulingIn(now, open);
  if (ruling !== null) return { kind: "decided", as: ruling, isNews: true };
  return (now !== null && votedBefore(by, open, now, true)) || { kind: "gone" };
}

function isOneOfMany({ needs = 1 }: AskedStep): boolean {
  return needs > 1;
}

function countedBy(decision: Decision, open: AskedStep, steps: readonly Step[]): Cast {
  const tally = tallyOf(open, steps, [decision]);
  if (tally.decision !== null) return { kind: "decided", as: tally.decision, isNews: true };
  return { kind: "counted", needed: (open.needs ?? 1) - tally.votes.length, isNews: true };
}

function votedBefore(by: Decision["by"], open: AskedStep, head: LaneHead, isNews = false): Cast | null {
  const { votes } = tallyOf(open, head.progress?.steps ?? [], head.signals);
  if (!votes.some((vote) => isSame(vote.by, by))) return null;
  return { kind: "counted", needed: (open.needs ?? 1) - votes.length, isNews };
}

function isAskedBy(head: LaneHead, approvalId: string): boolean {
  return askedAs(head, approvalId) !== null;
}

function askedAs({ progress }: LaneHead, approvalId: string): Approval | null {
  return approvalsIn(progress?.steps ?? []).find((asked) => asked.approvalId === approvalId) ?? null;
}

/** What was decided on this question: what the run has recorded, or is about to. */
function rulingIn(
  { progress, signals }: LaneHead,
  asked: Pick<AskedStep, "approvalId">,
): DecidedStep | Decision | null {
  const steps = progress?.steps ?? [];
  const whole = steps.find((step) => step.kind === "tool-asked" && step.approvalId === asked.approvalId);
  if (whole?.kind !== "tool-asked") return null;
  return decisionOn(asked, steps) ?? tallyOf(whole, steps, signals).decision;
}

function outcomeText(decided: DecidedStep | Decision, { verdict, by, isChoice }: Said): string {
  if (decided.verdict === "withdrawn") return TAKEN_BACK;
  if (decided.verdict === "expired" || decided.by === null) return TOO_LATE;
  // Said twice, or once and heard of twice.
  if (decided.verdict === verdict && isSame(decided.by, by) && isChoice) return NOTED;
  if (decided.verdict === verdict && isSame(decided.by, by))
    return decided.always ? ALWAYS : VERDICTS[verdict];
  return decidedText(decided.verdict, decided.by.name);
}
