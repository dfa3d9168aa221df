import type { TriggerEvent } from "../domain/event.ts";
import type { LifeFeed } from "../feed/life-feed.ts";
import { lifeOf } from "../feed/observed.ts";
import type { Archive, ReplayRequest } from "../ports/archive.ts";
import type { Clock } from "../ports/clock.ts";
import type { EventRecord, Journal, ReplayMode } from "../ports/journal.ts";
import { eventIds } from "../telemetry/event-ids.ts";
import type { Logger } from "../telemetry/log.ts";
import { kindOf } from "./views.ts";

export interface ReplayDeps {
  readonly journal: Pick<Journal, "find">;
  readonly archive: Archive;
  /** Why admission would not let this event run now; null when it would. */
  readonly refusalOf: (event: TriggerEvent) => string | null;
  readonly feed: Pick<LifeFeed, "isWatched" | "publish">;
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Logger;
}

export type Replayed =
  | { readonly kind: "queued"; readonly mode: ReplayMode }
  | { readonly kind: "refused"; readonly why: string }
  /** Not what it takes to be replayed; `record` says what it is now. */
  | { readonly kind: "conflict"; readonly record: EventRecord }
  /** It was refused unheard, so its text was not kept. */
  | { readonly kind: "no-text" }
  | { readonly kind: "unknown" }
  | { readonly kind: "full" };

export const NO_TEXT = "It was refused unheard, so its text was not kept";

/** An answer that could not be said is said, from the part that failed; what has no answer runs anew. */
export async function replayLetter(record: EventRecord, by: string, deps: ReplayDeps): Promise<Replayed> {
  const mode = kindOf(record) === "outbound" ? "resume" : "anew";
  return await replay(record, { by, mode, states: ["dead"] }, deps);
}

/** A new run of an event that has finished, whatever was said before. */
export async function replayEvent(record: EventRecord, by: string, deps: ReplayDeps): Promise<Replayed> {
  return await replay(record, { by, mode: "anew", states: ["done", "dropped", "dead"] }, deps);
}

async function replay(
  record: EventRecord,
  request: Omit<ReplayRequest, "seq">,
  deps: ReplayDeps,
): Promise<Replayed> {
  if (!request.states.some((state) => state === record.state)) return { kind: "conflict", record };
  const refusal = deps.refusalOf(record.event);
  if (refusal !== null) return { kind: "refused", why: refusal };

  const { by, mode } = request;
  const answer = await deps.archive.replay(record.id, { ...request, seq: record.seq });
  switch (answer) {
    case "queued":
      deps.log.info({ ...eventIds(record.event), by, mode }, "event.replayed");
      publish(record, "replayed", by, deps);
      return { kind: "queued", mode };
    case "full":
    case "unknown":
      return { kind: answer };
    case "not-finished":
    case "changed":
    case "wrong-state": {
      const now = await deps.journal.find(record.id);
      if (now === null) return { kind: "unknown" };
      // Else somebody was faster.
      const isStillRight = answer === "wrong-state" && request.states.some((state) => state === now.state);
      return isStillRight ? { kind: "no-text" } : { kind: "conflict", record: now };
    }
  }
}

/** False: it is no dead letter. */
export async function dropLetter(record: EventRecord, by: string, deps: ReplayDeps): Promise<boolean> {
  if (!(await deps.archive.drop(record.id, by))) return false;
  deps.log.info({ ...eventIds(record.event), by }, "event.dropped");
  publish(record, "dropped", by, deps);
  return true;
}

function publish(
  { event, attempt }: EventRecord,
  state: "replayed" | "dropped",
  by: string,
  { feed, clock }: ReplayDeps,
): void {
  if (feed.isWatched) feed.publish(lifeOf(event, { state, attempt, detail: by, atMs: clock.nowMs() }));
}
