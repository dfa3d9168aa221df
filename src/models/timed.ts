import { ModelError } from "../domain/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Chunk } from "../ports/model.ts";
import { modelErrorFrom, type ProviderName } from "./provider-errors.ts";

export interface Timed {
  readonly provider: ProviderName;
  /** For one call, from the request to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** One call of a provider. `onBegin` is to be called once it has begun to answer: what it has said may be charged. */
export type ProviderCall = (signal: AbortSignal, onBegin: () => void) => AsyncIterable<Chunk>;

/** What a call gives, ended after its time; whatever goes wrong with it is a ModelError. */
export async function* timed(
  { provider, timeoutMs, clock }: Timed,
  signal: AbortSignal,
  call: ProviderCall,
): AsyncGenerator<Chunk> {
  const over = new AbortController();
  const timeUp = new AbortController();
  clock.sleep(timeoutMs, over.signal).then(
    () => timeUp.abort(),
    () => {},
  );
  let streamBegan = false;
  const onBegin = () => {
    streamBegan = true;
  };
  try {
    yield* call(AbortSignal.any([signal, timeUp.signal]), onBegin);
  } catch (error) {
    signal.throwIfAborted();
    throw timeUp.signal.aborted
      ? timedOut(provider, timeoutMs, streamBegan)
      : modelErrorFrom(error, { provider, streamBegan, nowMs: clock.nowMs() });
  } finally {
    over.abort();
  }
}

function timedOut({ title }: ProviderName, timeoutMs: number, streamBegan: boolean): ModelError {
  const what = streamBegan ? "the answer did not end" : "no answer";
  const code = streamBegan ? "MODEL_STREAM_CUT" : "MODEL_UNREACHABLE";
  return new ModelError(code, `${title}: ${what} within ${timeoutMs / 1000} s`, { retryable: true });
}
