import { parse as parseDomain } from "tldts";
import type { LinkHosts } from "../../src/domain/link-hosts.ts";
import { type Block, mergeSpans, type Span } from "./markdown-blocks.ts";
import { SPECIAL, says } from "./markdown-links.ts";
import { ZERO_WIDTH_SPACE } from "./markdown-write.ts";

/** Whether answers may link to a host, by its name as URLs hold it. */
export type Allowed = (host: string) => boolean;

/** Null: to any. */
export function allowedBy(hosts: LinkHosts): Allowed | null {
  if (hosts === "any") return null;
  const names = new Set(hosts);
  return (host) => {
    if (names.has(host)) return true;
    for (let dot = host.indexOf("."); dot !== -1; dot = host.indexOf(".", dot + 1))
      if (names.has(`*${host.slice(dot)}`)) return true;
    return false;
  };
}

/** Blocks in which links to other hosts are text, and bare addresses of them are code, which no client makes a link of. */
export function withAllowedLinks(blocks: readonly Block[], allowed: Allowed | null): readonly Block[] {
  if (allowed === null) return blocks;
  // The cells of a table have been seen to before it was measured.
  return blocks.map((block) =>
    block.kind === "text" ? { ...block, spans: allowedSpans(block.spans, allowed) } : block,
  );
}

export function allowedSpans(spans: readonly Span[], allowed: Allowed | null): readonly Span[] {
  if (allowed === null) return spans;
  const shown: Span[] = [];
  let run: Span[] = [];
  const close = () => {
    shown.push(...codedIn(run, allowed));
    run = [];
  };
  for (const span of spans.flatMap((one) => unlinked(one, allowed))) {
    if (span.code) {
      close();
      shown.push(span);
    } else run.push(span);
  }
  close();
  return mergeSpans(shown);
}

function unlinked(span: Span, allowed: Allowed): readonly Span[] {
  const { href, text } = span;
  if (href === null || hostsOf(href).every((host) => host !== null && allowed(host))) return [span];
  if (says(text, href)) return [{ ...span, href: null, code: true }];
  const words = { ...span, href: null };
  return [
    { ...words, text: `${text} (` },
    { ...words, code: true, text: href },
    { ...words, text: ")" },
  ];
}

/** Of a link: whoever a mail goes to counts. */
function hostsOf(href: string): readonly (string | null)[] {
  const { protocol, hostname, pathname, searchParams } = new URL(href);
  if (protocol !== "mailto:") return [hostOf(hostname)];
  const further = [...searchParams].filter(([key]) => /^(?:to|cc|bcc)$/i.test(key)).map(([, value]) => value);
  return [pathname, ...further].flatMap((some) => some.split(",")).map(hostOf);
}

/** Spans without code. Looks do not end an address: some clients look for addresses in the text without its marks. */
function codedIn(run: readonly Span[], allowed: Allowed): readonly Span[] {
  const found = addressesIn(run.map(({ text }) => text).join(""), allowed);
  if (found.length === 0) return run;
  let at = 0;
  let next = 0;
  return run.flatMap((span) => {
    const from = at;
    at += span.text.length;
    const pieces: Span[] = [];
    let done = from;
    for (let range = found[next]; range !== undefined && range.from < at; range = found[next]) {
      const [start, end] = [Math.max(range.from, done), Math.min(range.to, at)];
      pieces.push({ ...span, text: span.text.slice(done - from, start - from) });
      pieces.push({ ...span, code: true, text: span.text.slice(start - from, end - from) });
      done = end;
      if (range.to > at) break;
      next++;
    }
    // A link that is allowed stays one, whatever stands beside it.
    if (span.href !== null) return [span];
    return [...pieces, { ...span, text: span.text.slice(done - from) }];
  });
}

/** Text without a look, in which no client finds a link to another host. */
export function brokenAddresses(text: string, allowed: Allowed | null): string {
  if (allowed === null) return text;
  let broken = "";
  let done = 0;
  for (const { from, to } of addressesIn(text, allowed)) {
    broken +=
      text.slice(done, from) + text.slice(from, to).replaceAll(/[.。．｡:@/\\]/g, `$&${ZERO_WIDTH_SPACE}`);
    done = to;
  }
  return broken + text.slice(done);
}

interface Range {
  readonly from: number;
  readonly to: number;
}

