import type { IncomingMessage } from "node:http";
import { SMALL_BODY_BYTES } from "../domain/bounds.ts";
import type { UsedUp } from "../telemetry/heap.ts";
import type { BodyRoom, LargeBody } from "./body-room.ts";
import type { Drain } from "./drain.ts";
import { declaredBytes } from "./request.ts";

/** `shed`: more bodies than may be held at once, and this was the largest. */
export type Unread = "too-large" | "cut" | "shed";

/** What all bodies of a server share. */
export interface Bodies {
  readonly room: BodyRoom;
  readonly drain: Drain;
  /** Chunks that have been copied. */
  readonly usedUp: Pick<UsedUp, "add">;
}

/**
 * Lends the raw bytes of a request to `use`, never more than `bytesMax` of them: when `use` returns, large ones are
 * somebody else's. What is no body is an answer, not an error; it comes as soon as that is certain.
 */
export function readBody<T>(
  incoming: IncomingMessage,
  bytesMax: number,
  { room, drain, usedUp }: Bodies,
  use: (bytes: Buffer) => Promise<T>,
): Promise<T | Unread> {
  return new Promise((resolve) => {
    const declared = declaredBytes(incoming);
    let small: Buffer | undefined;
    let length = 0;
    let large: LargeBody | undefined;
    let isRefused = false;

    const refuse = (why: Unread) => {
      isRefused = true;
      incoming.off("data", onData);
      if (large !== undefined) room.release(large);
      small = large = undefined;
      drain.discard(incoming);
      resolve(why);
    };
    const onData = (chunk: Buffer) => {
      const wanted = length + chunk.length;
      if (wanted > bytesMax) return refuse("too-large");
      if (wanted > SMALL_BODY_BYTES) usedUp.add(chunk.length);
      if (large !== undefined) room.add(large, chunk);
      // Only now and then, so that the many small ones need no accounts: connections bound those.
      else if (wanted > SMALL_BODY_BYTES) {
        large = { bytes: 0, blocks: [], shed: () => refuse("shed") };
        if (small === undefined || room.add(large, small.subarray(0, length))) room.add(large, chunk);
        small = undefined;
      } else small = small === undefined ? chunk : appended(small, length, chunk);
      length = wanted;
    };
    const cut = () => {
      if (large !== undefined) room.release(large);
      large = undefined;
      resolve("cut");
    };

    if ((declared ?? 0) > bytesMax) return refuse("too-large");
    incoming.on("data", onData);
    incoming.on("end", () => {
      incoming.off("data", onData);
      if (isRefused) return;
      const bytes =
        large === undefined ? (small?.subarray(0, length) ?? Buffer.alloc(0)) : room.joined(large);
      // What it throws is for the caller to answer, and must not end the process.
      resolve(Promise.try(use, bytes));
      large = undefined;
    });
    incoming.on("error", cut);
    incoming.on("close", cut);
  });
}

/** Chunks may be of one byte each, and an object for each would be a hundred times what they hold. */
function appended(small: Buffer, length: number, chunk: Buffer): Buffer {
  const wanted = length + chunk.length;
  let bytes = small;
  if (wanted > small.length) {
    bytes = Buffer.allocUnsafeSlow(Math.min(SMALL_BODY_BYTES, Math.max(wanted, small.length * 2)));
    small.copy(bytes, 0, 0, length);
  }
  chunk.copy(bytes, length);
  return bytes;
}
