import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

export interface HostRules {
  /** What is listened on. */
  readonly bind: string;
  /** Names that are this gateway's; `*.example` stands for all below it. */
  readonly names: readonly string[];
  /** Whether others than this machine can reach us, and may do so by names of their own network. */
  readonly isLocalOnly: boolean;
}

/**
 * Whether a request means us. A web page whose name is rebound to our address speaks to us from inside somebody's
 * browser, under the name of the page. An address is no such name, and none at all is sent by no browser.
 */
export function createHostCheck({
  bind,
  names,
  isLocalOnly,
}: HostRules): (host: string | undefined) => boolean {
  const exact = new Set([bind, ...names.filter((name) => !name.startsWith("*."))].map(plain));
  const below = names.filter((name) => name.startsWith("*.")).map((name) => plain(name.slice(1)));
  return (host) => {
    if (host === undefined) return true;
    const name = HOST.exec(host)?.[1];
    if (name === undefined) return false;
    if (isIP(name.replace(/^\[(.*)\]$/, "$1")) !== 0) return true;
    const wanted = plain(name);
    if (wanted === "localhost" || wanted.endsWith(".localhost") || exact.has(wanted)) return true;
    return below.some((end) => wanted.endsWith(end)) || (!isLocalOnly && UNPUBLISHED.test(wanted));
  };
}

const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i;
/** Names that no public DNS holds, so that no page can have them: `gateway`, `parley.default.svc`. */
const UNPUBLISHED = /^[^.]+$|\.(?:svc|cluster\.local|internal)$/;

function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

/** Which of two would count is up to the reader, so a proxy and we may read differently. */
export function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i];
    if (name?.length === 4 && name.toLowerCase() === "host") count++;
  }
  return count > 1;
}
