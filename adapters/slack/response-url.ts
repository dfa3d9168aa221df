import { DeliveryError } from "../../src/domain/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { type CallResult, call, type Permit, Redirected } from "../../src/shared/call.ts";
import { getString, type JsonObject, parseJsonObject } from "../../src/shared/json.ts";
import type { ResponseUrlAddress } from "./address.ts";
import { codeFailure, statusFailure } from "./failure.ts";

/** Slack answers with a word. */
const ANSWER_BYTES_MAX = 64 * 1024;

const SLACK_ORIGINS = new Set(["https://hooks.slack.com", "https://hooks.slack-gov.com"]);
const SLACK_HOSTS = /(^|\.)slack(-gov)?\.com$/;

/**
 * The address to post to, or null when it is not Slack's: a URL from outside is never just fetched.
 * Where Slack itself was redirected (`apiUrl`), its hooks go to the same place, path kept.
 */
export function allowedUrl(given: string, apiUrl: string | undefined): URL | null {
  const url = URL.parse(given);
  if (url === null || url.username !== "" || url.password !== "") return null;
  const api = apiUrl === undefined ? null : URL.parse(apiUrl);
  const redirected = api !== null && !SLACK_HOSTS.test(api.hostname) ? api : null;
  if (SLACK_ORIGINS.has(url.origin))
    return redirected === null ? url : new URL(`${url.pathname}${url.search}`, redirected.origin);
  if (redirected === null) return null;
  if (url.origin === redirected.origin) return url;
  return isLoopback(redirected) && isLoopback(url) && url.protocol === "http:" ? url : null;
}

/** `spent`: Slack takes no more answers here (used up, expired, gone); certainly not said. Throws DeliveryError. */
export async function respond(
  url: URL,
  address: ResponseUrlAddress,
  { text, blocks }: { readonly text: string; readonly blocks: readonly JsonObject[] },
  options: { timeoutMs: number; clock: Clock; signal: AbortSignal; permit?: Permit | undefined },
): Promise<"said" | "spent"> {
  const what = "response_url";
  let answer: CallResult;
  try {
    answer = await call(url.href, {
      what,
      setting: "SLACK_API_URL",
      headers: { "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify({
        text,
        ...(blocks.length > 0 && { blocks }),
        response_type: address.visibility,
        replace_original: false,
        ...(address.threadTs !== undefined && { thread_ts: address.threadTs }),
      }),
      signal: options.signal,
      timeoutMs: options.timeoutMs,
      bytesMax: ANSWER_BYTES_MAX,
      permit: options.permit,
    });
  } catch (error) {
    if (error instanceof Redirected) return "spent";
    throw error;
  }

  const { status, headers, text: body } = answer;
  const answered = { status, retryAfter: headers["retry-after"] ?? null };
  const code = errorCode(body ?? "");
  if (status === 404 || status === 410 || code === "used_url" || code === "expired_url") return "spent";
  const failure = statusFailure(what, answered, options.clock.nowMs());
  if (failure !== null) throw failure;
  if (code !== undefined) throw codeFailure(code, what, answered, options.clock.nowMs());
  // A proxy's page, say: Slack may have seen the message or not.
  if (body === null || /^\s*</.test(body))
    throw new DeliveryError("unknown", `${what}: expected ok, got something else`, {
      status,
    });
  return "said";
}

/** Slack answers `ok`, a bare code, or JSON with an `error`. */
function errorCode(body: string): string | undefined {
  const text = body.trim();
  if (/^(used|expired)_url$/.test(text)) return text;
  const parsed = parseJsonObject(text);
  return parsed.ok && parsed.value.ok === false
    ? (getString(parsed.value, "error") ?? "unknown_error")
    : undefined;
}

function isLoopback(url: URL): boolean {
  return url.hostname === "localhost" || url.hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(url.hostname);
}
