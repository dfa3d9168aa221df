import { type Adapter, PLAIN_WEBHOOK } from "../../src/ports/adapter.ts";
import type { NewId } from "../../src/ports/clock.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { mintAddress } from "./address.ts";
import { WORDS } from "./explain.ts";
import { parseTest } from "./parse.ts";
import { renderReply } from "./render.ts";
import { createReplies, type RepliesDeps } from "./replies.ts";
import { sendPart } from "./send.ts";
import { screenTest, verifyTest } from "./verify.ts";

export interface TestOptions extends RepliesDeps {
  /** What callers from elsewhere send as `X-Dev-Key`; null when none are served. */
  readonly devKey: Secret | null;
  /** Whether callers on this machine need no key. */
  readonly openOnLoopback: boolean;
  readonly newId: NewId;
}

export interface TestAdapter extends Adapter {
  /**
   * The reply to an event, whichever replica runs it, also when it was given a moment ago.
   * Null when aborted first, or when too many wait already.
   */
  waitForReply(eventId: string, signal: AbortSignal): Promise<string | null>;
}

/** The developer's webhook: a message by curl, the reply to whoever waits for it. */
export function createTestAdapter(options: TestOptions): TestAdapter {
  const replies = createReplies(options);
  return {
    platform: "test",
    webhook: PLAIN_WEBHOOK,
    ignored: WORDS.ignored,
    screen: (head) => screenTest(head, options),
    verify: (request) => verifyTest(request, options),
    parse: (request) => parseTest(request, options.newId),
    render: (markdown) => renderReply(markdown),
    addressOf: ({ eventId }) => mintAddress(eventId),
    send: async (delivery) => sendPart(delivery, replies),
    // A part sent again replaces itself, so a copy is never seen.
    recover: async () => "repeatable",
    merged: (event, into) => replies.alias(event.id, into.id),
    waitForReply: (eventId, signal) => replies.wait(eventId, signal),
  };
}
