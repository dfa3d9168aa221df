import { type Api, ApiError } from "./api.ts";

const WAIT_MS = 1_000;
const WAIT_MS_MAX = 10_000;
/** The gateway says something every 15 seconds. */
const SILENT_MS = 45_000;
/** Of one line; more is not ours. */
const LINE_CHARS_MAX = 1_000_000;

/**
 * Follows a stream of events until aborted, whatever happens to the gateway meanwhile. EventSource can send no token.
 * `heard` is told of each item; `standing` whether it is connected.
 */
export async function follow<T>(
  api: Api,
  path: string,
  {
    signal,
    heard,
    standing,
  }: { signal: AbortSignal; heard: (item: T) => void; standing: (is: boolean) => void },
): Promise<void> {
  for (let waitMs = WAIT_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, WAIT_MS_MAX)) {
    const silent = new AbortController();
    try {
      const response = await api.open(path, AbortSignal.any([signal, silent.signal]));
      for await (const line of linesOf(response, () => silent.abort())) {
        if (line === ": watching") {
          standing(true);
          waitMs = WAIT_MS;
        } else if (line.startsWith("data: ")) heard(JSON.parse(line.slice(6)));
      }
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return;
    }
    silent.abort();
    if (signal.aborted) return;
    standing(false);
    await pause(waitMs, signal);
  }
}

async function* linesOf(response: Response, fallSilent: () => void): AsyncGenerator<string> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let timer = setTimeout(fallSilent, SILENT_MS);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(fallSilent, SILENT_MS);
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > LINE_CHARS_MAX) return;
      yield* lines;
    }
  } finally {
    clearTimeout(timer);
  }
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        done();
      },
      { once: true },
    );
  });
}
