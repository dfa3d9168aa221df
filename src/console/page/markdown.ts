import { type Block, blocksOf } from "./blocks.ts";
import { h, spelt } from "./dom.ts";

/** Of an answer what helps to read it: code, tables, headings, what is bold. Links stay text: whoever wrote the answer may be anybody. */
export function answerOf(text: string): HTMLElement {
  return h("div", { class: "answer", dir: "auto" }, ...blocksOf(spelt(text).split("\n")).map(shown));
}

function shown({ kind, lines }: Block): HTMLElement {
  const text = lines.join("\n");
  if (kind === "code" || kind === "table") return h("pre", { tabindex: 0 }, text);
  return kind === "heading"
    ? h("p", { class: "heading" }, ...words(text.replace(/^#+ /, "")))
    : h("p", { class: "said" }, ...words(text.replace(/^\n+|\n+$/g, "")));
}

/** Code first: nothing in it means anything. */
const WORDS = /(`[^`\n]+`|\*\*[^*\n]+\*\*)/;

function words(text: string): (Node | string)[] {
  return text.split(WORDS).map((part, i) => {
    if (i % 2 === 0) return part;
    return part.startsWith("`") ? h("code", {}, part.slice(1, -1)) : h("strong", {}, part.slice(2, -2));
  });
}
