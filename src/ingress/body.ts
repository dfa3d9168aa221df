import type { IncomingMessage } from "node:http";

/**
 * The raw bytes of a request, never more than `bytesMax` of them in memory.
 * `too-large` and `cut` (the sender went away) are answers, not errors.
 */
export function readBody(incoming: IncomingMessage, bytesMax: number): Promise<Buffer | "too-large" | "cut"> {
  const declared = Number(incoming.headers["content-length"] ?? 0);
  if (declared > bytesMax) return Promise.resolve("too-large");
  return new Promise((resolve) => {
    let first: Buffer | undefined;
    let rest: Buffer[] | undefined;
    let length = 0;
    incoming.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > bytesMax) {
        incoming.removeAllListeners("data");
        incoming.pause();
        resolve("too-large");
      } else if (first === undefined) first = chunk;
      else if (rest === undefined) rest = [first, chunk];
      else rest.push(chunk);
    });
    incoming.on("end", () => resolve(rest ? Buffer.concat(rest, length) : (first ?? Buffer.alloc(0))));
    incoming.on("error", () => resolve("cut"));
    incoming.on("close", () => resolve("cut"));
  });
}