const DOT = "[.。．｡]";
/** Whatever may be part of a host's name to somebody: also emojis, marks that names of some scripts have, and what is not shown. */
const IN_NAME =
  "[\\w\\-\\p{L}\\p{N}\\p{M}\\p{So}\\u{1F3FB}-\\u{1F3FF}\\u00B7\\u0375\\u05F3\\u05F4\\u30FB\\p{Cf}\\p{Default_Ignorable_Code_Point}]";
/**
 * What stands behind slashes, up to a path; or names with dots between. None begins within slashes or within a name: that
 * would take quadratic time on a long one.
 */
const ADDRESS = new RegExp(
  `(?<![\\\\/])[\\\\/]{2,}([^\\s\\\\/?#<>"\`]+)|(?<!${IN_NAME})${IN_NAME}+(?:${DOT}${IN_NAME}+)+`,
  "gu",
);
/** Goes on from there, up to what one client or another takes for its end: behind it another address may begin. */
const ALLOWED_REST = /(?::\d{1,5})?\/[\w\-.~%&+=:@/?#]*/y;
const ALLOWED_QUERY = /[\w\-.~%&+=:@/?#]*/y;
const REST = /[^\s<>"`]*/y;
/** Before it; neither is longer. */
const SCHEME = /[a-z][a-z\d+.-]{0,30}:$/i;
const MAILBOX = /[^\s<>"`,;:()[\]{}@\\/]{0,64}@$/;
const BEFORE_CHARS = 65;

/** Where in a text addresses of other hosts are, in order. Linear. */
function addressesIn(text: string, allowed: Allowed): readonly Range[] {
  const found: Range[] = [];
  let done = 0;
  const pattern = new RegExp(ADDRESS);
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const { 0: whole, 1: authority, index } = match;
    if (authority === undefined && !isAddress(whole)) continue;
    const host = hostOf(authority ?? whole);
    const isAllowed = host !== null && allowed(host);
    const end = index + whole.length;
    if (isAllowed) {
      // Without a scheme not every client takes a query for a part of it.
      pattern.lastIndex = endOf(authority === undefined ? ALLOWED_REST : ALLOWED_QUERY, text, end);
      continue;
    }
    if (authority !== undefined || /[:/?#\\]/.test(text[end] ?? ""))
      pattern.lastIndex = endOf(REST, text, end);
    const before = text.slice(Math.max(done, index - BEFORE_CHARS), index);
    const opening = (authority === undefined ? MAILBOX : SCHEME).exec(before)?.[0] ?? "";
    done = index + trimmed(text.slice(index, pattern.lastIndex)).length;
    found.push({ from: index - opening.length, to: done });
  }
  return found;
}

function endOf(rest: RegExp, text: string, from: number): number {
  const pattern = new RegExp(rest);
  pattern.lastIndex = from;
  return from + (pattern.exec(text)?.[0].length ?? 0);
}

/** Without the marks of the sentence around it. */
function trimmed(address: string): string {
  let end = address.length;
  while (end > 0 && `.,;:!?)]}'"’”»*_~…。．｡`.includes(address[end - 1] ?? "")) end--;
  return address.slice(0, end);
}

/** As URLs hold it, without user, port and the dot at its end; null: no URL could have it. */
function hostOf(authority: string): string | null {
  const host = trimmed(authority.slice(authority.lastIndexOf("@") + 1));
  return URL.parse(`http://${host}`)?.hostname.replace(/\.$/, "") ?? null;
}

/**
 * Whether some client could make a link of these names. Names of files such as `setup.py` count: to clients they are hosts of
 * a country. So does what goes on behind the ending, in letters of another script or as a sentence without its blank.
 */
function isAddress(name: string): boolean {
  const [first = "", ...labels] = name
    .normalize("NFKC")
    .replaceAll(/[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu, "")
    .toLowerCase()
    .split(new RegExp(DOT));
  if (/^(?:www|ftp|mail)$/.test(first)) return true;
  if (labels.length === 3 && [first, ...labels].every((label) => /^\d{1,3}$/.test(label))) return true;
  return labels.some((label) =>
    [label.replace(/[_-]{1,9}$/, ""), /^[a-z\d-]*/.exec(label)?.[0] ?? ""].some(isEnding),
  );
}

const ENDING_CHARS_MAX = 63;

function isEnding(label: string): boolean {
  if (label.length < 2 || label.length > ENDING_CHARS_MAX) return false;
  return SPECIAL.has(label) || parseDomain(`x.${label}`).isIcann === true;
}
