import { GatewayError } from "../../domain/errors.ts";

/** It may work later, and what was asked may have been carried out all the same. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "STORE_UNAVAILABLE";
}

export function unavailable(why: string, cause?: unknown): GatewayError {
  return new GatewayError("STORE_UNAVAILABLE", why, { cause });
}
