import type { Nodes, Root } from "mdast";
import type { Section } from "./markdown-sections.ts";

export type ParsedSection =
  | Exclude<Section, { readonly kind: "markdown" }>
  | { readonly kind: "tree"; readonly tree: Root };

/** What is defined, by its key. */
interface Definitions {
  /** Where links lead; the first of a name counts. */
  readonly links: Map<string, string>;
  readonly footnotes: Set<string>;
}

/**
 * CommonMark reads `[text][1]` as a link only where it knows `[1]:`, and that may stand in another section: behind a
 * fence, at the end of the answer. A section that refers to such a one is parsed again.
 */
export function parsedSections(
  sections: readonly Section[],
  parse: (text: string) => Root,
): { readonly sections: readonly ParsedSection[]; readonly links: ReadonlyMap<string, string> } {
  const all = noDefinitions();
  const parsed = sections.map((section) => {
    if (section.kind !== "markdown") return section;
    const own = noDefinitions();
    const tree = parse(section.text);
    define(tree, own);
    for (const [key, url] of own.links) if (!all.links.has(key)) all.links.set(key, url);
    for (const key of own.footnotes) all.footnotes.add(key);
    return { kind: "tree" as const, tree, text: section.text, own };
  });
  const completed = parsed.map((section): ParsedSection => {
    if (section.kind !== "tree") return section;
    const before = definedElsewhere(section.text, section.own, all);
    if (before === "") return { kind: "tree", tree: section.tree };
    return { kind: "tree", tree: startingAt(parse(before + section.text), before.length) };
  });
  return { sections: completed, links: all.links };
}

function noDefinitions(): Definitions {
  return { links: new Map(), footnotes: new Set() };
}

/** Definitions may stand anywhere, also in quotes and lists. */
function define(tree: Root, { links, footnotes }: Definitions): void {
  const open: Nodes[] = [tree];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.type === "definition" && !links.has(node.identifier)) links.set(node.identifier, node.url);
    if (node.type === "footnoteDefinition") footnotes.add(node.identifier);
    if ("children" in node && node.type !== "paragraph") open.push(...node.children.toReversed());
  }
}

const LABEL = /\[(\^?)([^[\]\\\n]{1,999})\]/g;

/** Ends with a rule, so that nothing of the section goes on with what stands before it. */
function definedElsewhere(text: string, own: Definitions, all: Definitions): string {
  if (own.links.size === all.links.size && own.footnotes.size === all.footnotes.size) return "";
  const missing = new Set<string>();
  for (const [label, footnote, name = ""] of text.matchAll(LABEL)) {
    const key = keyOf(name);
    if (footnote === "" && all.links.has(key) && !own.links.has(key)) missing.add(`${label}: #`);
    if (footnote !== "" && all.footnotes.has(key) && !own.footnotes.has(key)) missing.add(`${label}: .`);
  }
  return missing.size === 0 ? "" : `${[...missing].join("\n")}\n\n---\n\n`;
}

/** As CommonMark compares labels, and mdast names them. */
function keyOf(label: string): string {
  return label.replaceAll(/\s+/g, " ").trim().toLowerCase().toUpperCase().toLowerCase();
}

function startingAt(tree: Root, offset: number): Root {
  return {
    ...tree,
    children: tree.children.filter(({ position }) => (position?.start.offset ?? 0) >= offset),
  };
}
