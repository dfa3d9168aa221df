import { DeliveryError } from "../../../src/domain/errors.ts";
import type { SocketState } from "../../../src/ports/adapter.ts";
import { messageOf } from "../../../src/shared/fault.ts";

/** Why Discord could not be asked, as the state of a connection. */
export function troubleOf(error: unknown): SocketState {
  const isRefused = error instanceof DeliveryError && (error.kind === "refused" || error.kind === "rejected");
  return { status: isRefused ? "failed" : "connecting", details: messageOf(error) };
}
