import type { Handover, ToolCall } from "../domain/run.ts";
import { theirWords } from "../domain/text.ts";
import type { Message } from "../ports/model.ts";
import type { Tool } from "../ports/tool.ts";
import { getString, isObject } from "../shared/json.ts";
import { HANDOVERS_MAX, NOTE_CHARS_MAX } from "./bounds.ts";
import { ourLine } from "./voice.ts";

export const HAND_OVER = "hand_over";

/** Another agent, and what it is for. */
export interface Colleague {
  readonly agent: string;
  readonly when?: string;
}

/** Shown to the model. It is the runtime that hands over: the tool itself does nothing. */
export function handOverTool(colleagues: readonly Colleague[]): Tool {
  const what = colleagues.map(({ agent, when }) => `${agent}${when === undefined ? "" : `: ${when}`}`);
  return {
    name: HAND_OVER,
    description: `Hands this conversation over to another agent, which answers in your place from now on. It sees the conversation and your note, and nothing else of what you did. Call it alone. Agents:\n${what.join("\n")}`,
    effect: "read",
    repeatable: true,
    inputSchema: {
      type: "object",
      properties: {
        agent: { type: "string", enum: colleagues.map(({ agent }) => agent) },
        note: {
          type: "string",
          description: "What the other agent should know: what is wanted, and what you found out.",
        },
      },
      required: ["agent"],
    },
    call: async () => "handed over",
  };
}

export interface HandingOver {
  /** Whose run it is. */
  readonly from: string;
  readonly colleagues: readonly Colleague[];
  /** All that have had it. */
  readonly path: readonly string[];
  readonly isThere: (agent: string) => boolean;
  readonly isPaused: (agent: string) => boolean;
}

/** A text is for the model: why it cannot hand over so. */
export function handoverBy({ input }: ToolCall, run: HandingOver): Handover | string {
  const { from, colleagues, path } = run;
  const to = isObject(input) ? (getString(input, "agent") ?? "") : "";
  const names = colleagues.map(({ agent }) => agent);
  if (!names.includes(to))
    return `Expected one of these agents: ${names.join(", ")}. Got: ${to.slice(0, 80)}`;
  if (to === from || path.includes(to)) return `${to} has had this message already: answer it yourself.`;
  if (path.length > HANDOVERS_MAX)
    return `This message was handed over ${HANDOVERS_MAX} times already: answer it yourself.`;
  if (!run.isThere(to)) return `${to} is not set up: answer it yourself.`;
  if (run.isPaused(to)) return `${to} is paused at the moment: answer it yourself.`;
  const note = isObject(input) ? (getString(input, "note") ?? "") : "";
  return { from, to, note: note.slice(0, NOTE_CHARS_MAX).toWellFormed() };
}

/** What the next agent is shown of it. */
export function handedMessage({ from, note }: Handover): Message {
  const line = ourLine(`${from} has handed this conversation over to you: answer in its place`);
  return { role: "user", text: note === "" ? line : `${line}\n${theirWords(note)}` };
}
