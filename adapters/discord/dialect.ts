import type { LinkHosts } from "../../src/domain/link-hosts.ts";
import type { Named } from "../../src/domain/mention.ts";
import { blocksOf } from "../shared/markdown.ts";
import type { Block, TableBlock } from "../shared/markdown-blocks.ts";
import { joinBlocks, lengthOf } from "../shared/markdown-write.ts";
import { type Dialect, isWorthSaying, type Limit, layout, type Placed, place } from "../shared/split.ts";
import { CONTENT_CHARS_MAX, REPEAT_NOTICE } from "./notice.ts";
import { quietStyle, style } from "./style.ts";
import { charsOf, EMBEDS_CHARS_MAX, EMBEDS_MAX, embedOf, type Message, messageOf } from "./tables.ts";

const dialect: Dialect<string> = {
  limits: [CONTENT_CHARS_MAX],
  measure: (block) => [lengthOf(block, style)],
  compose: (page) => joinBlocks(page, style),
};

/**
 * The text of a message with embeds has room for the notice of a repeat: where Discord takes no embeds, it stands in their
 * place, and cannot become two.
 */
const EMBEDDING_CHARS_MAX = CONTENT_CHARS_MAX - `${REPEAT_NOTICE}\n`.length;

const embedding: Dialect<Message> = {
  limits: [EMBEDDING_CHARS_MAX, EMBEDS_MAX, EMBEDS_CHARS_MAX],
  measure(block) {
    const embed = block.kind === "table" ? embedOf(block) : null;
    return [lengthOf(block, quietStyle), embed === null ? 0 : 1, embed === null ? 0 : charsOf(embed)];
  },
  compose: (page) => messageOf(page, joinBlocks(page, style)),
};

/** People read no more of an answer for whose tables a message each is begun. */
const MESSAGES_MAX = 10;

/** Markdown to Discord's Markdown. Nothing in it can name a person, a role or a channel but those in `named`. */
export function renderDiscord(
  markdown: string,
  named: readonly Named[] = [],
  linkHosts?: LinkHosts,
): readonly string[] {
  return layout(read(markdown, named, linkHosts), dialect);
}

/** The same where only so much can be said. */
export function renderWithin(
  limit: Limit,
  markdown: string,
  named: readonly Named[] = [],
  linkHosts?: LinkHosts,
): readonly Placed<string>[] {
  return place(read(markdown, named, linkHosts), dialect, limit);
}

/**
 * The same as messages in which tables are embeds. What they cannot be stays text, and all of it where that would make too
 * many messages: what follows a table begins one of its own, for embeds stand below the text.
 */
export function renderEmbedded(
  markdown: string,
  named: readonly Named[] = [],
  linkHosts?: LinkHosts,
): readonly Message[] {
  const takesTable = (table: TableBlock) =>
    embedOf(table) !== null && lengthOf(table, quietStyle) <= EMBEDDING_CHARS_MAX;
  const blocks = read(markdown, named, linkHosts, takesTable).filter(isWorthSaying);
  const messages = stretchesOf(blocks).flatMap((stretch): readonly Message[] =>
    stretch.some(isTable)
      ? layout(stretch, embedding)
      : layout(stretch, dialect).map((content) => ({ content })),
  );
  return messages.length > 0 && messages.length <= MESSAGES_MAX
    ? messages
    : renderDiscord(markdown, named, linkHosts).map((content) => ({ content }));
}

/** Each ends with its tables. */
function stretchesOf(blocks: readonly Block[]): readonly (readonly Block[])[] {
  const stretches: Block[][] = [];
  for (const [index, block] of blocks.entries()) {
    const before = blocks[index - 1];
    const begins = before === undefined || (isTable(before) && !isTable(block));
    if (begins) stretches.push([block]);
    else stretches.at(-1)?.push(block);
  }
  return stretches;
}

function isTable(block: Block): boolean {
  return block.kind === "table";
}

/** Whom a message that was written here rings for. All else that looks like a mention is broken. */
export function mentionedIn(content: string): readonly string[] {
  return [...new Set([...content.matchAll(/<@(\d{1,20})>/g)].map(([, id = ""]) => id))];
}

function read(
  markdown: string,
  named: readonly Named[],
  linkHosts: LinkHosts = "any",
  takesTable?: (table: TableBlock) => boolean,
): readonly Block[] {
  return blocksOf(markdown, {
    named,
    linkHosts,
    ...(takesTable !== undefined && { takesTable }),
    linkable: (href) => /^https?:/i.test(href),
    tableColumnsMax: 64,
  });
}
