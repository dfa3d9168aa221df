import type { ReplyAddress } from "../../src/domain/event.ts";
import type { ReplyPart } from "../../src/domain/reply.ts";
import { get, getString, parseJsonObject } from "../../src/shared/json.ts";
import { readAddress } from "./address.ts";
import { renderSlack, renderWithin } from "./dialect.ts";
import { limitOf } from "./limit.ts";

/** Said when there is nothing to say: Slack refuses a message without text. */
const EMPTY = "_(no text)_";
const REPEAT_NOTE = "_(This may be a repeat: the connection was lost while answering.)_";

interface Part {
  readonly text: string;
  /** How many characters of the reply come after this part; absent where nothing limits them. */
  readonly charsAfter?: number;
}

/** Markdown to messages in Slack's dialect, each within the limit; at least one. */
export function renderReply(markdown: string, to: ReplyAddress): readonly ReplyPart[] {
  const parts = partsOf(markdown, to).filter(({ text }) => text.trim() !== "");
  return (parts.length > 0 ? parts : [{ text: EMPTY }]).map(writePart);
}

function partsOf(markdown: string, to: ReplyAddress): readonly Part[] {
  const limit = limitOf(readAddress(to));
  if (limit === null) return renderSlack(markdown).map((text) => ({ text }));
  return renderWithin(limit, markdown).map(({ part: text, charsAfter }) => ({ text, charsAfter }));
}

function writePart({ text, ...more }: Part): ReplyPart {
  return JSON.stringify({ text: text.toWellFormed(), ...more }) as ReplyPart;
}

/** A part that this adapter rendered; null for anything else. */
export function readPart(part: ReplyPart): Required<Part> | null {
  const parsed = parseJsonObject(part);
  const text = parsed.ok ? getString(parsed.value, "text") : undefined;
  if (!parsed.ok || text === undefined) return null;
  const charsAfter = get(parsed.value, "charsAfter");
  return { text, charsAfter: typeof charsAfter === "number" ? charsAfter : 0 };
}

export function markedAsRepeat(text: string): string {
  return `${REPEAT_NOTE}\n${text}`;
}
