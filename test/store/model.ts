import { MERGED_EVENTS_MAX, SUSPECTS_MAX } from "../../src/domain/bounds.ts";
import type { Signal } from "../../src/domain/signal.ts";
import type { Job } from "../../src/ports/queue.ts";

interface Claim {
  readonly job: Job;
  /** Which process has it. */
  readonly by: number;
  readonly untilMs: number;
  /** The store has taken nothing since it was made or renewed. */
  readonly isExcused?: true;
}

export interface Expected {
  readonly id: string;
  readonly lane: string;
  /** Whether it merges with its likes, those before it and those behind it. */
  readonly merges: "always" | "takes others" | "never";
  /** What it is joined to. */
  into: Expected | null;
  attempts: number;
  crashes: number;
  signals: Signal[];
  dueMs: number;
  /** Waits for a signal, or for its time. */
  isParked: boolean;
  /** What is known of the reply, which has one part. */
  part: "unsaid" | "reserved" | "shown" | "sent";
  /** Null when nobody has it. */
  held: Claim | null;
}

export function newcomer(id: string, lane: string, merges: Expected["merges"]): Expected {
  return {
    id,
    lane,
    merges,
    into: null,
    attempts: 0,
    crashes: 0,
    signals: [],
    dueMs: 0,
    isParked: false,
    part: "unsaid",
    held: null,
  };
}

/** The plainest queue there is: lists in memory. What a store does in any order of events must be what this does. */
export class Model {
  readonly lanes = new Map<string, Expected[]>();
  readonly stale: Pick<Claim, "job" | "by">[] = [];
  /** How many leases each process held when the first of them ran out, until it is seen alive. */
  readonly #deaths = new Map<number, number>();

  heads(): Expected[] {
    return [...this.lanes.values()].flatMap((lane) => lane[0] ?? []);
  }

  heldBy(process: number): Expected[] {
    return this.heads().filter(({ held }) => held?.by === process);
  }

  claimable(nowMs: number): Expected[] {
    return this.heads().filter(({ held, dueMs }) => held === null && dueMs <= nowMs);
  }

  /** The next claim ends every lease that has run out. */
  expire(nowMs: number): void {
    for (const head of this.heads()) {
      const { held } = head;
      if (held === null || held.untilMs > nowMs) continue;
      const inHand = this.#deaths.get(held.by) ?? this.heldBy(held.by).length;
      this.#deaths.set(held.by, inHand);
      if (held.isExcused) this.loseClaim(head);
      else this.#loseAsSuspect(head, inHand);
    }
  }

  excuse(): void {
    for (const head of this.heads()) if (head.held !== null) head.held = { ...head.held, isExcused: true };
  }

  claim(head: Expected, claim: Claim): void {
    head.held = claim;
    head.isParked = false;
    this.#deaths.delete(claim.by);
  }

  add(expected: Expected): void {
    this.lanes.set(expected.lane, [...(this.lanes.get(expected.lane) ?? []), expected]);
  }

  joinedTo(head: Expected): Expected[] {
    return (this.lanes.get(head.lane) ?? []).filter(({ into }) => into === head);
  }

  /** All that is behind it and merges, as far as it goes. */
  join(head: Expected): Expected[] {
    for (const next of (this.lanes.get(head.lane) ?? []).slice(1)) {
      const hasRoom = this.joinedTo(head).length < MERGED_EVENTS_MAX;
      if (next.into !== null) continue;
      if (head.merges === "never" || next.merges !== "always" || !hasRoom) break;
      next.into = head;
    }
    return this.joinedTo(head);
  }

  loseClaim(head: Expected): void {
    if (head.held !== null) this.stale.push(head.held);
    head.held = null;
  }

  /** With what is joined to it, which it gives. */
  remove(head: Expected): Expected[] {
    this.loseClaim(head);
    const joined = this.joinedTo(head);
    this.lanes.get(head.lane)?.splice(0, 1 + joined.length);
    return joined;
  }

  crash(process: number): void {
    const mine = this.heldBy(process);
    for (const head of mine) this.#loseAsSuspect(head, mine.length);
  }

  close(process: number): void {
    for (const head of this.heldBy(process)) this.loseClaim(head);
  }

  /** Few in hand are suspects. */
  #loseAsSuspect(head: Expected, inHand: number): void {
    if (inHand <= SUSPECTS_MAX) head.crashes++;
    this.loseClaim(head);
  }
}
