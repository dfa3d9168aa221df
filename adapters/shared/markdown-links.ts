import type { Span } from "./markdown-blocks.ts";

/** Leaves room for a label in the shortest message, also when every character takes an escape. */
const HREF_CHARS_MAX = 1_000;

/**
 * A link where it is safe and possible, else `label (url)` as text. Never hides where a link goes: a label that
 * reads like another address is followed by the true one.
 */
export function linkOf(label: string, url: string, look: Span, linkable: (href: string) => boolean): Span[] {
  const text = label.replaceAll(/\s+/g, " ").trim() || url;
  const href = safeHref(url);
  if (href !== null && !isDeceptive(text, href) && linkable(href))
    return [{ ...look, text: text === url ? href : text, href }];
  return [{ ...look, text: url === "" || says(text, url) ? text : `${text} (${url})` }];
}

/** Whether the label is the URL itself, as in a link that was written bare. */
export function says(label: string, url: string): boolean {
  return label === url || `mailto:${label}` === url || `http://${label}` === url;
}

/** The URL with whatever could end a link in any dialect percent-encoded; null when it is none to be followed. */
function safeHref(url: string): string | null {
  if (url.length > HREF_CHARS_MAX || !/^(?:https?:\/\/|mailto:)/i.test(url) || !URL.canParse(url))
    return null;
  // As an address it could name everyone to a platform that looks inside links.
  if (/@(?:everyone|here|channel)/i.test(url)) return null;
  const href = url.replaceAll(/[\s<>|"'`\\^{}()*~[\]\p{Cf}\p{Cc}]/gu, encode);
  // An IPv6 host has brackets that no encoding can stand for.
  return href.length <= HREF_CHARS_MAX && URL.canParse(href) ? href : null;
}

function encode(character: string): string {
  return [...Buffer.from(character, "utf8")]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
    .join("");
}

/** Without a scheme only these count as addresses: `setup.sh` and `README.md` are files, though also domains. */
const HOST =
  /^(?:(?:https?:\/\/|www\.)([\w.-]+)|([\w.-]+\.(?:com|org|net|edu|gov|io|co|app|dev|bank)))(?:[/:?#]|$)/i;

function isDeceptive(label: string, href: string): boolean {
  const found = HOST.exec(label);
  if (found === null) return false;
  const claimed = found[1] ?? found[2] ?? "";
  const bare = (host: string) => host.toLowerCase().replace(/^www\./, "");
  return bare(claimed) !== bare(new URL(href).hostname);
}
