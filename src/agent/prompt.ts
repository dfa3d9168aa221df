import type { Attachment, TriggerEvent } from "../domain/event.ts";
import type { Step, Turn } from "../domain/run.ts";
import type { Run } from "../ports/agent.ts";
import type { Message, Prompt } from "../ports/model.ts";
import type { Agent } from "./agent.ts";
import { ATTACHMENTS_MAX, HISTORY_SHARE, HISTORY_TOKENS_MAX, NAME_CHARS_MAX } from "./bounds.ts";

const GROUP_NOTE =
  "Several people talk in this conversation. Each of their messages begins with the name of who wrote it.";
const LEFT_OUT = "(Earlier messages are left out.)";
const GO_ON = "(Go on.)";
/** Fewer bytes than in most tokens, so that an estimate is rather too high. */
const BYTES_PER_TOKEN = 3;
const CLIP_TOKENS_MIN = 100;

/** The prompt of the next model call: the same for the same run and steps, so that the provider can cache it. */
export function promptFor(run: Run, agent: Agent, steps: readonly Step[]): Omit<Prompt, "maxTokens"> {
  const { event } = run;
  return {
    system: [agent.systemPrompt, ...(event.isDirect ? [] : [GROUP_NOTE])]
      .filter((part) => part !== "")
      .join("\n\n"),
    messages: [
      ...historyMessages(run.history, event.isDirect, agent.limits.tokensMax),
      ...eventMessages(event),
      ...steps.flatMap(stepMessages),
    ],
    tools: agent.tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })),
    turnId: event.id,
  };
}

/** Rather too high than too low, except for scripts that need more than one token for three bytes. */
export function estimateTokens(value: unknown): number {
  return Math.ceil(Buffer.byteLength(JSON.stringify(value)) / BYTES_PER_TOKEN);
}

/** The newest turns that fit; the oldest of them may be clipped. */
function historyMessages(history: readonly Turn[], isDirect: boolean, tokensMax: number): Message[] {
  let left = Math.min(tokensMax * HISTORY_SHARE, HISTORY_TOKENS_MAX);
  const messages: Message[] = [];
  for (const turn of history.toReversed()) {
    if (turn.text.trim() === "") continue;
    const tokens = estimateTokens(turn);
    const text = tokens <= left ? turn.text : clip(turn.text, left);
    if (text === null) break;
    messages.unshift(turnMessage(turn, text, isDirect));
    if (tokens > left) break;
    left -= tokens;
  }
  return messages[0]?.role === "assistant" ? [{ role: "user", text: LEFT_OUT }, ...messages] : messages;
}

function clip(text: string, tokens: number): string | null {
  if (tokens < CLIP_TOKENS_MIN) return null;
  return `${text.slice(0, Math.floor(tokens)).toWellFormed()} […]`;
}

function turnMessage(turn: Turn, text: string, isDirect: boolean): Message {
  if (turn.role === "assistant") return { role: "assistant", text, toolCalls: [] };
  return { role: "user", text, ...(turn.name !== null && !isDirect && { name: speaker(turn.name) }) };
}

/** What came with the message is said before it, so that the last message is what the person wrote. */
function eventMessages(event: TriggerEvent): Message[] {
  const who = event.isDirect ? {} : { name: speaker(event.sender.name) };
  const files = event.attachments.slice(0, ATTACHMENTS_MAX).map(attachmentLine).join("\n");
  const text = event.text.trim() === "" ? (event.command ?? "") : event.text;
  const texts = [files, text].filter((part) => part !== "");
  return (texts.length === 0 ? ["(no text)"] : texts).map((part) => ({ role: "user", text: part, ...who }));
}

function attachmentLine({ kind, name, mime, sizeBytes }: Attachment): string {
  const size = sizeBytes === null ? null : `${Math.ceil(sizeBytes / 1000)} kB`;
  const details = [name, mime, size].filter((detail) => detail !== null).map(oneLine);
  return `[attached ${kind}${details.length > 0 ? `: ${details.join(", ")}` : ""}]`;
}

/** A name is chosen by its bearer: it must not pose as another message. */
function speaker(name: string): string {
  return oneLine(name).replaceAll(":", " ").trim() || "somebody";
}

function oneLine(text: string): string {
  return text
    .replace(/[\p{C}\p{Z}]+/gu, " ")
    .slice(0, NAME_CHARS_MAX)
    .toWellFormed();
}

function stepMessages(step: Step): Message[] {
  if (step.kind === "tool-started") return [];
  if (step.kind === "tool") {
    return [{ role: "tool", callId: step.callId, result: step.result, isError: step.isError }];
  }
  const { text, toolCalls, opaque } = step;
  const answer: Message = { role: "assistant", text, toolCalls, ...(opaque !== undefined && { opaque }) };
  // A prompt must not end with the model's own words: most models take that for an error.
  return step.stop === "pause" ? [answer, { role: "user", text: GO_ON }] : [answer];
}
