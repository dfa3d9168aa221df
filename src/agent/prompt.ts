import type { FileViews } from "../domain/attachment.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { Step, Turn } from "../domain/run.ts";
import { type Condensed, compactedIn, condensed, summaryTurn } from "../domain/summary.ts";
import type { Run } from "../ports/agent.ts";
import type { Message, Prompt } from "../ports/model.ts";
import type { Equipment } from "../ports/tool.ts";
import { type Agent, modelsOf } from "./agent.ts";
import {
  CLIP_TOKENS_MIN,
  HISTORY_SHARE,
  HISTORY_TOKENS_MAX,
  REFERENCE_SHARE,
  TOOL_PICTURES_SHARE,
} from "./bounds.ts";
import { handedMessage } from "./hand-over.ts";
import { readablePdfs } from "./pdfs.ts";
import { eventMessages } from "./shown.ts";
import { estimateTokens, promptTokens } from "./tokens.ts";
import { shownPictures } from "./tool-pictures.ts";
import { ourLine, speaker } from "./voice.ts";

const GROUP_NOTE =
  "Several people talk in this conversation. Each of their messages begins with the name of who wrote it.";
const MENTION_NOTE =
  "To notify one of the people here, or to point to a channel, write @name or #channel, with the name exactly as it is shown.";
const CHOICES_NOTE =
  "Where the person should choose, you may end the answer with a code block named choices, with up to ten short choices, one on a line. They become buttons, and what is pressed comes back as their next message.";
const SCOPE_NOTES = {
  user: "You are shown what this person has said to you before, also elsewhere. Their newest message need not be about it.",
  channel:
    "You are shown what was said to you before in all threads of this channel. The newest message need not be about it.",
};
const FIRST_LEFT_OUT: Message = { role: "user", text: "(Earlier messages are left out.)" };
const GO_ON = "(Go on.)";
const PICTURES_LEFT_OUT = ourLine("images left out: they take more than the budget of a run has room for");

/** The prompt of the next model call: the same for the same run and steps, so that the provider can cache it. */
export function promptFor(
  run: Run,
  agent: Agent,
  steps: readonly Step[],
  equipment?: Pick<Equipment, "tools" | "notes">,
  joined?: readonly TriggerEvent[],
): Omit<Prompt, "maxTokens"> {
  return withMemory(frameOf(run, agent, steps, equipment, joined), run, steps);
}

/** A prompt as it is without memory, and how much of that it has room for. */
export interface Frame {
  readonly prompt: Omit<Prompt, "maxTokens">;
  /** Of instructions and tools. */
  readonly fixedTokens: number;
  /** What the run's budget leaves to memory. */
  readonly budgetTokens: number;
  /** What the limit of the model leaves to it, or that of the conversation; Infinity: there is none. */
  readonly roomTokens: number;
}

export function withMemory({ prompt, ...room }: Frame, run: Run, steps: readonly Step[]): Frame["prompt"] {
  const made = compactedIn(steps);
  const history = made === null || made.text === "" ? run.history : [...run.history, summaryTurn(made)];
  const tokensMax = Math.min(room.budgetTokens, room.roomTokens);
  const before = historyMessages(condensed(history), run.event.isDirect, tokensMax);
  return { ...prompt, messages: [...before, ...prompt.messages] };
}

export function frameOf(
  run: Run,
  agent: Agent,
  steps: readonly Step[],
  equipment: Pick<Equipment, "tools" | "notes"> = { tools: agent.tools, notes: [] },
  joined: readonly TriggerEvent[] = [],
): Frame {
  const { event } = run;
  const { tokensMax } = agent.limits;
  const referenceTokens = Math.min(tokensMax * REFERENCE_SHARE, HISTORY_TOKENS_MAX);
  const files = readablePdfs(run.files, agent);
  const now = eventMessages(event, run.earlier ?? [], referenceTokens, files);
  const before = now.slice(0, -1);
  const pictures = shownPictures(ownSteps(steps), tokensMax * TOOL_PICTURES_SHARE);
  const prompt = {
    system: [
      agent.systemPrompt,
      ...(event.isDirect ? [] : [GROUP_NOTE]),
      ...(agent.remembers === undefined ? [] : [SCOPE_NOTES[agent.remembers]]),
      ...(run.mayMention ? [MENTION_NOTE] : []),
      ...(agent.offersChoices ? [CHOICES_NOTE] : []),
      ...equipment.notes,
    ]
      .filter((part) => part !== "")
      .join("\n\n"),
    messages: [
      ...now,
      ...ownSteps(steps).flatMap((step) => stepMessages(step, joined, referenceTokens, files, pictures)),
    ],
    tools: equipment.tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })),
    turnId: event.id,
  };
  const fixedTokens = estimateTokens([prompt.system, prompt.tools]);
  return {
    prompt,
    fixedTokens,
    budgetTokens: Math.min(
      tokensMax * HISTORY_SHARE,
      referenceTokens - estimateTokens(before),
      // Files may take more than any memory.
      tokensMax * REFERENCE_SHARE - promptTokens(before),
    ),
    roomTokens: roomTokens(agent, fixedTokens, prompt.messages),
  };
}

