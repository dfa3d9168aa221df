import { parse as parseDomain } from "tldts";
import type { Span } from "./markdown-blocks.ts";

/** Leaves room for a label in the shortest message, also when every character takes an escape. */
const HREF_CHARS_MAX = 1_000;

/**
 * A link where it is safe and possible, else `label (address)` as text. Never hides where a link goes: a label that
 * reads like another address is followed by the true one. Without a label of its own, the address is the label.
 */
export function linkOf(label: string, url: string, look: Span, linkable: (href: string) => boolean): Span[] {
  const text = label.replaceAll(/\s+/g, " ").trim() || url;
  const href = safeHref(url);
  if (href !== null && !isDeceptive(text, href) && linkable(href))
    return [{ ...look, text: text === url ? href : text, href }];
  if (url === "" || says(text, url)) return [{ ...look, text: url === "" ? text : unbroken(text) }];
  return [{ ...look, text: `${text} (${unbroken(withoutUser(url))})` }];
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
  const href = withoutUser(url).replaceAll(/[\s<>|"'`\\^{}()*~[\]\p{Cf}\p{Cc}]/gu, encode);
  // An IPv6 host has brackets that no encoding can stand for.
  return href.length <= HREF_CHARS_MAX && URL.canParse(href) ? href : null;
}

/** `https://bank.com@thief.com` leads to thief.com: what stands before the host only serves to mislead. */
function withoutUser(url: string): string {
  return url.replace(/^(https?:\/\/)[^/?#\\]*@/i, "$1");
}

/** An address written as text: a blank in it would end it where readers tap. */
function unbroken(address: string): string {
  return address.replaceAll(/[\s<>"`\p{Cf}\p{Cc}]/gu, encode);
}

function encode(character: string): string {
  return [...Buffer.from(character, "utf8")]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
    .join("");
}

/** Whether a reader could take the label for an address of another host than the one that the link leads to. */
function isDeceptive(label: string, href: string): boolean {
  // Marks that turn the reading direction can make any letters read as another name.
  if (/\p{Bidi_Control}/u.test(label)) return true;
  const claims = claimsOf(label);
  if (claims === null) return true;
  const hosts = hostsOf(href);
  return claims.some((claimed) => !hosts.has(claimed));
}

/** Of a mail address with further recipients none: any claim of the label would hide some. */
function hostsOf(href: string): ReadonlySet<string> {
  const { protocol, hostname, pathname, search } = new URL(href);
  if (protocol !== "mailto:") return new Set([bareHost(hostname)]);
  if (/[?&](?:to|cc|bcc)=/i.test(search)) return new Set();
  return new Set(pathname.split(",").map((address) => bareHost(address.slice(address.lastIndexOf("@") + 1))));
}

/** What stands behind any scheme, up to a path: also `https:\\host` and `//host`, which browsers follow. */
const AUTHORITY = /(?<![\\/])[\\/]{2,}([^\s\\/?#]+)/gu;
/** Two names or more with dots between. None begins within a name: that would take quadratic time on a long one. */
const DOTTED = /(?<![\p{L}\p{N}\p{M}_-])[\p{L}\p{N}\p{M}_-]+(?:\.[\p{L}\p{N}\p{M}_-]+)+/gu;
/** Each costs a look-up. A label with more is text, and the last of them would not be looked at. */
const CLAIMS_MAX = 20;

/** The hosts that a label names; null: too many. Letters and dots of other widths count as what they look like. */
function claimsOf(label: string): string[] | null {
  const read = label
    .normalize("NFKC")
    .replaceAll(/[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu, "")
    .replaceAll(/[。｡]/g, ".");
  if (!/[.\\/]/.test(read)) return [];
  const named = [...read.matchAll(AUTHORITY)].map(([, authority = ""]) =>
    authority.slice(authority.lastIndexOf("@") + 1).replace(/:\d*$/, ""),
  );
  const dotted = [...read.matchAll(DOTTED)].map(([name]) => name);
  if (named.length + dotted.length > CLAIMS_MAX) return null;
  return [...named, ...dotted.filter(isAddress)].map(bareHost);
}

/** As registries know it, or set apart for examples and networks of one's own: `Node.js` and `v1.2` are none. */
function isAddress(name: string): boolean {
  if (/^(?:www|ftp|mail)\./i.test(name)) return true;
  if (FILES.test(name)) return false;
  const { isIcann, isIp, domain, publicSuffix } = parseDomain(name);
  return isIp === true || (domain !== null && (isIcann === true || SPECIAL.has(publicSuffix ?? "")));
}

/** Names of files whose ending is also a country's: `.md` is Moldova, `.sh` Saint Helena, `.py` Paraguay, `.rs` Serbia. */
const FILES =
  /^(?:(?:readme|changelog|contributing|license|security|agents|architecture|index|todo)\.md|(?:setup|main|app|test|manage|conftest|__init__)\.py|(?:setup|install|run|build|start|deploy|entrypoint)\.sh|(?:lib|main|mod|build)\.rs)$/i;

/** Endings that no registry has. */
export const SPECIAL: ReadonlySet<string> = new Set([
  "example",
  "test",
  "local",
  "localhost",
  "internal",
  "onion",
  "lan",
]);

/** As URLs hold it: lower case, letters of other scripts in their coded form, without a leading `www.`. */
function bareHost(host: string): string {
  const name = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : host.toLowerCase();
  return name.replace(/^www\./, "").replace(/\.$/, "");
}
