import type { IncomingMessage } from "node:http";
import { SMALL_BODY_BYTES } from "../domain/bounds.ts";
import type { BodyBudget, Held } from "./body-budget.ts";
import type { Drain } from "./drain.ts";

/** `shed`: more bodies than may be held at once, and this was the largest. */
export type Unread = "too-large" | "cut" | "shed";

/** What all bodies of a server share. */
export interface Bodies {
  readonly budget: BodyBudget;
  readonly drain: Drain;
}

/**
 * The raw bytes of a request, never more than `bytesMax` of them in memory. What is no body is an answer, not an error;
 * it comes as soon as that is certain.
 */
export function readBody(
  incoming: IncomingMessage,
  bytesMax: number,
  { budget, drain }: Bodies,
): Promise<Buffer | Unread> {
  return new Promise((resolve) => {
    const declared = declaredBytes(incoming);
    let bytes: Buffer | undefined;
    let length = 0;
    let held: Held | undefined;

    const over = (result: Buffer | Unread) => {
      if (held !== undefined) budget.release(held);
      bytes = held = undefined;
      resolve(result);
    };
    const refuse = (why: Unread) => {
      incoming.off("data", onData);
      drain.discard(incoming);
      over(why);
    };
    /** Chunks may be of one byte each, and an object for each would be a hundred times what they hold. */
    const onData = (chunk: Buffer) => {
      const wanted = length + chunk.length;
      if (wanted > bytesMax) return refuse("too-large");
      if (bytes === undefined) bytes = chunk;
      else {
        if (wanted > bytes.length)
          bytes = grown(bytes, length, Math.min(declared ?? bytesMax, bytesMax), wanted);
        chunk.copy(bytes, length);
      }
      length = wanted;
      // Only now and then, so that the many small ones need no accounts: connections bound those.
      if (bytes.length <= SMALL_BODY_BYTES) return;
      held ??= { bytes: 0, shed: () => refuse("shed") };
      budget.hold(held, bytes.length);
    };

    if ((declared ?? 0) > bytesMax) return refuse("too-large");
    incoming.on("data", onData);
    incoming.on("end", () => over(bytes?.subarray(0, length) ?? Buffer.alloc(0)));
    incoming.on("error", () => over("cut"));
    incoming.on("close", () => over("cut"));
  });
}

/** Undefined when the sender has not said how much will come. */
export function declaredBytes({ headers }: Pick<IncomingMessage, "headers">): number | undefined {
  const length = headers["content-length"];
  return length === undefined ? undefined : Number(length);
}

function grown(bytes: Buffer, length: number, bytesMax: number, wanted: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(Math.max(wanted, Math.min(bytesMax, bytes.length * 2, wanted * 2)));
  bytes.copy(larger, 0, 0, length);
  return larger;
}
