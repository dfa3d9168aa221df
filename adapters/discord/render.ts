import type { ReplyAddress } from "../../src/domain/event.ts";
import type { ReplyPart } from "../../src/domain/reply.ts";
import { get, getString, parseJsonObject } from "../../src/shared/json.ts";
import { readAddress } from "./address.ts";
import { renderDiscord, renderWithin } from "./dialect.ts";
import { limitOf } from "./limit.ts";

/** Discord refuses an empty message, and would show "thinking" until the interaction ends. */
const NOTHING = "(empty reply)";

export function renderReply(markdown: string, to: ReplyAddress): readonly ReplyPart[] {
  const parts = partsOf(markdown, to).filter(({ content }) => content.trim() !== "");
  return (parts.length > 0 ? parts : [{ content: NOTHING }]).map((part) => JSON.stringify(part) as ReplyPart);
}

interface Part {
  readonly content: string;
  /** How much of the reply is unsaid when this part cannot be: what it holds itself and what comes after it. */
  readonly charsLeft?: number;
}

function partsOf(markdown: string, to: ReplyAddress): readonly Part[] {
  const address = readAddress(to);
  const limit = address === undefined ? null : limitOf(address);
  if (limit === null) return renderDiscord(markdown).map((content) => ({ content }));
  const placed = renderWithin(limit, markdown);
  return placed.map(({ part: content }, index) => {
    const before = placed[index - 1];
    return before === undefined ? { content } : { content, charsLeft: before.charsAfter };
  });
}

/** A part that this adapter rendered; undefined for any other. */
export function readPart(part: ReplyPart): { content: string; charsLeft: number | null } | undefined {
  const parsed = parseJsonObject(part);
  if (!parsed.ok) return undefined;
  const content = getString(parsed.value, "content");
  const charsLeft = get(parsed.value, "charsLeft");
  if (content === undefined) return undefined;
  return { content, charsLeft: typeof charsLeft === "number" ? charsLeft : null };
}
