import type { SampleRequest } from "../ports/sampler.ts";

/** A line for a POSIX shell that sends exactly this request. */
export function curlLine(request: SampleRequest, url: string): string {
  const headers = Object.entries(request.headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`);
  // Without a body curl would send one that is empty, and a type that nobody chose.
  const body = request.method === "GET" ? [] : ["--data-binary", quote(request.body)];
  // --globoff: brackets and braces in an address are no ranges.
  return ["curl", "-sS", "--globoff", "-X", request.method, ...headers, ...body, quote(url)].join(" ");
}

/** Nothing is special between single quotes but the single quote. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
