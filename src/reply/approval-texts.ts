import { type AskedStep, type DecidedStep, isAskedApart } from "../domain/approval.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { ToolEffect, Vote } from "../domain/run.ts";
import { code } from "./code.ts";
import { STOPPED } from "./texts.ts";

// What the bot itself says of approvals.

/** What somebody is asked before a tool is used. The words of the model are quoted, so that they pose as no one's else. */
export function approvalText(asked: AskedStep, votes: readonly Vote[] = []): string {
  const { approvalId, askedAtMs, untilMs, rememberMs } = asked;
  const needed = (asked.needs ?? 1) - votes.length;
  const so = votes.length > 0 ? `**Approved** by ${namesOf(votes)}; ${neededText(needed)}. ` : "";
  const many = so === "" && needed > 1 ? `${needed} people have to approve. ` : so;
  const lasting =
    rememberMs === undefined
      ? ""
      : `\`/approve ${approvalId} always\` lets me use it here without asking for ${spanText(rememberMs)}. `;
  if (asked.choices !== undefined)
    return `${questionText(asked)}\n\n${many}${answersText(asked, asked.choices)}`;
  return `${questionText(asked)}

${many}Approve with \`/approve ${approvalId}\`, deny with \`/deny ${approvalId}\` and a reason (where slash commands are not available: \`!approve\`, \`!deny\`). ${lasting}Without a decision within ${spanText(untilMs - askedAtMs)} I will not do it.`;
}

/** Above a question in another place than the conversation: who wants it, and where. */
export function askerText({
  platform,
  tenant,
  place,
  isDirect,
  sender,
}: Pick<TriggerEvent, "platform" | "tenant" | "place" | "isDirect" | "sender">): string {
  const where = isDirect ? `a direct message on ${platform}` : `${code(place)} on ${platform}`;
  return `For **${asWords(sender.name)}** (${code(`${platform}:${tenant}:${sender.id}`)}), who has written in ${where}:`;
}

/** What the conversation hears meanwhile: nothing of what it would be done with. */
export function askedElsewhereText({ approvalId, askedAtMs, untilMs, ...asked }: AskedStep): string {
  return `${needsText(asked)} I have asked for it in another place (${code(approvalId)}). Without a decision within ${spanText(untilMs - askedAtMs)} I will not do it.`;
}

export function settledElsewhereText(
  asked: AskedStep,
  decided: DecidedStep | "stopped",
  votes: readonly Vote[] = [],
): string {
  return `${needsText(asked)} ${chosenText(asked, decided) ?? outcomeText(decided, votes)}`;
}

function needsText({ shows, use, choices }: Pick<AskedStep, "shows" | "use" | "choices">): string {
  if (choices !== undefined) return "This needs an answer of somebody else.";
  if (shows === undefined || use === undefined) return "This needs an approval.";
  return `${code(use.tool)} needs an approval. ${EFFECTS[use.effect]}`;
}

/** Also in words, for where there are no buttons, or fewer. */
function answersText({ approvalId, askedAtMs, untilMs }: AskedStep, answers: readonly string[]): string {
  const list = answers.map((answer, index) => `${index + 1}. ${asWords(answer)}`).join("\n");
  return `${list}

Choose with \`/approve ${approvalId} 1\` and so on, or decline with \`/deny ${approvalId}\` (where slash commands are not available: \`!approve\`, \`!deny\`). I wait ${spanText(untilMs - askedAtMs)}.`;
}

/** What stands in the place of the question from then on. `stopped`: by /stop. */
export function settledText(
  asked: AskedStep,
  decided: DecidedStep | "stopped",
  votes: readonly Vote[] = [],
): string {
  return `${questionText(asked)}\n\n${chosenText(asked, decided) ?? outcomeText(decided, votes)}`;
}

/** So many more have to approve. */
export function neededText(more: number): string {
  return more === 1 ? "one more is needed" : `${more} more are needed`;
}

