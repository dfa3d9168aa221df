import type { Secret } from "../../src/config/secret.ts";
import { GENUINE, type RawRequest, type TurnedAway, type Verdict } from "../../src/ports/adapter.ts";
import { textMatches } from "../shared/hmac.ts";

export const REASONS = {
  method: "expected POST",
  noKey: "missing X-Dev-Key",
  wrongKey: "X-Dev-Key does not match the developer's key",
} as const;

interface VerifyOptions {
  /** Null: no key opens the webhook. */
  readonly devKey: Secret | null;
  /** Whether a caller on this machine needs no key. False in production and on any other bind. */
  readonly openOnLoopback: boolean;
}

const LOOPBACK = "(?:localhost|127(?:\\.\\d{1,3}){3}|\\[::1\\])(?::\\d{1,5})?";
const LOOPBACK_HOST = new RegExp(`^${LOOPBACK}$`, "i");
const LOOPBACK_ORIGIN = new RegExp(`^https?://${LOOPBACK}$`, "i");
const PROXY_HEADERS = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/** Open to this machine, if so configured; to everyone else by `X-Dev-Key`. */
export function verifyTest(request: RawRequest, { devKey, openOnLoopback }: VerifyOptions): Verdict {
  if (request.method !== "POST") return forged("method");
  if (openOnLoopback && isLocalCaller(request)) return GENUINE;
  const given = request.header("x-dev-key");
  if (given === undefined || given === "") return forged("noKey");
  return devKey !== null && textMatches([devKey], given) ? GENUINE : forged("wrongKey");
}

function forged(why: keyof typeof REASONS): TurnedAway {
  return { kind: "forged", reason: REASONS[why] };
}

/**
 * A loopback peer alone proves little. A web page open in a local browser sends its own Origin; one that rebinds
 * its name to 127.0.0.1 sends its own Host; and a proxy on this machine speaks for the whole network.
 */
function isLocalCaller(request: RawRequest): boolean {
  if (!request.fromLoopback) return false;
  if (!LOOPBACK_HOST.test(request.header("host") ?? "")) return false;
  const origin = request.header("origin");
  if (origin !== undefined && !LOOPBACK_ORIGIN.test(origin)) return false;
  return PROXY_HEADERS.every((name) => request.header(name) === undefined);
}
