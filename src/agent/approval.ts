import { type AskedStep, type DecidedStep, decisionOn, questionKey, wordOn } from "../domain/approval.ts";
import { decisionButtons } from "../domain/button.ts";
import { redacted } from "../domain/redact.ts";
import type { Step, ToolCall } from "../domain/run.ts";
import type { Hold } from "../ports/agent.ts";
import type { Clock } from "../ports/clock.ts";
import type { Tool } from "../ports/tool.ts";
import { approvalText, NOT_DECIDED, settledText } from "../reply/texts.ts";
import { QUESTION_CHARS_MAX } from "./bounds.ts";
import { notShown } from "./progress.ts";
import type { ToolResult } from "./tool-call.ts";

interface Asking {
  readonly runId: string;
  /** Grows as steps are kept. */
  readonly steps: readonly Step[];
  readonly keep: (step: Step) => Promise<void>;
  readonly hold: Pick<Hold, "heard" | "say" | "amend" | "join">;
  readonly clock: Pick<Clock, "nowMs">;
  readonly approvalMs: number;
}

/**
 * What was decided on a call that a person must approve; the question itself while nobody has. Asks, and records each of
 * it before it is acted upon, so that whoever goes on after a crash asks nobody twice and keeps to what was decided.
 */
export async function rulingOn(
  call: ToolCall,
  asks: NonNullable<Tool["asks"]>,
  asking: Asking,
): Promise<DecidedStep | AskedStep> {
  const asked = questionOn(call, asking.steps) ?? (await ask(call, asks, asking));
  const key = questionKey(asking.steps);
  const known = decisionOn(asked, asking.steps) ?? (await decide(asked, asking));
  if (known !== null) return await settled(known, asked, key, asking);
  await asking.hold.say(key, approvalText(asked), decisionButtons(asked.approvalId));
  // Somebody may have been quick.
  const quick = await decide(asked, asking);
  return quick === null ? asked : await settled(quick, asked, key, asking);
}

/** Whoever reads the question later sees what became of it, and presses nothing any more. */
async function settled(
  decided: DecidedStep,
  asked: AskedStep,
  key: string,
  { hold }: Asking,
): Promise<DecidedStep> {
  await hold.amend(key, settledText(asked, decided));
  if (decided.verdict === "expired") await hold.say(`${key}/expired`, NOT_DECIDED);
  return decided;
}

/** What the model is told of a call that was not approved. */
export function refusedCall({ verdict, by, reason }: DecidedStep): ToolResult {
  const why = reason === undefined ? "" : `: ${reason}`;
  if (verdict === "denied") return { result: `denied by ${by?.name ?? "somebody"}${why}`, isError: true };
  return { result: verdict === "withdrawn" ? WITHDRAWN : "no decision in time", isError: true };
}

const WITHDRAWN = "withdrawn: a newer message came before anybody decided";

/** Of the last answer of the model, to which the call belongs. */
function questionOn({ id }: ToolCall, steps: readonly Step[]): AskedStep | null {
  const since = steps.slice(steps.findLastIndex(({ kind }) => kind === "model") + 1);
  const found = since.find((step) => step.kind === "tool-asked" && step.callId === id);
  return found?.kind === "tool-asked" ? found : null;
}

async function ask(
  { id, input }: ToolCall,
  asks: NonNullable<Tool["asks"]>,
  { runId, steps, keep, clock, approvalMs }: Asking,
): Promise<AskedStep> {
  const number = steps.filter(({ kind }) => kind === "tool-asked").length + 1;
  const askedAtMs = clock.nowMs();
  const asked: AskedStep = {
    kind: "tool-asked",
    callId: id,
    approvalId: `apr_${runId.replace(/^run_/, "")}_${number}`,
    question: redacted(asks(input)).slice(0, QUESTION_CHARS_MAX).toWellFormed(),
    askedAtMs,
    untilMs: askedAtMs + approvalMs,
  };
  await keep(asked);
  return asked;
}

/** A word that came in time counts, also where it is found only after that. */
async function decide(asked: AskedStep, { keep, hold, clock, steps }: Asking): Promise<DecidedStep | null> {
  const { approvalId, untilMs } = asked;
  const word = wordOn(asked, hold.heard());
  const isOver = clock.nowMs() >= untilMs;
  if (word === null && !isOver && !(await isOvertaken(hold, steps))) return null;
  const decided: DecidedStep =
    word === null
      ? { kind: "tool-decided", approvalId, verdict: isOver ? "expired" : "withdrawn", by: null }
      : { ...word, kind: "tool-decided" };
  await keep(decided);
  return decided;
}

/** A message that interrupts is answered by this run from now on, and has not been shown to the model. */
async function isOvertaken({ heard, join }: Asking["hold"], steps: readonly Step[]): Promise<boolean> {
  const newer = heard().flatMap((signal) => (signal.kind === "interrupt" ? [signal.byEvent] : []));
  if (newer.length === 0 || join === undefined) return false;
  return notShown(await join(), steps).some(({ id }) => newer.includes(id));
}
