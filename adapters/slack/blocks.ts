import { get, getArray, getObject, getString } from "../../src/shared/json.ts";

/** Slack allows 50 blocks of 3,000 characters; the readable part of more is not looked at. */
const CHARS_MAX = 40_000;
const ELEMENTS_MAX = 2_000;

/**
 * What blocks say, in the form that Slack gives `text` in (`<@U1>`, `&lt;`), so that one reader takes both. Lines as a
 * person sees them; buttons and inputs say nothing by themselves.
 */
export function blocksText(blocks: readonly unknown[]): string {
  const out = new Pieces();
  for (const block of blocks) {
    if (out.isFull) break;
    out.line(blockText(block, out));
  }
  return out.text;
}

/** Lines so far, within bounds. */
class Pieces {
  readonly #lines: string[] = [];
  #chars = 0;
  #elements = 0;

  get isFull(): boolean {
    return this.#chars >= CHARS_MAX || this.#elements >= ELEMENTS_MAX;
  }

  get text(): string {
    return this.#lines.join("\n").slice(0, CHARS_MAX);
  }

  line(text: string): void {
    if (text.trim() === "") return;
    this.#lines.push(text);
    this.#chars += text.length;
  }

  /** Elements of one list, as many as there is room for. */
  take(elements: readonly unknown[]): readonly unknown[] {
    const taken = elements.slice(0, Math.max(0, ELEMENTS_MAX - this.#elements));
    this.#elements += taken.length;
    return taken;
  }
}

function blockText(block: unknown, out: Pieces): string {
  switch (getString(block, "type")) {
    case "section":
      return lines([textObject(get(block, "text")), ...out.take(getArray(block, "fields")).map(textObject)]);
    case "header":
    case "markdown":
      return textObject(get(block, "text"));
    case "context":
      return out
        .take(getArray(block, "elements"))
        .map((element) => altText(element) || textObject(element))
        .filter((text) => text !== "")
        .join(" ");
    case "image":
    case "video":
      return lines([textObject(get(block, "title")), altText(block)]);
    case "rich_text":
      return lines(out.take(getArray(block, "elements")).map((element) => richText(element, out)));
    case "table":
      return lines(out.take(getArray(block, "rows")).map((row) => rowText(row, out)));
    default:
      return "";
  }
}

/** `mrkdwn` is in the form of `text` already, `plain_text` is not; a `markdown` block has a bare string. */
function textObject(value: unknown): string {
  if (typeof value === "string") return escaped(value);
  const text = getString(value, "text") ?? "";
  return getString(value, "type") === "mrkdwn" ? text : escaped(text);
}

function altText(element: unknown): string {
  const alt = getString(element, "alt_text");
  return alt === undefined ? "" : escaped(alt);
}

function rowText(row: unknown, out: Pieces): string {
  if (!Array.isArray(row)) return "";
  return out
    .take(row)
    .map((cell) => (getString(cell, "type") === "rich_text" ? blockText(cell, out) : textObject(cell)))
    .join(" | ");
}

function richText(element: unknown, out: Pieces): string {
  const parts = () => out.take(getArray(element, "elements"));
  switch (getString(element, "type")) {
    case "rich_text_section":
      return parts().map(inline).join("");
    case "rich_text_quote":
      return `&gt; ${parts().map(inline).join("").replaceAll("\n", "\n&gt; ")}`;
    case "rich_text_preformatted":
      return `\`\`\`\n${parts().map(inline).join("")}\n\`\`\``;
    case "rich_text_list":
      return lines(parts().map((item, index) => listItem(item, index, element, out)));
    default:
      return "";
  }
}

function listItem(item: unknown, index: number, list: unknown, out: Pieces): string {
  const indent = "  ".repeat(Math.min(8, whole(get(list, "indent"))));
  const mark = getString(list, "style") === "ordered" ? `${whole(get(list, "offset")) + index + 1}.` : "•";
  return `${indent}${mark} ${out.take(getArray(item, "elements")).map(inline).join("")}`;
}

function whole(value: unknown): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function inline(element: unknown): string {
  const entity = (key: string, sign: string) => {
    const id = getString(element, key);
    return id === undefined ? "" : `<${sign}${escaped(id)}>`;
  };
  switch (getString(element, "type")) {
    case "text":
      return escaped(getString(element, "text") ?? "");
    case "link":
      return linkText(getString(element, "url") ?? "", getString(element, "text"));
    case "user":
      return entity("user_id", "@");
    case "channel":
      return entity("channel_id", "#");
    case "usergroup":
      return entity("usergroup_id", "!subteam^");
    case "broadcast":
      return entity("range", "!");
    case "emoji":
      return `:${escaped(getString(element, "name") ?? "")}:`;
    case "date":
      return escaped(getString(element, "fallback") ?? "");
    case "color":
      return escaped(getString(element, "value") ?? "");
    default:
      return escaped(getString(element, "text") ?? "");
  }
}

function linkText(url: string, label: string | undefined): string {
  const target = escaped(url).replaceAll("|", "%7C");
  return label === undefined ? `<${target}>` : `<${target}|${escaped(label)}>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function lines(texts: readonly string[]): string {
  return texts.filter((text) => text.trim() !== "").join("\n");
}

/** A button, or an option of a menu, that opens a page: Slack tells of it, and wants nothing but its acknowledgement. */
export function isLink(element: unknown): boolean {
  return (getString(element, "url") ?? "") !== "";
}

/** Whether blocks ask for input that something else sends: a form in a message. */
export function isForm(blocks: readonly unknown[]): boolean {
  return blocks.some((block) => {
    const type = getString(block, "type");
    if (type === "input") return true;
    const elements = type === "actions" ? getArray(block, "elements") : [getObject(block, "accessory")];
    return elements.some((element) => getString(element, "type") === "button" && !isLink(element));
  });
}
