import { STOP_KEY, WITHDRAW_KEY } from "../../domain/signal.ts";
import { SIGNALS_MAX, type Signalled } from "../../ports/lanes.ts";
import type { Waiting } from "./lanes.ts";
import type { LaneHeadRow } from "./protocol.ts";
import type { State } from "./state.ts";

/** Durable, because whoever claims the event next must know of it, too. */
export function signal({ sql, lanes }: State, lane: string, key: string, text: string): Signalled {
  const head = lanes.headOf(lane);
  if (head === undefined) return { state: "idle", isKept: false };
  const kept = pairsOf(head.signals);
  const known = kept.find((_, index) => index % 2 === 1 && kept[index - 1] === key);
  const isNew = known === undefined && (key === STOP_KEY || kept.length < 2 * SIGNALS_MAX);
  if (isNew) {
    head.signals = JSON.stringify([...kept, key, text]);
    sql.signal.run(head.signals, head.seq);
  }
  const state = lanes.stateOf(lane);
  if (state === "parked" || (key === STOP_KEY && state === "waiting")) {
    sql.hurry.run(head.seq);
    lanes.release(lane);
  }
  return { state, isKept: isNew || known === text };
}

/** Wherever it stands in its lane. Gives its lane when it is in hand. */
export function addWithdrawal({ sql, lanes }: State, job: Waiting, text: string): string | null {
  if (!isWithdrawn(job)) {
    job.signals = JSON.stringify([...pairsOf(job.signals), WITHDRAW_KEY, text]);
    sql.signal.run(job.signals, job.seq);
  }
  if (lanes.headOf(job.lane) !== job) return null;
  if (lanes.stateOf(job.lane) === "running") return job.lane;
  sql.hurry.run(job.seq);
  lanes.release(job.lane);
  return null;
}

export function isWithdrawn({ signals }: Pick<Waiting, "signals">): boolean {
  return pairsOf(signals).some((key, index) => index % 2 === 0 && key === WITHDRAW_KEY);
}

export function laneHead({ sql, lanes }: State, lane: string): LaneHeadRow | null {
  const head = lanes.headOf(lane);
  const stored = head && sql.body.get(head.seq);
  return head === undefined || stored === undefined ? null : [stored.body, stored.progress, head.signals];
}

export function countOf(signals: string | null): number {
  return pairsOf(signals).length / 2;
}

/** What came after its claim; and a stop, which is never over before its event is. */
export function unheard({ signals, given }: Pick<Waiting, "signals" | "given">): string | null {
  const kept = pairsOf(signals);
  const left = kept.filter((_, index) => index >= 2 * given || kept[index - (index % 2)] === STOP_KEY);
  return left.length === 0 ? null : JSON.stringify(left);
}

/** `[key, JSON, key, JSON, …]` */
function pairsOf(text: string | null): readonly string[] {
  return text === null ? [] : (JSON.parse(text) as string[]);
}
