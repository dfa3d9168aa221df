import {
  type ApprovalRules,
  type AskedStep,
  type DecidedStep,
  type Decision,
  decisionOn,
  exactly,
  hasNobodyToAsk,
  placeFor,
  rulesFor,
  tallyOf,
  votesOn,
} from "../domain/approval.ts";
import type { TriggerEvent } from "../domain/event.ts";
import { redacted, redactedJson } from "../domain/redact.ts";
import type { Step, ToolCall, Vote } from "../domain/run.ts";
import type { Hold } from "../ports/agent.ts";
import type { Clock } from "../ports/clock.ts";
import type { Tool } from "../ports/tool.ts";
import { PLACE_AGAIN_MS, QUESTION_CHARS_MAX } from "./bounds.ts";
import { amendVotes, closeQuestion, pose } from "./posing.ts";
import { notShown } from "./progress.ts";
import type { ToolResult } from "./tool-call.ts";

interface Asking {
  readonly runId: string;
  readonly event: TriggerEvent;
  /** Grows as steps are kept. */
  readonly steps: readonly Step[];
  readonly keep: (step: Step) => Promise<void>;
  readonly hold: Pick<Hold, "heard" | "say" | "amend" | "join" | "questions" | "elsewhere">;
  readonly clock: Pick<Clock, "nowMs">;
  readonly rules: ApprovalRules;
}

/** Nobody has decided yet; until then there is nothing to do. */
interface Waiting {
  readonly kind: "waiting";
  readonly untilMs: number;
}

/** It says more than a person can be shown. */
interface TooLong {
  readonly kind: "too-long";
  readonly chars: number;
}

/**
 * What was decided on a call that a person must approve; the question itself while nobody has. Asks, and records each of
 * it before it is acted upon, so that whoever goes on after a crash asks nobody twice and keeps to what was decided.
 */
export async function rulingOn(
  call: ToolCall,
  tool: AskingTool,
  asking: Asking,
): Promise<DecidedStep | Waiting | TooLong> {
  const grant = tool.offers === undefined ? await grantFor(tool, asking) : null;
  if (grant !== null) return { kind: "tool-decided", approvalId: "", verdict: "approved", by: grant.by };
  const asked = await ask(call, tool, asking);
  return asked.kind === "too-long" ? asked : await rulingOnAsked(asked, asking);
}

/** What a question comes to that was asked before, also when the tool would need none any more, or is gone. */
export async function rulingOnAsked(asked: AskedStep, asking: Asking): Promise<DecidedStep | Waiting> {
  const known = decisionOn(asked, asking.steps) ?? (await decide(asked, asking));
  if (known !== null) return await settled(known, asked, asking);
  await asking.hold.questions?.opened(asked);
  const posed = await pose(asked, asking);
  // Somebody may have been quick.
  const quick = (await decide(asked, asking)) ?? (posed === "refused" ? await unasked(asked, asking) : null);
  if (quick !== null) return await settled(quick, asked, asking);
  if (posed === "posed" && votesOn(asked, asking.steps).length > 0) await amendVotes(asked, asking);
  const againMs = posed === "away" ? asking.clock.nowMs() + PLACE_AGAIN_MS : Infinity;
  return { kind: "waiting", untilMs: Math.min(asked.untilMs, againMs) };
}

/** What was granted for the calls to come ends with the configuration that offered it. */
async function grantFor({ name }: AskingTool, { hold, rules }: Asking) {
  return rulesFor(rules, name).rememberMs > 0 ? ((await hold.questions?.allowed(name)) ?? null) : null;
}

async function settled(decided: DecidedStep, asked: AskedStep, asking: Asking): Promise<DecidedStep> {
  const { hold, steps } = asking;
  // Before it is said to be so. The same again after a crash.
  if (decided.always && decided.by !== null)
    await hold.questions?.allow(asked.use?.tool ?? "", {
      untilMs: lastsUntilMs(asked, decided),
      by: decided.by,
    });
  await hold.questions?.decided(asked, decided, votesOn(asked, steps));
  await closeQuestion(asked, decided, asking);
  return decided;
}

function lastsUntilMs({ askedAtMs, rememberMs = 0 }: AskedStep, { atMs = askedAtMs }: DecidedStep): number {
  return atMs + rememberMs;
}

/** What the model is told of a call that was not approved. */
export function refusedCall(ruling: DecidedStep | TooLong): ToolResult {
  if (ruling.kind === "too-long") {
    const result = `Expected at most ${QUESTION_CHARS_MAX} characters, which a person has to approve, got ${ruling.chars}`;
    return { result, isError: true };
  }
  const { verdict, by, reason } = ruling;
  const why = reason === undefined ? "" : `: ${reason}`;
  if (verdict === "denied") return { result: `denied by ${by?.name ?? "somebody"}${why}`, isError: true };
  return { result: verdict === "withdrawn" ? WITHDRAWN : "no decision in time", isError: true };
}

