import { tenantName } from "../domain/tenant.ts";
import type { Feed } from "../feed/feed.ts";
import type { Life } from "../feed/life.ts";
import type { RefusalView } from "../feed/refusal.ts";
import type { Clock } from "../ports/clock.ts";
import { HEARTBEAT_MS, STREAM_CHARS_MAX } from "./bounds.ts";
import { type OnTokenEnd, TOKEN_ENDS } from "./callers.ts";
import type { RefusalStreamQuery, StreamQuery } from "./requests.ts";

export interface StreamDeps {
  readonly clock: Clock;
  /** Aborted when the process goes down. */
  readonly stopping: AbortSignal;
  /** Of the reader's token. */
  readonly onTokenEnd?: OnTokenEnd;
}

/** Server-Sent Events: one for each item, comments in between, until the reader leaves or is too slow. */
export function liveStream<T>(
  feed: Feed<T>,
  isWanted: (item: T) => boolean,
  { clock, stopping, onTokenEnd }: StreamDeps,
): ReadableStream<Uint8Array> {
  const pipe = createPipe();

  async function follow(): Promise<void> {
    const goDown = () => pipe.end(": this gateway is going down\n\n");
    stopping.addEventListener("abort", goDown, { once: true });
    if (stopping.aborted) goDown();
    const forgetToken = onTokenEnd?.((why) => pipe.end(`: ${TOKEN_ENDS[why]}\n\n`));
    const leave = await feed.watch((items, missed) => {
      const wanted = items.filter(isWanted).map((item) => `data: ${JSON.stringify(item)}\n\n`);
      if (missed > 0) wanted.push(`event: missed\ndata: {"missed":${missed}}\n\n`);
      pipe.write(wanted.join(""));
    });
    pipe.write("retry: 1000\n: watching\n\n");
    while (!pipe.over.aborted) {
      await clock.sleep(HEARTBEAT_MS, pipe.over).catch(() => {});
      pipe.write(": alive\n\n");
    }
    leave();
    forgetToken?.();
    stopping.removeEventListener("abort", goDown);
  }

  let isFollowing = false;
  const encoder = new TextEncoder();
  return new ReadableStream(
    {
      // Watching begins with the first read: a request for the headers alone has no reader and would never leave.
      async pull(controller) {
        if (!isFollowing) void follow();
        isFollowing = true;
        const text = await pipe.read();
        if (text === null) controller.close();
        else controller.enqueue(encoder.encode(text));
      },
      cancel: () => pipe.end(""),
    },
    { highWaterMark: 0 },
  );
}

export function livesOf({
  platform,
  conversation,
  tenant,
  state: states,
}: StreamQuery): (life: Life) => boolean {
  return (life) =>
    (tenant === undefined || tenant === tenantName(life)) &&
    (platform === undefined || life.platform === platform) &&
    (conversation === undefined || life.conversation === conversation) &&
    (states === undefined || states.some((state) => state === life.state));
}

export function refusalsOf({ platform, outcome }: RefusalStreamQuery): (refusal: RefusalView) => boolean {
  return (refusal) =>
    (platform === undefined || refusal.platform === platform) &&
    (outcome === undefined || outcome.some((one) => one === refusal.outcome));
}

interface Pipe {
  /** After the end, and with nothing, does nothing. */
  write(text: string): void;
  /** Says a last word, after what is waiting. */
  end(text: string): void;
  /** All that waits, once there is something; null at the end. One read at a time. */
  read(): Promise<string | null>;
  /** Aborted at the end. */
  readonly over: AbortSignal;
}

const TOO_SLOW = ": cut off, because this was read too slowly\n\n";

function createPipe(): Pipe {
  const over = new AbortController();
  let waiting = "";
  let wake: () => void = () => {};

  function end(text: string): void {
    if (over.signal.aborted) return;
    waiting += text;
    over.abort("the stream is over");
    wake();
  }

  return {
    over: over.signal,
    end,
    write(text) {
      if (over.signal.aborted || text === "") return;
      if (waiting.length + text.length > STREAM_CHARS_MAX) return end(TOO_SLOW);
      waiting += text;
      wake();
    },
    async read() {
      if (waiting === "" && !over.signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const text = waiting;
      waiting = "";
      return text === "" ? null : text;
    },
  };
}