function roomTokens(agent: Agent, fixedTokens: number, messages: readonly Message[]): number {
  const limit = limitOf(agent);
  if (limit === null) return Number.POSITIVE_INFINITY;
  return limit.tokens - promptTokens(messages) - (limit.isOfAll ? fixedTokens : 0);
}

/** How much a prompt should have at most; `isOfAll`: its instructions and tools among it. Null: nobody knows. */
function limitOf(agent: Agent): { tokens: number; isOfAll: boolean } | null {
  if (agent.compaction === undefined) return null;
  const { share, contextTokens } = agent.compaction;
  if (contextTokens !== undefined) return { tokens: contextTokens * share, isOfAll: false };
  const windows = modelsOf(agent).flatMap((one) => one.contextTokens ?? []);
  return windows.length === 0 ? null : { tokens: Math.min(...windows) * share, isOfAll: true };
}

/** Of a turn of memory, as the model is shown it. */
export function turnTokens({ role, name, text }: Turn): number {
  return estimateTokens({ role, name, text });
}

/** The summary, and the newest turns that fit beside it; the oldest of them may be clipped. */
function historyMessages({ summary, turns }: Condensed, isDirect: boolean, tokensMax: number): Message[] {
  if (summary !== null) {
    const text = turnTokens(summary) <= tokensMax ? summary.text : clip(summary.text, tokensMax);
    if (text === null) return [];
    const more = historyMessages({ summary: null, turns }, isDirect, tokensMax - turnTokens(summary));
    return [{ role: "user", text }, ...more.filter((message) => message !== FIRST_LEFT_OUT)];
  }
  let left = tokensMax;
  const messages: Message[] = [];
  for (const turn of turns.toReversed()) {
    if (turn.text.trim() === "") continue;
    const tokens = turnTokens(turn);
    const text = tokens <= left ? turn.text : clip(turn.text, left);
    if (text === null) break;
    messages.unshift(turnMessage(turn, text, isDirect));
    if (tokens > left) break;
    left -= tokens;
  }
  return messages[0]?.role === "assistant" ? [FIRST_LEFT_OUT, ...messages] : messages;
}

function clip(text: string, tokens: number): string | null {
  if (tokens < CLIP_TOKENS_MIN) return null;
  return `${text.slice(0, Math.floor(tokens)).toWellFormed()} […]`;
}

function turnMessage(turn: Turn, text: string, isDirect: boolean): Message {
  if (turn.role === "assistant") return { role: "assistant", text, toolCalls: [] };
  return { role: "user", text, ...(turn.name !== null && !isDirect && { name: speaker(turn.name) }) };
}

/** What the agents before did stays with them: their tools and their models may be others. */
function ownSteps(steps: readonly Step[]): readonly Step[] {
  const handedAt = steps.findLastIndex((step) => step.kind === "tool" && step.handed !== undefined);
  return steps.filter(({ kind }, index) => index >= handedAt || kind === "joined");
}

function stepMessages(
  step: Step,
  joined: readonly TriggerEvent[],
  contextTokensMax: number,
  files: FileViews | undefined,
  pictures: ReturnType<typeof shownPictures>,
): Message[] {
  if (step.kind === "joined") {
    const event = joined.find(({ id }) => id === step.eventId);
    return event === undefined ? [] : eventMessages(event, [], contextTokensMax, files);
  }
  if (step.kind !== "model" && step.kind !== "tool") return [];
  if (step.kind === "tool") {
    if (step.handed !== undefined) return [handedMessage(step.handed)];
    const { callId, result, isError } = step;
    const seen = pictures.get(step);
    const isHidden = seen === undefined && step.pictures !== undefined;
    const words = isHidden ? `${result}\n${PICTURES_LEFT_OUT}` : result;
    return [{ role: "tool", callId, result: words, isError, ...(seen && { pictures: seen }) }];
  }
  const { text, toolCalls, opaque } = step;
  const answer: Message = { role: "assistant", text, toolCalls, ...(opaque !== undefined && { opaque }) };
  // A prompt must not end with the model's own words: most models take that for an error.
  return step.stop === "pause" ? [answer, { role: "user", text: GO_ON, isGoOn: true }] : [answer];
}
