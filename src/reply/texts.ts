import type { BudgetScope } from "../domain/budget.ts";
import type { UnsentFile } from "../domain/made-file.ts";
import type { MemoryScope } from "../domain/memory-scope.ts";
import type { Refusal } from "../domain/refusal.ts";
import type { DayOver } from "../ports/agent.ts";
import type { Grant } from "../ports/grants.ts";
import type { LaneState } from "../ports/lanes.ts";
import type { Notebook } from "../ports/notebooks.ts";
import { iso } from "../shared/time.ts";
import { code } from "./code.ts";

// Every word that the bot itself says to people, in one place; of approvals in approval-texts.ts, of /help in help-text.ts. What a platform's dialect adds (that a message may be a
// repeat) stands with its adapter; what a model says is its own.

/** One short honest line to a person whose message was not run. */
export function noticeText(refusal: Refusal): string {
  switch (refusal.cause) {
    case "rate_limited":
      return `That was too many messages at once${forWhom(refusal.detail)}. Please wait ${waitText(refusal.retryAfterMs)} and send it again.`;
    case "not_allowed":
      if (refusal.detail === "role")
        return "You need a role that I do not see with you. Ask where you have it, or an administrator.";
      return refusal.detail === "direct_message"
        ? "I do not take direct messages here. Please ask in a channel."
        : "You are not allowed to use me here. An administrator can change that.";
    case "paused":
      return "I am paused at the moment. Your message was not answered; please send it again later.";
    case "too_old":
      return "That message reached me too late to answer it. Please send it again.";
    case "not_installed":
      return "I am not set up for this workspace.";
    case "busy":
      return "I am busy; please ask again when I have answered.";
  }
}

function forWhom(scope: string): string {
  return scope === "user" ? "" : scope === "conversation" ? " in this conversation" : " for all of us here";
}

function waitText(ms: number | undefined): string {
  const seconds = Math.max(1, Math.ceil((ms ?? 1000) / 1000));
  return seconds < 120
    ? `${seconds} second${seconds === 1 ? "" : "s"}`
    : `${Math.ceil(seconds / 60)} minutes`;
}

export const GAVE_UP =
  "I could not answer this: something failed several times. The operator can see what it was.";
export const NO_AGENT = "No agent is set up to answer here.";
export const NOT_REACHED =
  "I could not answer this: the assistant could not be reached for too long. Please ask again; the operator can see why.";
/** Stands above the choices of an answer that has no other words. */
export const CHOOSE = "Please choose:";
/** Said while somebody waits for a model that is down. */
export const WAITING =
  "The assistant cannot be reached right now. Your message is kept and I keep trying; an answer follows as soon as there is one.";

/** Ends an answer that is shown while it grows, so that nobody takes it for the whole one. */
export const GROWING = "…";

export const FORGOTTEN: Readonly<Record<MemoryScope, string>> = {
  thread: "Done. I have forgotten this conversation; we start afresh.",
  user: "Done. I have forgotten what you have said to me, here and elsewhere; we start afresh.",
  channel: "Done. I have forgotten what was said in this channel; we start afresh.",
};
/** What `/notes` shows: as much as anybody there may read. */
export function notesText(books: readonly Notebook[], channel: string | null): string {
  if (books.length === 0) return "Nothing is noted about you or this conversation.";
  const lines = books.flatMap(({ owner, agent, notes }) =>
    notes.map(
      ({ id, text }) => `- \`${id}\` ${owner === channel ? "this channel" : "you"}, by ${agent}: ${text}`,
    ),
  );
  return `${lines.join("\n")}\n\n\`/notes erase all\` erases them, \`/notes erase\` with a number one of them.`;
}

export function notesErasedText(count: number): string {
  return count === 0 ? "There is no such note." : `Erased ${count === 1 ? "1 note" : `${count} notes`}.`;
}

export const NOTHING_TO_STOP = "Nothing is running here.";
export const STOPPING = "Stopping.";
export const STOPPED = "Stopped.";

export interface Status {
  /** What is used without asking. */
  readonly allowed?: readonly Pick<Grant, "agent" | "tool" | "untilMs">[];
  /** Null: no route matches. */
  readonly agent: {
    readonly name: string;
    readonly model: string;
    readonly chosen?: Answering["chosen"];
  } | null;
  readonly lane: LaneState;
  readonly isPaused: boolean;
  readonly version: string;
}

export function statusText({ agent, lane, allowed = [], isPaused, version }: Status): string {
  const lines = [
    agent === null
      ? NO_AGENT
      : `Agent **${agent.name}** answers here${whyText(agent.chosen)}, with ${agent.model}.${agent.chosen === undefined ? "" : ` ${BACK}`}`,
    LANE[lane],
    ...allowed.slice(0, ALLOWED_SHOWN).map(({ agent: whose, tool, untilMs }) => {
      return `${code(tool)} of ${code(whose)} needs no approval here until ${iso(untilMs)}.`;
    }),
    ...(isPaused ? ["I am paused: messages are not answered at the moment."] : []),
  ];
  return `${lines.join("\n")}\n\nParley ${version}`;
}

