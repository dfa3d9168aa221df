import type {
  BlockContent,
  Definition,
  DefinitionContent,
  List,
  ListItem,
  Nodes,
  Root,
  RootContent,
} from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { cjkFriendlyExtension } from "micromark-extension-cjk-friendly";
import { gfmStrikethroughCjkFriendly } from "micromark-extension-cjk-friendly-gfm-strikethrough";
import { gfm } from "micromark-extension-gfm";
import type { LinkHosts } from "../../src/domain/link-hosts.ts";
import type { Named } from "../../src/domain/mention.ts";
import { type Allowed, allowedBy, withAllowedLinks } from "./link-hosts.ts";
import {
  type Block,
  isVisible,
  type Marker,
  mergeSpans,
  PLAIN,
  type Span,
  type TableBlock,
  type TextBlock,
} from "./markdown-blocks.ts";
import { type InlineContext, spansOf } from "./markdown-inline.ts";
import { linkOf } from "./markdown-links.ts";
import { parsedSections } from "./markdown-references.ts";
import { sectionsOf } from "./markdown-sections.ts";
import { tableBlocks } from "./markdown-table.ts";
import { withMentions } from "./mentions.ts";

export interface MarkdownOptions {
  /** Whether the dialect can hide this URL behind a label. Called with http, https and mailto only. */
  readonly linkable: (href: string) => boolean;
  /** Widest table that is shown in columns, in monospaced characters. */
  readonly tableColumnsMax: number;
  /** Whether the dialect can show this as a table of its own; absent where it has none. */
  readonly takesTable?: (table: TableBlock) => boolean;
  /** Who is meant where the text has their names; nobody when absent. */
  readonly named?: readonly Named[];
  /** To which hosts links may lead; to any when absent. */
  readonly linkHosts?: LinkHosts;
}

/** Deeper lists and quotes are shown at this depth. */
const LEVEL_MAX = 8;
/** Deeper than any text that the section scan lets through. */
const DEPTH_MAX = 200;

/** A model's Markdown as flat blocks. Never throws; linear in the text. */
export function blocksOf(markdown: string, options: MarkdownOptions): readonly Block[] {
  const allowed = allowedBy(options.linkHosts ?? "any");
  return withMentions(withAllowedLinks(blocksIn(markdown, options, allowed), allowed), options.named ?? []);
}

function blocksIn(markdown: string, options: MarkdownOptions, allowed: Allowed | null): Block[] {
  const source = clean(markdown);
  if (isJustText(source)) return literal(source.trim(), TOP);
  const { sections, links } = parsedSections(sectionsOf(source), parse);
  const used = new Set<string>();
  if (links.size > 0)
    for (const section of sections) if (section.kind === "tree") markUsed(section.tree, used);
  const context = { ...options, definitions: links, used, allowed };
  return sections.flatMap((section): Block[] => {
    if (section.kind === "tree") return flow(section.tree.children, TOP, context, 0);
    if (section.kind === "fence") return [code(section.info, section.lines, true)];
    return literal(section.text, TOP);
  });
}

/** What no platform takes or shows: control characters, overrides of direction, halves of a surrogate pair. */
export function clean(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/\r\n?|[\u2028\u2029]/g, "\n")
    .replaceAll(/[^\P{Cc}\n\t]|[\u202d\u202e\ufeff]/gu, "");
}

