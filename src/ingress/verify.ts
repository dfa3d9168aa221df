import {
  type Adapter,
  PROBE,
  type RawRequest,
  type TurnedAway,
  type Verdict,
  type VerifiedRequest,
} from "../ports/adapter.ts";

export type Verification =
  | { readonly kind: "genuine"; readonly request: VerifiedRequest }
  | { readonly kind: "probe" }
  | TurnedAway;

/** The only maker of a VerifiedRequest: what has not been here cannot be parsed. Fails closed. */
export function verifyRequest(request: RawRequest, adapter: Adapter): Verification {
  const verdict = judge(request, adapter);
  if ("reason" in verdict) return verdict;
  return verdict.kind === "genuine" ? { kind: "genuine", request: request as VerifiedRequest } : PROBE;
}

function judge(request: RawRequest, adapter: Adapter): Verdict {
  try {
    return adapter.verify(request);
  } catch {
    return STUMBLED;
  }
}

/** A verifier that stumbles over its input has not verified it. */
const STUMBLED: TurnedAway = { kind: "forged", reason: "the verifier failed" };
