import { EXIT } from "../shared/exit.ts";
import { printable } from "./printable.ts";
import { CommandError } from "./terminal.ts";

const BODY_CHARS_MAX = 1024 * 1024;

export type Asked =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly headers: Headers;
      readonly body: string;
      readonly tookMs: number;
    }
  /** `code`: ECONNREFUSED, timeout, … */
  | { readonly kind: "unreachable"; readonly code: string };

/** One request with a deadline, never following a redirect. Never throws. */
export async function ask(url: string, init: RequestInit, timeoutMs: number): Promise<Asked> {
  const startedAt = performance.now();
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { ...init, redirect: "manual", signal });
    const tookMs = performance.now() - startedAt;
    const body = await readBounded(response);
    return { kind: "answered", status: response.status, headers: response.headers, body, tookMs };
  } catch (error) {
    return { kind: "unreachable", code: codeOf(error) };
  }
}

export function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

async function readBounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > BODY_CHARS_MAX) break;
  }
  return text.slice(0, BODY_CHARS_MAX);
}

/** ECONNREFUSED, timeout, … of a request that got no answer. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if (error.name === "TimeoutError") return "timeout";
  const { cause } = error;
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
  return code ?? (cause instanceof Error ? cause.message : error.message);
}

/** What the paths of a gateway come after. It is shown to people, so it never holds a login. */
export function httpBase(name: string, url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    const shown = url.includes("@") ? "something else" : printable(url);
    throw new CommandError(EXIT.usage, `expected ${name} to begin with http:// or https://, got ${shown}`);
  }
  if (parsed.username !== "" || parsed.password !== "")
    throw new CommandError(
      EXIT.usage,
      `expected ${name} without a user name and password, got one with them`,
    );
  return `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, "");
}
