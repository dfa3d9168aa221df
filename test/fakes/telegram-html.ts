/** Tags of Telegram's HTML mode (Bot API, "HTML style"), and the attributes each may carry. */
const TAGS: Readonly<Record<string, readonly string[]>> = {
  b: [],
  strong: [],
  i: [],
  em: [],
  u: [],
  ins: [],
  s: [],
  strike: [],
  del: [],
  a: ["href"],
  code: ["class"],
  pre: ["language"],
  blockquote: ["expandable"],
  "tg-spoiler": [],
  "tg-emoji": ["emoji-id"],
  "tg-time": ["unix", "format"],
  span: ["class"],
};
const NAMED: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"' };

export type ParsedHtml =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string };

/** Telegram's HTML to the text that is shown, or why it is refused. Unescaped `<`, `>` and `&` are refused. */
export function parseTelegramHtml(html: string): ParsedHtml {
  const open: string[] = [];
  let text = "";
  const no = (message: string, at: number) => ({
    ok: false as const,
    message: `${message} at byte offset ${Buffer.byteLength(html.slice(0, at))}`,
  });

  for (const token of html.matchAll(/<[^<>]*>|&(?:#x?[\da-f]+|\w+);|[<>&]|[^<>&]+/gi)) {
    const [raw] = token;
    if (raw === "<" || raw === ">" || raw === "&")
      return no(`Character "${raw}" must be escaped`, token.index);
    if (raw.startsWith("&")) {
      const character = decode(raw.slice(1, -1));
      if (character === undefined) return no(`Unsupported entity "${raw}"`, token.index);
      text += character;
    } else if (raw.startsWith("</")) {
      const name = raw.slice(2, -1).trim().toLowerCase();
      const expected = open.pop();
      if (expected !== name) {
        const got = `expected "</${expected ?? ""}>", found "</${name}>"`;
        return no(`Unmatched end tag, ${got}`, token.index);
      }
    } else if (raw.startsWith("<")) {
      const name = openedBy(raw);
      if (name === undefined) return no(`Unsupported start tag "${raw.slice(1, -1)}"`, token.index);
      open.push(name);
    } else text += raw;
  }
  const unclosed = open.at(-1);
  if (unclosed !== undefined)
    return no(`Can't find end tag corresponding to start tag "${unclosed}"`, html.length);
  return { ok: true, text };
}

/** The name of a start tag that Telegram knows, with attributes that it knows. */
function openedBy(tag: string): string | undefined {
  const [, name = "", rest = ""] = /^<([a-z][a-z-]*)((?:\s[^<>]*)?)>$/i.exec(tag) ?? [];
  const allowed = Object.hasOwn(TAGS, name.toLowerCase()) ? TAGS[name.toLowerCase()] : undefined;
  if (allowed === undefined) return undefined;
  const attributes = [...rest.matchAll(/\s+([a-z-]+)(?:="([^"<>]*)")?/gi)];
  if (attributes.map(([whole]) => whole).join("") !== rest.trimEnd()) return undefined;
  const names = attributes.map(([, attribute = ""]) => attribute.toLowerCase());
  if (names.some((attribute) => !allowed.includes(attribute))) return undefined;
  if (name.toLowerCase() === "span" && attributes[0]?.[2] !== "tg-spoiler") return undefined;
  return name.toLowerCase();
}

function decode(entity: string): string | undefined {
  if (!entity.startsWith("#")) return Object.hasOwn(NAMED, entity) ? NAMED[entity] : undefined;
  const hex = /^#x([\da-f]+)$/i.exec(entity)?.[1];
  const code = hex === undefined ? Number(entity.slice(1)) : Number.parseInt(hex, 16);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}
