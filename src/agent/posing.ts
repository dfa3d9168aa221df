import { type AskedStep, argumentsKey, isAskedApart, questionKey, votesOn } from "../domain/approval.ts";
import { answerButtons, decisionButtons } from "../domain/button.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { DecidedStep, Step } from "../domain/run.ts";
import type { Hold } from "../ports/agent.ts";
import {
  approvalText,
  argumentsText,
  askedElsewhereText,
  askerText,
  NOBODY_TO_ASK,
  NOT_DECIDED,
  PLACE_AWAY,
  PLACE_REFUSED,
  settledElsewhereText,
  settledText,
} from "../reply/approval-texts.ts";

// How a question stands before people: in its conversation, or in another place, and then the conversation is told no more
// than that it waits.

interface Posing {
  readonly event: TriggerEvent;
  readonly steps: readonly Step[];
  readonly hold: Pick<Hold, "say" | "amend" | "elsewhere">;
}

/** `away`: those who decide cannot be reached now. `refused`: nor later, before somebody changes something. */
export type Posed = "posed" | "away" | "refused";

/** Says it, once. */
export async function pose(asked: AskedStep, { event, steps, hold }: Posing): Promise<Posed> {
  const key = questionKey(steps);
  const { place } = asked;
  if (place === undefined) {
    if (isAskedApart(asked)) await hold.say(argumentsKey(steps), argumentsText(asked));
    await hold.say(key, approvalText(asked), buttonsOf(asked));
    return "posed";
  }
  const parts = [
    ...(isAskedApart(asked) ? [{ key: argumentsKey(steps), text: argumentsText(asked) }] : []),
    { key, text: `${askerText(event)}\n\n${approvalText(asked)}`, buttons: buttonsOf(asked) },
  ];
  for (const part of parts) {
    const said = (await hold.elsewhere?.say({ place, ...part })) ?? "refused";
    if (said === "said") continue;
    if (said === "away") await hold.say(`${key}/away`, PLACE_AWAY);
    return said;
  }
  await hold.say(key, askedElsewhereText(asked));
  return "posed";
}

/** Those who have approved so far are shown. */
export async function amendVotes(asked: AskedStep, { event, steps, hold }: Posing): Promise<void> {
  const text = approvalText(asked, votesOn(asked, steps));
  const { place } = asked;
  const key = questionKey(steps);
  if (place === undefined) await hold.amend(key, text, buttonsOf(asked));
  else
    await hold.elsewhere?.amend({
      place,
      key,
      text: `${askerText(event)}\n\n${text}`,
      buttons: buttonsOf(asked),
    });
}

/** Whoever reads the question later sees what became of it, and presses nothing any more. `stopped`: its run was. */
export async function closeQuestion(
  asked: AskedStep,
  decided: DecidedStep | "stopped",
  { event, steps, hold }: Posing,
): Promise<void> {
  const key = questionKey(steps);
  const votes = votesOn(asked, steps);
  const { place } = asked;
  if (decided !== "stopped" && asked.untilMs === asked.askedAtMs) return await hold.say(key, NOBODY_TO_ASK);
  if (place === undefined) await hold.amend(key, settledText(asked, decided, votes));
  else {
    const text = `${askerText(event)}\n\n${settledText(asked, decided, votes)}`;
    await hold.elsewhere?.amend({ place, key, text });
    await hold.amend(key, settledElsewhereText(asked, decided, votes));
  }
  if (decided !== "stopped" && decided.verdict === "expired")
    await hold.say(`${key}/expired`, decided.unasked ? PLACE_REFUSED : NOT_DECIDED);
}

function buttonsOf({ approvalId, rememberMs, choices }: AskedStep) {
  if (choices !== undefined) return answerButtons(approvalId, choices);
  return decisionButtons(approvalId, rememberMs !== undefined);
}
