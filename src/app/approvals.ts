import type { ApprovalDeps, Decided } from "../admin/approvals.ts";
import { type Cast, castWord } from "../dispatch/decide.ts";
import { openQuestion } from "../domain/approval.ts";
import { onOneLine } from "../domain/text.ts";
import type { Clock } from "../ports/clock.ts";
import type { Questions } from "../ports/questions.ts";
import type { Store } from "../ports/store.ts";
import { neededText } from "../reply/approval-texts.ts";

/** An operator may decide whatever any agent asks, as one of those who have to. */
export function operatorsWord(
  { lanes }: Pick<Store, "lanes">,
  questions: Pick<Questions, "find">,
  clock: Pick<Clock, "nowMs">,
): ApprovalDeps["decide"] {
  return async ({ approvalId, verdict, choice, reason, by }) => {
    const found = await questions.find(approvalId);
    if (found === null) return { kind: "unknown" };
    const head = await lanes.head(found.lane);
    if (head === null || head.event.id !== found.eventId) return OVER;
    const open = openQuestion(head.progress?.steps ?? []);
    const answers = open?.approvalId === approvalId ? (open.choices?.length ?? 0) : Infinity;
    if (choice !== undefined && choice > answers) return noSuchChoice(choice, answers);
    const who = { id: by, name: `api:${by}`, from: "api" };
    const why = {
      ...(reason !== undefined && { reason: onOneLine(reason) }),
      ...(choice !== undefined && { choice }),
    };
    const cast = await castWord({ approvalId, verdict, by: who, ...why }, found.lane, head, { lanes, clock });
    return castAs(cast, verdict, by);
  };
}

function noSuchChoice(choice: number, answers: number): Decided {
  const message =
    answers === 0
      ? `choice: expected none, since this question has no answers of its own, got ${choice}`
      : `choice: expected a number from 1 to ${answers}, got ${choice}`;
  return { kind: "no-such-choice", message };
}

const OVER = { kind: "over", message: "It is over: the run that asked has ended" } as const;

function castAs(cast: Cast, verdict: "approved" | "denied", by: string): Decided {
  switch (cast.kind) {
    case "counted":
      if (cast.isNews) return { kind: "done", state: "waiting", needed: cast.needed };
      return { kind: "over", message: `${by} has approved it already; ${neededText(cast.needed)}` };
    case "late":
      return { kind: "over", message: "It is too late: the time to decide is over" };
    case "gone":
      return OVER;
    case "decided": {
      const { as } = cast;
      if (as.verdict === verdict && as.by?.from === "api" && as.by.id === by)
        return { kind: "done", state: verdict, needed: 0 };
      const who = as.by === null ? "" : ` by ${as.by.name}`;
      return { kind: "over", message: `It is decided already: ${as.verdict}${who}` };
    }
  }
}
