import type { TriggerEvent } from "../domain/event.ts";

export interface EventIds {
  readonly event_id: string;
  /** The `X-Request-Id` of the webhook that brought it; undefined, and not in the line: none did. */
  readonly request_id: string | undefined;
}

/** What each line of an event is found by, on whatever replica it is written. */
export function eventIds({ id, requestId }: Pick<TriggerEvent, "id" | "requestId">): EventIds {
  return { event_id: id, request_id: requestId };
}
