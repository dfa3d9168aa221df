import { STOP_KEY } from "../../domain/signal.ts";
import { SIGNALS_MAX, type Signalled } from "../../ports/lanes.ts";
import type { State } from "./state.ts";

/** Durable, because whoever claims the event next must know of it, too. */
export function signal({ sql, lanes }: State, lane: string, key: string, text: string): Signalled {
  const head = lanes.headOf(lane);
  if (head === undefined) return { state: "idle", isKept: false };
  const kept: readonly string[] = head.signals === null ? [] : (JSON.parse(head.signals) as string[]);
  const known = kept.find((_, index) => index % 2 === 1 && kept[index - 1] === key);
  const isNew = known === undefined && (key === STOP_KEY || kept.length < 2 * SIGNALS_MAX);
  if (isNew) {
    head.signals = JSON.stringify([...kept, key, text]);
    sql.signal.run(head.signals, head.seq);
  }
  const state = lanes.stateOf(lane);
  if (key === STOP_KEY && state !== "running") {
    sql.hurry.run(head.seq);
    lanes.release(lane);
  }
  return { state, isKept: isNew || known === text };
}