/** One line that begins with a letter and holds no character that Markdown reads: most short answers. Spares parsing. */
function isJustText(source: string): boolean {
  return /^\p{L}[^\\`*_~[\]<>#|&!@\n]*$/u.test(source) && !/:\/\/|www\./i.test(source);
}

/**
 * Without the latter two, `**警告：**停止` stays literal: CommonMark wants a blank between a mark behind punctuation and
 * the letter that follows, and Chinese, Japanese and Korean have none there.
 */
const extensions = [
  gfm({ singleTilde: false }),
  cjkFriendlyExtension(),
  gfmStrikethroughCjkFriendly({ singleTilde: false }),
];
const mdastExtensions = [gfmFromMarkdown()];

function parse(text: string): Root {
  return fromMarkdown(text, { extensions, mdastExtensions });
}

function markUsed(tree: Root, used: Set<string>): void {
  const open: Nodes[] = [tree];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.type === "linkReference" || node.type === "imageReference") used.add(node.identifier);
    if ("children" in node) open.push(...node.children);
  }
}

interface Place {
  readonly quote: number;
  readonly level: number;
  /** Of the first block here. */
  readonly gap: boolean;
  readonly marker: Marker | null;
}

const TOP: Place = { quote: 0, level: 0, gap: true, marker: null };

interface Context extends InlineContext, MarkdownOptions {
  /** Identifiers of the definitions that something refers to. */
  readonly used: ReadonlySet<string>;
  readonly allowed: Allowed | null;
}

function flow(nodes: readonly RootContent[], place: Place, context: Context, depth: number): Block[] {
  if (depth > DEPTH_MAX) return [];
  return nodes.flatMap((node, index) =>
    blocksOfNode(node, index === 0 ? place : { ...place, gap: true, marker: null }, context, depth),
  );
}

function blocksOfNode(node: RootContent, place: Place, context: Context, depth: number): Block[] {
  switch (node.type) {
    case "paragraph":
      return [text(spansOf(node.children, context), place)];
    case "heading":
      return [
        {
          ...text(
            spansOf(node.children, context).map((span) => ({ ...span, bold: true })),
            place,
          ),
          heading: true,
        },
      ];
    case "thematicBreak":
      return [text([{ ...PLAIN, text: "———" }], place)];
    case "html":
      return literal(node.value, place);
    case "code":
      return [code([node.lang, node.meta].join(" ").trim(), node.value.split("\n"), place.gap)];
    case "blockquote":
      return flow(
        node.children,
        { ...place, quote: Math.min(place.quote + 1, LEVEL_MAX) },
        context,
        depth + 1,
      );
    case "list":
      return list(node, place, context, depth);
    case "table":
      return tableBlocks(node, context, place);
    case "footnoteDefinition":
      return footnote(node.label ?? node.identifier, flow(node.children, place, context, depth + 1));
    case "definition":
      return context.used.has(node.identifier) ? [] : [text(definitionSpans(node, context), place)];
    default:
      return [];
  }
}

function text(spans: readonly Span[], place: Place): TextBlock {
  return { kind: "text", ...place, heading: false, spans };
}

/** What nothing refers to was not meant as a definition: `[Answer]: 42`, or a list of sources. */
function definitionSpans({ identifier, label, url, title }: Definition, context: Context): Span[] {
  return mergeSpans([
    { ...PLAIN, text: `[${label ?? identifier}]: ` },
    ...linkOf(url, url, PLAIN, context.linkable),
    { ...PLAIN, text: title ? ` "${title}"` : "" },
  ]);
}

/** `info` is what stands behind the opening marks: a language, or several words that were meant as code. */
function code(info: string, lines: readonly string[], gap: boolean): Block {
  if (/\s/.test(info) && !lines.some(isVisible))
    return { kind: "code", gap, language: "", head: [], lines: [info] };
  const name = /^[\w+#.-]{1,30}/.exec(info)?.[0] ?? "";
  return { kind: "code", gap, language: name, head: [], lines: lines.length === 0 ? [""] : lines };
}

function literal(value: string, place: Place): Block[] {
  return value
    .split(/\n(?:[ \t]*\n)+/)
    .filter((paragraph) => paragraph.trim() !== "")
    .map((paragraph, index) =>
      text([{ ...PLAIN, text: paragraph }], index === 0 ? place : { ...place, gap: true, marker: null }),
    );
}

function footnote(label: string, blocks: Block[]): Block[] {
  const [first, ...rest] = blocks;
  const mark = { ...PLAIN, text: `[${label}] ` };
  return first?.kind === "text" ? [{ ...first, spans: [mark, ...first.spans] }, ...rest] : blocks;
}

function list(node: List, place: Place, context: Context, depth: number): Block[] {
  const level = Math.min(place.level + 1, LEVEL_MAX);
  return node.children.flatMap((item, index) => {
    const gap = index === 0 ? place.gap : node.spread === true;
    return listItem(item, { ...place, level, gap, marker: markerOf(node, item, index) }, context, depth);
  });
}

function markerOf(node: List, item: ListItem, index: number): Marker {
  if (typeof item.checked === "boolean") return { kind: "task", done: item.checked };
  return node.ordered === true ? { kind: "number", number: (node.start ?? 1) + index } : { kind: "bullet" };
}

function listItem(item: ListItem, place: Place, context: Context, depth: number): Block[] {
  const [first, ...rest]: readonly (BlockContent | DefinitionContent | Definition)[] = item.children;
  const opensWithText = first?.type === "paragraph" || first?.type === "heading";
  const opening = opensWithText ? blocksOfNode(first, place, context, depth) : [text([], place)];
  const remaining = opensWithText || first === undefined ? rest : [first, ...rest];
  const inner = { ...place, marker: null, gap: item.spread === true };
  return [
    ...opening,
    ...remaining.flatMap((child) => {
      const gap = child.type === "list" ? false : inner.gap;
      return depth > DEPTH_MAX ? [] : blocksOfNode(child, { ...inner, gap }, context, depth + 1);
    }),
  ];
}
