import { DeliveryError } from "../../../src/domain/errors.ts";
import type { SocketState } from "../../../src/ports/adapter.ts";
import { messageOf } from "../../../src/shared/fault.ts";

/** How long Discord has asked not to be asked. */
export function waitOf(error: unknown): number {
  return error instanceof DeliveryError ? (error.retryAfterMs ?? 0) : 0;
}

/** Why Discord could not be asked, as the state of a connection. */
export function troubleOf(error: unknown): SocketState {
  const isRefused = error instanceof DeliveryError && (error.kind === "refused" || error.kind === "rejected");
  return { status: isRefused ? "failed" : "connecting", details: messageOf(error) };
}