function namesOf(votes: readonly Vote[]): string {
  const names = votes.map(({ by }) => asWords(by.name));
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function questionText(asked: AskedStep): string {
  const { question, shows, use } = asked;
  if (shows === undefined || use === undefined)
    return asked.choices === undefined ? `**May I?**\n\n${quoted(question)}` : quoted(question);
  const { tool, effect } = use;
  const head = `**May I use** ${code(tool)}**?** ${EFFECTS[effect]}`;
  if (!isAskedApart(asked)) return `${head}\n\n${block(question)}`;
  return `${head} The ${question.length} characters above are what it is given.`;
}

/** Said before the question where it would be too long with them. */
export function argumentsText({ question, use }: AskedStep): string {
  return `This is what ${code(use?.tool ?? "")} would be given:\n\n${block(question)}`;
}

const EFFECTS: Readonly<Record<ToolEffect, string>> = {
  read: "It reads.",
  write: "It changes something.",
  delete: "It deletes something.",
};

/** Whatever it holds, it does not end before its end. */
function block(json: string): string {
  const longest = Math.max(2, ...[...json.matchAll(/`+/g)].map(([{ length }]) => length));
  const fence = "`".repeat(longest + 1);
  return `${fence}json\n${json}\n${fence}`;
}

function outcomeText(decided: DecidedStep | "stopped", votes: readonly Vote[]): string {
  if (decided === "stopped") return STOPPED;
  const by = asWords(decided.by?.name ?? "somebody");
  const why = decided.reason === undefined ? "." : `: ${asWords(decided.reason)}`;
  switch (decided.verdict) {
    case "approved":
      return `**Approved** by ${decided.by === null ? by : namesOf([...votes, { by: decided.by }])}${decided.always ? ", and always here" : ""}.`;
    case "denied":
      return `**Denied** by ${by}${why}`;
    case "expired":
      return NOT_DECIDED;
    case "withdrawn":
      return TAKEN_BACK;
  }
}

/** Null: there was nothing to choose from, or nothing was chosen. */
function chosenText({ choices }: AskedStep, decided: DecidedStep | "stopped"): string | null {
  if (choices === undefined || decided === "stopped" || decided.verdict !== "approved") return null;
  return `**${asWords(choices[(decided.choice ?? 1) - 1] ?? "")}**, chosen by ${asWords(decided.by?.name ?? "somebody")}.`;
}

function quoted(text: string): string {
  return text
    .split("\n")
    .map((line) => `> ${line}`)
    .join("\n");
}

/** Somebody's own words on one line, none of which is Markdown. */
function asWords(text: string): string {
  return text
    .replaceAll(/[\s\p{Cc}]+/gu, " ")
    .slice(0, 200)
    .toWellFormed()
    .replaceAll(/[!-/:-@[-`{-~]/g, "\\$&");
}

export const NOT_DECIDED = "Nobody decided in time, so I do not do it.";
export const NOBODY_TO_ASK =
  "This needs the approval of somebody else, and nobody else can give it here, so I do not do it. An administrator can say who may.";
export const PLACE_AWAY =
  "This needs an approval that is given in another place, which I cannot reach at the moment. I keep trying until the time to decide is over.";
export const PLACE_REFUSED =
  "This needs an approval that is given in another place, and I cannot ask there, so I do not do it. The operator can see why.";
export const NOTHING_TO_DECIDE = "Nothing waits for a decision here.";
export const NOT_YOURS_TO_DECIDE = "You are not among those who may decide this.";
export const TOO_LATE = "It is too late: the time to decide is over, so I do not do it.";
export const TAKEN_BACK = "A newer message came before anybody decided, so I do not do it.";
export const ALWAYS = "Approved, and always here; `/status` says until when, and `/reset` ends it.";
export const NOTED = "Your answer is noted.";
export const VERDICTS = { approved: "Approved.", denied: "Denied." } as const;

export function notAmongText(answers: number): string {
  return `That is not among the answers: expected a number from 1 to ${answers}.`;
}

/** `id`: of a question that is not open. */
export function notOpenText(id: string): string {
  return `\`${id}\` does not wait for a decision here: it was decided, it has expired, or it was never asked in this conversation.`;
}

/** Who has approved hears how many more have to. */
export function votedText(more: number, isNews: boolean): string {
  return `${isNews ? "Approved" : "You have approved it"}; ${neededText(more)}.`;
}

export function decidedText(verdict: "approved" | "denied", by: string): string {
  return `It is decided already: ${verdict} by ${by.replace(/[\s\p{Cc}]+/gu, " ").slice(0, 80)}.`;
}

function spanText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} seconds`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3_600)} hours`;
}