/** Of a question with answers of its own: what was answered, and by whom, as JSON. */
export function chosenAnswer(
  { verdict, by, reason, choice = 1 }: DecidedStep,
  answers: readonly string[],
): ToolResult {
  const who = by && { id: by.id, name: by.name };
  if (verdict === "approved")
    return { result: JSON.stringify({ choice: answers[choice - 1] ?? null, by: who }), isError: false };
  const why = { denied: reason ?? "denied", withdrawn: WITHDRAWN, expired: "no decision in time" }[verdict];
  return { result: JSON.stringify({ choice: null, by: who, reason: why }), isError: false };
}

const WITHDRAWN = "withdrawn: a newer message came before anybody decided";

/** Of the last answer of the model, to which the call belongs; null: nobody was asked yet. */
export function questionOn({ id }: ToolCall, steps: readonly Step[]): AskedStep | null {
  const since = steps.slice(steps.findLastIndex(({ kind }) => kind === "model") + 1);
  const found = since.find((step) => step.kind === "tool-asked" && step.callId === id);
  return found?.kind === "tool-asked" ? found : null;
}

export type AskingTool = Tool & { readonly asks: NonNullable<Tool["asks"]> };

export function asksFirst(tool: Tool | undefined): tool is AskingTool {
  return tool?.asks !== undefined;
}

async function ask(
  { id, input }: ToolCall,
  { name, effect, asks, offers }: AskingTool,
  { runId, event, steps, keep, clock, rules: all }: Asking,
): Promise<AskedStep | TooLong> {
  const rules = rulesFor(all, name);
  const isShown = asks === "call";
  const question = redacted(isShown ? exactly(input) : asks(input)).toWellFormed();
  if (question.length > QUESTION_CHARS_MAX) return { kind: "too-long", chars: question.length };
  const number = steps.filter(({ kind }) => kind === "tool-asked").length + 1;
  const askedAtMs = clock.nowMs();
  const asked: AskedStep = {
    kind: "tool-asked",
    callId: id,
    approvalId: `apr_${runId.replace(/^run_/, "")}_${number}`,
    question,
    ...(isShown && { shows: true }),
    use: { tool: name, effect },
    ...(rules.needs > 1 && { needs: rules.needs }),
    ...(rules.place !== null && { place: placeFor(rules.place, event) }),
    ...(offers === undefined && rules.rememberMs > 0 && { rememberMs: rules.rememberMs }),
    ...(offers !== undefined && { choices: redactedJson(offers(input)) }),
    askedAtMs,
    untilMs: askedAtMs + (hasNobodyToAsk(event, rules, isShown) ? 0 : rules.expiresMs),
  };
  await keep(asked);
  return asked;
}

/** A word that came in time counts, also where it is found only after that. */
async function decide(asked: AskedStep, { keep, hold, clock, steps }: Asking): Promise<DecidedStep | null> {
  const { approvalId, untilMs } = asked;
  const { decision, votes } = tallyOf(asked, steps, hold.heard());
  for (const vote of votes.slice(votesOn(asked, steps).length))
    await keep({ kind: "tool-voted", approvalId, ...vote });
  const atMs = clock.nowMs();
  const isOver = atMs >= untilMs;
  if (decision === null && !isOver && !(await isOvertaken(hold, steps))) return null;
  const decided: DecidedStep =
    decision === null
      ? { kind: "tool-decided", approvalId, verdict: isOver ? "expired" : "withdrawn", by: null, atMs }
      : stepOf(decision, votes);
  await keep(decided);
  return decided;
}

/** Those who decide cannot be reached, and nobody is kept waiting for them. */
async function unasked({ approvalId }: AskedStep, { keep, clock }: Asking): Promise<DecidedStep> {
  const decided: DecidedStep = {
    ...{ kind: "tool-decided", approvalId, verdict: "expired", by: null, atMs: clock.nowMs() },
    unasked: true,
  };
  await keep(decided);
  return decided;
}

function stepOf(
  { approvalId, verdict, by, reason, atMs, always, choice }: Decision,
  votes: readonly Vote[],
): DecidedStep {
  const isLasting = verdict === "approved" && always === true && votes.every((vote) => vote.always);
  const why = {
    ...(reason !== undefined && { reason }),
    ...(atMs !== undefined && { atMs }),
    ...(isLasting && { always }),
    ...(choice !== undefined && { choice }),
  };
  return { kind: "tool-decided", approvalId, verdict, by, ...why };
}

/** A message that interrupts is answered by this run from now on, and has not been shown to the model. */
export async function isOvertaken(
  { heard, join }: Pick<Asking["hold"], "heard" | "join">,
  steps: readonly Step[],
): Promise<boolean> {
  const newer = heard().flatMap((signal) => (signal.kind === "interrupt" ? [signal.byEvent] : []));
  if (newer.length === 0 || join === undefined) return false;
  return notShown(await join(), steps).some(({ id }) => newer.includes(id));
}
