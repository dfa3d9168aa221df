import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { theirWords } from "../../domain/text.ts";
import { ToolFault } from "../../domain/tool-fault.ts";
import type { Tool } from "../../ports/tool.ts";
import { isPrivateAddress, publicLookup } from "../../shared/download.ts";
import { getString } from "../../shared/json.ts";
import { reasonOf } from "../mcp/faults.ts";

const REDIRECTS_MAX = 5;
const BYTES_MAX = 2 * 2 ** 20;
const TEXTS =
  /^(?:text\/|application\/(?:json|xml|yaml|x-yaml|javascript|rss\+xml|atom\+xml|[\w.-]+\+(?:json|xml))(?:;|$))/i;

/** How pages are reached; another in tests alone, which have no public address. */
export interface Ways {
  readonly lookup: LookupFunction;
  readonly isAllowedAddress: (address: string) => boolean;
  /** `https:`, and nothing else. */
  readonly protocols: readonly string[];
}
const PUBLIC: Ways = {
  lookup: publicLookup,
  isAllowedAddress: (address) => !isPrivateAddress(address),
  protocols: ["https:"],
};

/**
 * Reads a page of hosts that the operator names. The address that a name stands for is looked up once, judged and connected
 * to, so that it cannot be another by then; each redirect is judged like the first.
 */
export function createFetchTool(hosts: readonly string[], ways: Ways = PUBLIC): Omit<Tool, "name"> {
  return {
    description: `Reads a text page over HTTPS, from these hosts alone: ${hosts.join(", ")}.`,
    effect: "read",
    repeatable: true,
    inputSchema: {
      type: "object",
      properties: { url: { type: "string", description: "The address, with https://" } },
      required: ["url"],
      additionalProperties: false,
    },
    async call(input, signal) {
      let at = getString(input, "url") ?? "";
      for (let hops = 0; hops <= REDIRECTS_MAX; hops++) {
        const url = allowed(at, hosts, ways);
        const response = await get(url, signal, ways);
        const { location } = response.headers;
        const { statusCode: status = 0 } = response;
        if (status < 300 || status > 399 || location === undefined)
          return await pageOf(response, status, signal);
        response.destroy();
        at = URL.parse(location, url.href)?.href ?? "";
      }
      throw refused(`Expected at most ${REDIRECTS_MAX} redirects, got more`);
    },
  };
}

function allowed(text: string, hosts: readonly string[], { protocols, isAllowedAddress }: Ways): URL {
  const url = URL.parse(text);
  if (url === null || !protocols.includes(url.protocol)) throw refused("Expected an https:// address");
  if (url.username !== "" || url.password !== "")
    throw refused("Expected an address without user and password");
  if (!hosts.some((host) => isHost(url, host)))
    throw refused(`Expected one of these hosts: ${hosts.join(", ")}. Got: ${url.host}`);
  // An address that is no name is never looked up.
  const bare = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(bare) !== 0 && !isAllowedAddress(bare)) throw refused("Expected a public address");
  return url;
}

function isHost(url: URL, pattern: string): boolean {
  const [, host = "", port = ""] = /^(.*?)(?::(\d+))?$/.exec(pattern) ?? [];
  if (url.port !== port) return false;
  return host.startsWith("*.") ? url.hostname.endsWith(host.slice(1)) : url.hostname === host;
}

function get(url: URL, signal: AbortSignal, { lookup }: Ways): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const client = url.protocol === "https:" ? https : http;
    const headers = { accept: "text/*, application/json, application/xml", "user-agent": "parley" };
    client
      .get(url, { headers, signal, agent: false, lookup })
      .once("response", resolve)
      .on("error", (error) =>
        reject(signal.aborted ? signal.reason : refused(`${url.host} cannot be read: ${reasonOf(error)}`)),
      );
  });
}

async function pageOf(response: IncomingMessage, status: number, signal: AbortSignal) {
  const type = response.headers["content-type"] ?? "text/plain";
  if (!TEXTS.test(type)) {
    response.destroy();
    throw refused(`Expected a text, got ${type.slice(0, 100)}`);
  }
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of response) {
      bytes += (piece as Buffer).length;
      if (bytes > BYTES_MAX) break;
      pieces.push(piece as Buffer);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw refused(`the page broke off: ${reasonOf(error)}`);
  } finally {
    response.destroy();
  }
  const text = theirWords(Buffer.concat(pieces).toString("utf8"));
  const cut = bytes > BYTES_MAX ? `\n[only the first ${BYTES_MAX} bytes]` : "";
  return status === 200 ? `${text}${cut}` : { text: `HTTP ${status}\n${text}${cut}`, isError: true };
}

function refused(message: string): ToolFault {
  return new ToolFault(message, { mayHaveRun: false, isPassing: false });
}
