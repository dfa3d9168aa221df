import { isLoopbackHost } from "../../src/domain/loopback.ts";
import {
  GENUINE,
  type RawRequest,
  type RequestHead,
  type TurnedAway,
  type Verdict,
} from "../../src/ports/adapter.ts";
import { textMatches } from "../../src/shared/hmac.ts";
import type { Secret } from "../../src/shared/secret.ts";

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

/** Open to this machine, if so configured; to everyone else by `X-Dev-Key`. */
export function verifyTest(request: RawRequest, options: VerifyOptions): Verdict {
  return screenTest(request, options) ?? GENUINE;
}

/** The headers say it all. */
export function screenTest(head: RequestHead, { devKey, openOnLoopback }: VerifyOptions): TurnedAway | null {
  if (head.method !== "POST") return forged("method");
  if (openOnLoopback && isLocalCaller(head)) return null;
  const given = head.header("x-dev-key");
  if (given === undefined || given === "") return forged("noKey");
  return devKey !== null && textMatches([devKey], given) ? null : forged("wrongKey");
}

function forged(why: keyof typeof REASONS): TurnedAway {
  return { kind: "forged", reason: REASONS[why] };
}

/**
 * A loopback peer alone proves little. A web page open in a local browser sends its own Origin; one that rebinds
 * its name to 127.0.0.1 sends its own Host; and a proxy on this machine speaks for the whole network, which
 * `fromLoopback` denies as far as a proxy shows itself.
 */
function isLocalCaller(request: RequestHead): boolean {
  if (!request.fromLoopback) return false;
  if (!isLoopbackHost(request.header("host") ?? "")) return false;
  const origin = request.header("origin");
  return origin === undefined || isLoopbackHost(/^https?:\/\/(.*)$/i.exec(origin)?.[1] ?? "");
}
