import type { PhrasingContent } from "mdast";
import { mergeSpans, PLAIN, type Span } from "./markdown-blocks.ts";
import { linkOf } from "./markdown-links.ts";

/** What inline text refers to elsewhere in the document, and which links the dialect can write. */
export interface InlineContext {
  /** URL by normalised identifier. */
  readonly definitions: ReadonlyMap<string, string>;
  /** Whether the dialect can hide this URL behind a label. Called with http, https and mailto only. */
  readonly linkable: (href: string) => boolean;
}

/** Deeper nesting adds no look that a platform can show. */
const DEPTH_MAX = 64;

export function spansOf(nodes: readonly PhrasingContent[], context: InlineContext): Span[] {
  // A space after a line break is the author's layout of the source, not of the text.
  return mergeSpans(walk(nodes, PLAIN, context, 0)).map((span) => ({
    ...span,
    text: span.text.replaceAll(/\n[ \t]+/g, "\n"),
  }));
}

function walk(nodes: readonly PhrasingContent[], look: Span, context: InlineContext, depth: number): Span[] {
  if (depth > DEPTH_MAX) return [{ ...look, text: nodes.map(plainText).join("") }];
  return nodes.flatMap((node) => spansOfNode(node, look, context, depth));
}

function spansOfNode(node: PhrasingContent, look: Span, context: InlineContext, depth: number): Span[] {
  switch (node.type) {
    case "text":
      return [{ ...look, text: node.value }];
    case "html":
      return [{ ...look, text: /^<br\s*\/?>$/i.test(node.value) ? "\n" : node.value }];
    case "break":
      return [{ ...look, text: "\n" }];
    case "inlineCode":
      return [{ ...look, code: true, text: node.value }];
    case "strong":
      return walk(node.children, { ...look, bold: true }, context, depth + 1);
    case "emphasis":
      return walk(node.children, { ...look, italic: true }, context, depth + 1);
    case "delete":
      return walk(node.children, { ...look, strike: true }, context, depth + 1);
    case "link":
      return linkSpans(node.children, node.url, look, context, depth);
    case "linkReference":
      return linkSpans(node.children, context.definitions.get(node.identifier) ?? "", look, context, depth);
    case "image":
      return linkOf(node.alt || "image", node.url, look, context.linkable);
    case "imageReference":
      return linkOf(
        node.alt || "image",
        context.definitions.get(node.identifier) ?? "",
        look,
        context.linkable,
      );
    case "footnoteReference":
      return [{ ...look, text: `[${node.label ?? node.identifier}]` }];
  }
}

/** A label keeps a look only if all of it has that look: several platforms show markers inside a label as they are. */
function linkSpans(
  children: readonly PhrasingContent[],
  url: string,
  look: Span,
  context: InlineContext,
  depth: number,
): Span[] {
  // The outer link is the one that a reader would follow: an image inside it is only its label.
  const label = mergeSpans(walk(children.map(captionOf), look, context, depth + 1));
  const shared = {
    ...look,
    bold: label.every((span) => span.bold),
    italic: label.every((span) => span.italic),
    strike: label.every((span) => span.strike),
  };
  return linkOf(label.map((span) => span.text).join(""), url, shared, context.linkable);
}

/** An image at any depth of a label gives what it shows as text. */
function captionOf(node: PhrasingContent): PhrasingContent {
  if (node.type === "image" || node.type === "imageReference")
    return { type: "text", value: node.alt || "image" };
  return "children" in node ? ({ ...node, children: node.children.map(captionOf) } as PhrasingContent) : node;
}

/** The text alone, for where no look can be shown. */
function plainText(node: PhrasingContent): string {
  const texts: string[] = [];
  const open: PhrasingContent[] = [node];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if ("value" in next) texts.push(next.value);
    else if ("children" in next) open.push(...next.children.toReversed());
    else if ("alt" in next) texts.push(next.alt ?? "");
    else if (next.type === "break") texts.push(" ");
  }
  return texts.join("");
}
