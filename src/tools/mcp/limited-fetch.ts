import { MESSAGE_BYTES_MAX } from "../bounds.ts";

/** As fetch, of answers of which no message is longer than allowed, and which lead nowhere else. */
export async function limitedFetch(url: string | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: "error" });
  if (response.body === null) return response;
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(bounded(isStream)), { status, statusText, headers });
}

/** Of a stream of events, each; of anything else, all of it. */
function bounded(isStream: boolean): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      const end = isStream ? endOfEvent(chunk) : -1;
      bytes = end === -1 ? bytes + chunk.length : chunk.length - end;
      if (bytes > MESSAGE_BYTES_MAX)
        controller.error(
          new Error(`Expected messages of at most ${MESSAGE_BYTES_MAX} bytes, got a longer one`),
        );
      else controller.enqueue(chunk);
    },
  });
}

/** Behind the last empty line. A line break that two pieces share is missed, which only counts too much. */
function endOfEvent(chunk: Uint8Array): number {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return Math.max(bytes.lastIndexOf("\n\n"), bytes.lastIndexOf("\r\n\r\n"));
}
