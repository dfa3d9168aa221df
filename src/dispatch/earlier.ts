import type { Breakers, CallEnd } from "../domain/breaker.ts";
import { controlCommandOf } from "../domain/command.ts";
import { boundedSource, type ContextItem, contextItem } from "../domain/context.ts";
import { DeliveryError } from "../domain/errors.ts";
import type { TriggerEvent } from "../domain/event.ts";
import { redactedJson } from "../domain/redact.ts";
import type { Progress } from "../domain/run.ts";
import type { Adapter, ThreadPast, ThreadReader } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";
import { describe } from "../shared/fault.ts";
import { eventIds } from "../telemetry/event-ids.ts";
import type { Logger } from "../telemetry/log.ts";

export interface EarlierDeps {
  readonly breakers: Breakers;
  readonly clock: Clock;
  readonly log: Logger;
  /** What is older is forgotten, but for the message that began the thread. */
  readonly sinceMs: number;
}

const UNREAD = contextItem("note", "The earlier messages of this thread could not be read.");
const PARTLY_READ = contextItem("note", "Only a part of the earlier messages of this thread could be read.");

/** Read once, before the first step, and kept: whoever goes on with the run shows the model the same. */
export async function withEarlier(
  event: TriggerEvent,
  progress: Progress,
  adapter: Adapter,
  { keep, ...deps }: EarlierDeps & { readonly keep: (read: Progress) => Promise<void> },
  signal: AbortSignal,
): Promise<Progress> {
  if (progress.earlier !== undefined || progress.steps.length > 0) return progress;
  const earlier = await earlierIn(event, adapter, deps, signal);
  if (earlier === null) return progress;
  const read = { ...progress, earlier };
  await keep(read);
  return read;
}

/**
 * What was said in the thread before the bot came into it; null where there is nothing to read. Never fails for the
 * platform's sake: a run goes on without it, and the model is told. Throws the signal's reason when aborted.
 */
export async function earlierIn(
  event: TriggerEvent,
  adapter: Adapter,
  deps: EarlierDeps,
  signal: AbortSignal,
): Promise<readonly ContextItem[] | null> {
  const reader = adapter.thread;
  if (reader === undefined || event.thread === null) return null;
  // Its answer, and so its conversation, is for one person alone.
  if (event.trigger === "command") return null;
  const startedAtMs = deps.clock.nowMs();
  const about = { ...eventIds(event), platform: adapter.platform };
  try {
    const past = await guarded(reader, event, adapter, deps, signal);
    const items = sinceReset(past.items).filter(
      ({ atMs }, index) => index === 0 || atMs === null || atMs >= deps.sinceMs,
    );
    deps.log.debug(
      { ...about, messages: items.length, duration_ms: deps.clock.nowMs() - startedAtMs },
      "thread.read",
    );
    // It is kept and shown to the model, and was said by an API, not by a webhook that somebody signed.
    const shown = redactedJson(items).map(boundedSource);
    return past.isWhole ? shown : [PARTLY_READ, ...shown];
  } catch (error) {
    signal.throwIfAborted();
    deps.log.warn({ ...about, cause: describe(error) }, "thread.unread");
    return [UNREAD];
  }
}

/** Within its time, and not at all while the platform is left alone. */
async function guarded(
  reader: ThreadReader,
  event: TriggerEvent,
  { platform }: Adapter,
  { breakers, clock }: EarlierDeps,
  signal: AbortSignal,
): Promise<ThreadPast> {
  const leave = breakers.of(platform).enter();
  const over = new AbortController();
  const stop = () => over.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  let end: CallEnd = "unknown";
  try {
    const late = clock.sleep(reader.waitMs, over.signal).then(
      () => Promise.reject(new TookTooLong(`over ${reader.waitMs} ms`)),
      () => Promise.reject(over.signal.reason),
    );
    const past = await Promise.race([reader.read(event, over.signal), late]);
    end = "ok";
    return past;
  } catch (error) {
    if (error instanceof DeliveryError && error.status !== 429 && !over.signal.aborted)
      end = error.kind === "rejected" ? "ok" : error.kind === "refused" ? "refused" : "failed";
    throw error;
  } finally {
    leave(end);
    signal.removeEventListener("abort", stop);
    over.abort("read");
  }
}

class TookTooLong extends Error {
  override name = "TookTooLong";
}

/** What somebody asked us to forget is not read again. */
function sinceReset(items: readonly ContextItem[]): readonly ContextItem[] {
  const at = items.findLastIndex(({ text }) => {
    const words = text.replace(/^@\S+\s+/, "");
    return controlCommandOf({ trigger: "mention", command: null, text: words }) === "reset";
  });
  return at === -1 ? items : items.slice(at + 1);
}
