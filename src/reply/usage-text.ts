import type { SpentThere } from "../ports/desk.ts";

export const NO_SUCH_DAY = "Expected a day such as `/usage 2026-11-29`, or nothing for today.";

const WHOSE = { user: "You", conversation: "This conversation" } as const;

/** What `/usage` shows: what whoever asks has spent, and nothing that others share. */
export function usageText({ day, timeZone, of }: SpentThere): string {
  if (of.length === 0)
    return "There is no budget for one person or one conversation here, so nothing is counted by them.";
  const lines = of.map(({ whose, costCents, heldCents, limitCents, modelCalls }) => {
    const calls = `${modelCalls} ${modelCalls === 1 ? "call" : "calls"} of a model`;
    const held = heldCents > 0 ? `, and up to ${cents(heldCents)} for calls that are not over` : "";
    return `- ${WHOSE[whose]}: ${cents(costCents)} of ${cents(limitCents)} US cents, ${calls}${held}`;
  });
  return `Spent on ${day} (${timeZone}):\n\n${lines.join("\n")}`;
}

/** Half a cent is something; a hundredth of one is not nothing. */
function cents(amount: number): string {
  return String(amount > 0 && amount < 0.01 ? "under 0.01" : Math.round(amount * 100) / 100);
}
