import { quoted } from "../../domain/redact.ts";
import { ToolFault } from "../../domain/tool-fault.ts";
import { causesOf, messageOf } from "../../shared/fault.ts";

const WORDS_CHARS_MAX = 500;
/** Errors that come before a byte has left. */
const NEVER_SENT =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT|EACCES|UND_ERR_CONNECT_TIMEOUT)$/;
/** As JSON-RPC has them: the server has looked at the request, and not begun with it. */
const REFUSED = new Set([-32700, -32600, -32601, -32602]);

/** What a failed call says about the call. Told by what the library's errors hold, not by their classes: it is loaded late. */
export function faultOf(server: string, error: unknown): ToolFault {
  if (error instanceof ToolFault) return error;
  const code = codesIn(error);
  const { status } = error as { readonly status?: unknown };
  const words = `${server}: ${reasonOf(error)}`;
  if (typeof status === "number") return ofStatus(status, words, error);
  if (code.some((one) => typeof one === "number")) {
    const isRefused = code.some((one) => REFUSED.has(one as number));
    return new ToolFault(words, { mayHaveRun: !isRefused, isPassing: false, cause: error });
  }
  const wasSent = !code.some(
    (one) => typeof one === "string" && (NEVER_SENT.test(one) || one === "NOT_CONNECTED"),
  );
  return new ToolFault(words, { mayHaveRun: wasSent, isPassing: true, cause: error });
}

/** 404 is what a server says of a session that it does not know any more: what was asked was not looked at. */
function ofStatus(status: number, words: string, cause: unknown): ToolFault {
  const isPassing = status === 404 || status === 408 || status === 429 || status >= 500;
  return new ToolFault(words, { mayHaveRun: status >= 500 || status === 408, isPassing, cause });
}

/** For whoever reads it, the model too; no secret, and short. */
export function reasonOf(error: unknown): string {
  const code = codesIn(error).find((one): one is string => typeof one === "string" && /^E[A-Z]+$/.test(one));
  const words = quoted(messageOf(error).replaceAll(/\s+/g, " "), WORDS_CHARS_MAX);
  return code === undefined || words.includes(code) ? words : `${words} (${code})`;
}

function codesIn(error: unknown): readonly unknown[] {
  return [...causesOf(error)].flatMap(({ code }) => code ?? []);
}
