import type { Adapter, RawRequest, Verdict, VerifiedRequest } from "../ports/adapter.ts";

export type Verification =
  | { readonly kind: "genuine"; readonly request: VerifiedRequest }
  | { readonly kind: Exclude<Verdict, "genuine"> };

/** The only maker of a VerifiedRequest: what has not been here cannot be parsed. Fails closed. */
export function verifyRequest(request: RawRequest, adapter: Adapter): Verification {
  const verdict = judge(request, adapter);
  return verdict === "genuine" ? { kind: "genuine", request: request as VerifiedRequest } : { kind: verdict };
}

function judge(request: RawRequest, adapter: Adapter): Verdict {
  try {
    return adapter.verify(request);
  } catch {
    return "forged"; // A verifier that stumbles over its input has not verified it.
  }
}
