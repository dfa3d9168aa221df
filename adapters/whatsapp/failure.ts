import { DeliveryError } from "../../src/domain/errors.ts";
import { kindOfStatus, retryAfterMs } from "../../src/shared/fault.ts";
import { get, getObject, parseJsonObject } from "../../src/shared/json.ts";

/**
 * What Meta's error codes mean for a message. The same codes come in the answer to a call and in failed statuses.
 *
 * | codes | what to do |
 * |-|-|
 * | 1, 2, 131000, 131016, 131057 | trouble on Meta's side: try again |
 * | 4, 80007, 130429, 131056 | too fast: try again, slower |
 * | 0, 190, or 401 without a code | the access token: nothing can be said until it is taken again |
 * | everything else | never works unchanged: give up, and say what to do |
 */
const TROUBLE = new Set([1, 2, 131000, 131016, 131057]);
const TOO_FAST = new Set([4, 80007, 130429, 131056]);
/** One message per 6 s to one person; Meta sends no Retry-After with this code. */
const PAIR_RATE_CODE = 131056;
const PAIR_RATE_MS = 6_000;

const TOKEN = new Set([0, 190]);
const TOKEN_ADVICE =
  "the access token is not accepted; put a valid system-user token in WHATSAPP_ACCESS_TOKEN";

const ADVICE: readonly (readonly [codes: ReadonlySet<number>, advice: string])[] = [
  [new Set([131047]), "the 24-hour window is closed; only an approved template can reach this person"],
  [new Set([131026]), "this person cannot receive the message"],
  [new Set([131049, 130472]), "Meta holds back messages to this person for now"],
  [new Set([131050]), "this person has opted out"],
  [new Set([131021]), "sender and recipient are the same number"],
  [new Set([131030]), "the number is not in the test recipients of the Meta app"],
  [new Set([131042]), "the business account has a payment problem; settle it in WhatsApp Manager"],
  [new Set([131031, 368]), "the business account is locked or restricted; see WhatsApp Manager"],
  [new Set([131045, 133010]), "the phone number is not registered with the Cloud API"],
  [new Set([131048]), "Meta limits this number because of spam reports"],
  [new Set([3, 10, 131005]), "the access token lacks the permission whatsapp_business_messaging"],
  [new Set([100, 131008, 131009]), "Meta does not accept a field of the request"],
];

/** A refusal by Meta, as the delivery needs it. Meta's own wording stays out: it may repeat a token or a text. */
export function failureOf(answer: {
  status: number;
  body: string | null;
  retryAfter: string | null;
  nowMs: number;
}): DeliveryError {
  const { status } = answer;
  const code = errorCode(answer.body);
  const what = `WhatsApp: HTTP ${status}${code === null ? "" : `, error ${code}`}`;
  const pause = retryAfterMs(answer.retryAfter, answer.nowMs);
  if (status === 429 || (code !== null && TOO_FAST.has(code))) {
    const pauseMs = pause ?? (code === PAIR_RATE_CODE ? PAIR_RATE_MS : null);
    // Meta also answers 400 to what is too fast; 429 is what the pacing counts.
    return new DeliveryError("retry", `${what}: too many messages`, { status: 429, retryAfterMs: pauseMs });
  }
  if (code !== null && TROUBLE.has(code)) {
    return new DeliveryError("retry", `${what}: trouble at Meta`, { status, retryAfterMs: pause });
  }
  if (code === null ? status === 401 : TOKEN.has(code))
    return new DeliveryError("refused", `${what}: ${TOKEN_ADVICE}`, { status });
  const advice = code === null ? undefined : adviceFor(code);
  if (advice !== undefined) return new DeliveryError("rejected", `${what}: ${advice}`, { status });
  const kind = kindOfStatus(status);
  if (kind === "rejected") return new DeliveryError(kind, `${what}: ${adviceForStatus(status)}`, { status });
  const trouble = kind === "retry" ? "server error" : "trouble on the way; Meta may have the message";
  return new DeliveryError(kind, `${what}: ${trouble}`, { status, retryAfterMs: pause });
}

function adviceFor(code: number): string | undefined {
  if (code >= 200 && code <= 299) return "the access token lacks a permission";
  return ADVICE.find(([codes]) => codes.has(code))?.[1];
}

function adviceForStatus(status: number): string {
  // Following a redirect would hand the token to whoever it points to.
  if (status >= 300 && status < 400)
    return "redirected, and redirects are not followed; check WHATSAPP_API_URL";
  return "the request was refused";
}

function errorCode(body: string | null): number | null {
  if (body === null) return null;
  const parsed = parseJsonObject(body);
  const code = parsed.ok ? get(getObject(parsed.value, "error"), "code") : undefined;
  return typeof code === "number" && Number.isSafeInteger(code) ? code : null;
}
