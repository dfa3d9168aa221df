import type { Attachment } from "../../src/domain/attachment.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import { FileUnreadable } from "../../src/ports/files.ts";
import { download } from "../../src/shared/download.ts";

export interface FileHosts {
  /** Of the platform's own files: `https://files.example.com`. */
  readonly origins: ReadonlySet<string>;
  /** Whose API this is by its host: any other is one that an operator has put in its place. */
  readonly isPlatforms: RegExp;
}

export interface FilePlace {
  readonly url: URL;
  /** It is where the operator has redirected the API to. */
  readonly isOperators: boolean;
}

/**
 * Where to fetch a file whose address came from outside; null: nowhere. Only the platform's own hosts are asked. Where its
 * API was redirected, they lead to the same place, path and query kept.
 */
export function filePlace(given: string, hosts: FileHosts, apiUrl: string | undefined): FilePlace | null {
  const url = URL.parse(given);
  if (url === null || url.username !== "" || url.password !== "") return null;
  const api = apiUrl === undefined ? null : URL.parse(apiUrl);
  const redirected = api !== null && !hosts.isPlatforms.test(api.hostname) ? api : null;
  if (redirected === null) return hosts.origins.has(url.origin) ? { url, isOperators: false } : null;
  if (url.origin === redirected.origin) return { url, isOperators: true };
  if (!hosts.origins.has(url.origin)) return null;
  return { url: new URL(`${url.pathname}${url.search}`, redirected.origin), isOperators: true };
}

export interface FetchOptions {
  readonly hosts: FileHosts;
  readonly apiUrl: string | undefined;
  readonly what: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  readonly nowMs: number;
}

/** The file at an address that is allowed. Throws as FileReader.open does. */
export async function fetchFile(
  given: string,
  file: Attachment,
  { hosts, apiUrl, headers = {}, ...options }: FetchOptions,
): Promise<AsyncIterable<Uint8Array>> {
  const place = filePlace(given, hosts, apiUrl);
  if (place === null) throw new FileUnreadable("elsewhere", "it is kept at a place that I do not fetch from");
  const { url, isOperators } = place;
  const found = await download(url, { ...options, headers, isOperators }).catch((error: unknown) => {
    throw inWords(error);
  });
  // Who may not have it gets a page to log in at, with the status of success.
  if (found.mime === "text/html" && !isPage(file)) {
    await found.bytes[Symbol.asyncIterator]().return?.();
    throw new FileUnreadable("not_the_file", "a web page came in its place, as for one who may not read it");
  }
  return found.bytes;
}

function isPage({ mime, name }: Attachment): boolean {
  return mime?.startsWith("text/html") === true || /\.x?html?$/i.test(name ?? "");
}

/** What another try would not change, for the model. */
function inWords(error: unknown): unknown {
  if (!(error instanceof DeliveryError) || error.kind !== "rejected") return error;
  const { status } = error;
  if (status === 404 || status === 410) return new FileUnreadable("gone", "it is not there any more");
  if (status !== null && status >= 300 && status <= 399)
    return new FileUnreadable("elsewhere", "it leads to another place, where I do not follow");
  return new FileUnreadable("refused", `I may not read it (HTTP ${status})`);
}
