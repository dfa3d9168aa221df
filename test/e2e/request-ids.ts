import type { GatewayProcess } from "./gateway-process.ts";

const RECEIVED: ReadonlySet<unknown> = new Set(["webhook.received", "socket.received"]);

/** The kinds of lines about events, and those of them that lack the id of the request that brought their event. */
export function eventLines(gateways: readonly Pick<GatewayProcess, "logLines">[]): {
  readonly kinds: ReadonlySet<unknown>;
  readonly unnamed: readonly Record<string, unknown>[];
} {
  const lines = gateways.flatMap((gateway) => gateway.logLines());
  const received = lines.filter(({ msg, outcome }) => RECEIVED.has(msg) && outcome === "accepted");
  const requests = new Map(received.map(({ event_id, request_id }) => [event_id, request_id]));
  const ofEvents = lines.filter(({ msg, event_id }) => event_id !== undefined && !RECEIVED.has(msg));
  return {
    kinds: new Set(ofEvents.map(({ msg }) => msg)),
    unnamed: ofEvents.filter(
      ({ event_id, request_id }) => request_id === undefined || request_id !== requests.get(event_id),
    ),
  };
}
