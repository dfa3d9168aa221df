import type { ReplyAddress, TriggerEvent } from "../../src/domain/event.ts";
import type { Signal } from "../../src/domain/signal.ts";

/** An event with nothing special about it; override what the test is about. */
export function anEvent(changes: Partial<TriggerEvent> = {}): TriggerEvent {
  const place = changes.place ?? "C1";
  return {
    id: "slack:T1:C1:1",
    aliases: [],
    platform: "slack",
    tenant: "T1",
    place,
    thread: null,
    conversation: `slack:T1:${place}`,
    isDirect: false,
    sender: { id: "U1", name: "ann", isBot: false },
    trigger: "mention",
    command: null,
    text: "hello",
    attachments: [],
    replyTo: "{}" as ReplyAddress,
    occurredAtMs: 1_700_000_000_000,
    ...changes,
  };
}

/** What a person says with /stop. */
export const A_STOP: Signal = { kind: "stop", by: { id: "U1", name: "ann" } };
