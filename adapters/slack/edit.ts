import { DeliveryError } from "../../src/domain/errors.ts";
import type { Adapter } from "../../src/ports/adapter.ts";
import { readAddress } from "./address.ts";
import type { CallSlack } from "./api.ts";
import { blocksFor } from "./buttons.ts";
import { readPart } from "./render.ts";

const UPDATE = "chat.update";
const GONE = /: (?:message_not_found|cant_update_message|edit_window_closed|channel_not_found)$/;

/** Changes what was posted. What was said through a `response_url` is out of reach: nothing names it. */
export function createEdit(call: CallSlack): NonNullable<Adapter["edit"]> {
  return async ({ messageId }, delivery, signal, permit) => {
    const address = readAddress(delivery.to);
    const part = readPart(delivery.part);
    if (address === null || part === null)
      throw new DeliveryError("rejected", "Expected an address and a part of the Slack adapter, got others");
    if (messageId === null) return "gone";
    const { text, buttons } = part;
    // Blocks that are not named stay.
    const args = { channel: address.channel, ts: messageId, text, blocks: blocksFor(text, buttons) };
    try {
      await call(UPDATE, args, signal, permit);
      return { messageId, via: UPDATE };
    } catch (error) {
      if (error instanceof DeliveryError && GONE.test(error.message)) return "gone";
      throw error;
    }
  };
}