/** Before an answer that another agent gives than the one that was asked. */
export function handedText(from: string, to: string): string {
  return `_**${to}** answers here from now on: **${from}** has handed over. ${BACK}_`;
}

/** `names`: of those whom this person may choose. */
export function agentText({ agent, chosen }: Answering, names: readonly string[]): string {
  const who = agent === null ? NO_AGENT : `**${agent}** answers here${whyText(chosen)}.`;
  const others = names.filter((name) => name !== agent);
  if (others.length === 0) return `${who} There is no other agent that you can choose here.`;
  return `${who} You can also choose ${agentsText(others)}.\n\n${HOW_TO_CHOOSE}`;
}

export function chosenAgentText({ agent, chosen }: Answering): string {
  if (agent === null) return NO_AGENT;
  return chosen === undefined
    ? `**${agent}** answers here again, as it is set up.`
    : `From now on **${agent}** answers here. ${BACK}`;
}

/** The same for one that there is and that this person may not choose. */
export function noSuchAgentText(name: string, names: readonly string[]): string {
  const none = `There is no agent ${code(name.slice(0, 64))} that you can choose here.`;
  return names.length === 0
    ? none
    : `${none} There ${names.length === 1 ? "is" : "are"} ${agentsText(names)}.\n\n${HOW_TO_CHOOSE}`;
}

const HOW_TO_CHOOSE =
  "`/agent NAME` chooses one for this conversation (where slash commands are not available: `!agent NAME`), `@NAME: …` asks one once.";
const BACK = "`/agent default` goes back.";

interface Answering {
  readonly agent: string | null;
  readonly chosen?: { readonly isHanded?: true };
}

function whyText(chosen: Answering["chosen"]): string {
  if (chosen === undefined) return "";
  return chosen.isHanded ? ", to whom it was handed over" : ", as it was chosen";
}

function agentsText(names: readonly string[]): string {
  const shown = names.slice(0, NAMES_SHOWN).map((name) => `**${name}**`);
  const more = names.length - shown.length;
  if (more > 0) return `${shown.join(", ")} and ${more} more`;
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}

const NAMES_SHOWN = 50;
const ALLOWED_SHOWN = 20;

const LANE: Readonly<Record<LaneState, string>> = {
  idle: "Nothing is running in this conversation.",
  waiting: "A message in this conversation waits to be answered.",
  parked: "I wait for a decision in this conversation.",
  running: "I am working on an answer in this conversation.",
};

export const NO_WORDS = "I have no answer: the model ended its turn without a word.";
export const DECLINED = "I cannot help with that: the model declined to answer.";
export const CUT = "My answer reached its length limit, so it is not complete.";
export const AGENT_GONE =
  "I cannot answer: the agent that should do so is not set up any more. This is kept for the operator to look at.";

/** `what`: what went wrong, as far as the person should know. */
export function failedText(what = "the model is not available"): string {
  return `I cannot answer this: ${what}. It is kept for the operator to look at.`;
}

/** `of`: what there was no more of, and how much of it there had been. */
export function ranOutText(of: string): string {
  return `I ran out of ${of} before finishing.`;
}

/** Whose budget it is, and when it begins again. Of amounts only the operator hears. */
export function overTodayText({ scope, fitsInADay, beginsAgainInMs, timeZone }: DayOver): string {
  const whose = WHOSE_BUDGET[scope];
  if (!fitsInADay)
    return `An answer may cost more than the daily budget ${whose} allows. Only an administrator can change that.`;
  return `Not enough is left of today's budget ${whose}. It begins again ${inText(beginsAgainInMs)}, with the next day (${timeZone}).`;
}

const WHOSE_BUDGET: Readonly<Record<BudgetScope, string>> = {
  user: "for your messages",
  conversation: "for this conversation",
  tenant: "for everybody in this workspace",
  agent: "for this assistant",
  global: "for all of us together",
};

function inText(ms: number): string {
  const minutes = Math.max(1, Math.ceil(ms / 60_000));
  if (minutes <= 90) return `in ${minutes} minute${minutes === 1 ? "" : "s"}`;
  return `in ${Math.ceil(minutes / 60)} hours`;
}

/** The notice comes first: after half an answer it could end up inside an open code block. */
export function withPartial(notice: string, partial: string): string {
  return partial === "" ? notice : `${notice} This is what I have so far:\n\n${partial}`;
}

/** Below an answer: what its tools made, and is known not to be sent with it. */
export function unsentText(files: readonly UnsentFile[]): string {
  return files.map(({ name, why }) => `(The file \`${name}\` could not be sent: ${why}.)`).join("\n\n");
}

/** In place of files that the platform does not take after all. */
export function fileRefusedText(names: readonly string[]): string {
  const [whose, are] = names.length === 1 ? ["file", "it is"] : ["files", "they are"];
  const all = names.map((name) => `\`${name}\``).join(", ");
  return `(The ${whose} ${all} could not be sent: ${are} not taken here, or not kept any more.)`;
}

/** Of a model that has said nothing, but whose tools made something. */
export const HERE_IT_IS = "Here is what I have made.";
