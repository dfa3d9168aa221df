import type { IncomingHttpHeaders } from "node:http";
import { bearerIn } from "../callers.ts";

/** What somebody who wants in brings along. */

export const PROTOCOL = "parley.live.v1";
/** A browser can set no header but this one, and a token in an address would stand in the log of every proxy. */
const BEARER = "parley.bearer.";

export function protocolsIn(header: string | undefined): readonly string[] {
  return (header ?? "").split(",").map((name) => name.trim());
}

/** The bearer token, whichever way it was sent; undefined: none. */
export function tokenIn({
  authorization,
  "sec-websocket-protocol": protocols,
}: IncomingHttpHeaders): string | undefined {
  if (authorization !== undefined) return bearerIn(authorization);
  const coded = protocolsIn(protocols)
    .find((name) => name.startsWith(BEARER))
    ?.slice(BEARER.length);
  if (coded === undefined || !/^[A-Za-z0-9_-]+$/.test(coded)) return undefined;
  const text = Buffer.from(coded, "base64url").toString("utf8");
  return /^[!-~]+$/.test(text) ? text : undefined;
}

export interface OriginRules {
  /** Names of ours, besides the one that is asked for. */
  readonly names: readonly string[];
}

/** Whether a page may open this. Whatever is no browser says nothing of a page, and needs the token all the same. */
export function isOurPage({ origin, host }: IncomingHttpHeaders, { names }: OriginRules): boolean {
  if (origin === undefined) return true;
  const page = URL.parse(origin);
  if (page === null || (page.protocol !== "http:" && page.protocol !== "https:")) return false;
  return page.host === (host ?? "").toLowerCase() || names.some((name) => isNamed(page.hostname, name));
}

/** `*.example` stands for all below it, as where it is asked under which names we are. */
function isNamed(host: string, name: string): boolean {
  const wanted = name.toLowerCase();
  return wanted.startsWith("*.") ? host.endsWith(wanted.slice(1)) : host === wanted;
}
