import type { IncomingMessage } from "node:http";
import { DISCARD_BYTES_MAX } from "../domain/bounds.ts";

/**
 * The raw bytes of a request, never more than `bytesMax` of them in memory.
 * `too-large` and `cut` (the sender went away) are answers, not errors; they come as soon as that is certain.
 */
export function readBody(incoming: IncomingMessage, bytesMax: number): Promise<Buffer | "too-large" | "cut"> {
  return new Promise((resolve) => {
    let first: Buffer | undefined;
    let rest: Buffer[] | undefined;
    let length = 0;
    const refuse = () => {
      first = rest = undefined;
      incoming.off("data", onData);
      discard(incoming);
      resolve("too-large");
    };
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      if (length > bytesMax) refuse();
      else if (first === undefined) first = chunk;
      else if (rest === undefined) rest = [first, chunk];
      else rest.push(chunk);
    };
    if (Number(incoming.headers["content-length"] ?? 0) > bytesMax) return refuse();
    incoming.on("data", onData);
    incoming.on("end", () => resolve(rest ? Buffer.concat(rest, length) : (first ?? Buffer.alloc(0))));
    incoming.on("error", () => resolve("cut"));
    incoming.on("close", () => resolve("cut"));
  });
}

/**
 * Most senders look at the answer only when they have sent everything, and a connection that is closed before that
 * looks to them like a crash. So the rest is read and thrown away, within a bound.
 */
function discard(incoming: IncomingMessage): void {
  let length = 0;
  incoming.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length > DISCARD_BYTES_MAX) incoming.destroy();
  });
  incoming.on("error", () => {});
}
