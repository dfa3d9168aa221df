import type { FileViews } from "../domain/attachment.ts";
import { controlCommandOf } from "../domain/command.ts";
import type { ContextItem } from "../domain/context.ts";
import type { TriggerEvent } from "../domain/event.ts";
import { memoryOf, type Remembering } from "../domain/memory-scope.ts";
import type { Answer, Progress, Turn } from "../domain/run.ts";
import { summaryTurn } from "../domain/summary.ts";
import type { Clock } from "../ports/clock.ts";
import type { Settlement } from "../ports/queue.ts";
import { rememberedTurns } from "./shown.ts";

/** A failed run has been told to the person; the event stays as a dead letter, so that the operator sees it. */
export function settlementOf(
  { answer, earlier = [], compacted }: Pick<Progress, "earlier" | "compacted"> & { readonly answer: Answer },
  events: readonly TriggerEvent[],
  { clock, files, by }: SettlementDeps,
): Settlement {
  if (answer.outcome === "failed") return { kind: "dead", cause: answer.cause ?? "the run failed" };
  const summary = compacted === undefined || compacted.text === "" ? [] : [summaryTurn(compacted)];
  const turns = [...summary, ...turnsOf(answer, events, earlier, files, clock.nowMs())];
  const [event] = events;
  const done = { kind: "done", outcome: answer.outcome } as const;
  if (by === undefined || event === undefined) return { ...done, turns };
  const { conversation } = event;
  return { ...done, turns: turns.map((turn) => ({ ...turn, conversation })), memory: memoryOf(event, by) };
}

interface SettlementDeps {
  readonly clock: Pick<Clock, "nowMs">;
  readonly files?: FileViews;
  /** What the agent remembers by; absent: the conversation. */
  readonly by?: Remembering | undefined;
}

/** The person's turns are what the model was shown of them. */
function turnsOf(
  { outcome, text }: Answer,
  events: readonly TriggerEvent[],
  earlier: readonly ContextItem[],
  files: FileViews | undefined,
  nowMs: number,
): Turn[] {
  // A refused request stays out of memory: the model would go on refusing what comes after it.
  if (outcome === "refused" || events.some((event) => controlCommandOf(event) !== null)) return [];
  const asked = events.flatMap((event, index) =>
    rememberedTurns(event, index === 0 ? earlier : [], files).map((turn) => ({
      ...turn,
      by: event.sender.id,
      ...(events.length > 1 && { event: event.id }),
    })),
  );
  // What is answered together is of one person.
  const by = events[0]?.sender.id;
  return [...asked, { role: "assistant", name: null, text, atMs: nowMs, ...(by !== undefined && { by }) }];
}
