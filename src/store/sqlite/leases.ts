import { UndoMap } from "./undo.ts";

/** Claims of one event at most; a token has room for no more. */
const CLAIMS_MAX = 2 ** 22;

/** The fencing token of an event's n-th claim. It names its event, grows with each claim, and is never reused. */
export function tokenOf(seq: number, claims: number): number {
  if (claims >= CLAIMS_MAX)
    throw new Error(`Expected fewer than ${CLAIMS_MAX} claims of an event, got ${claims}`);
  return seq * CLAIMS_MAX + claims;
}

function seqOf(token: number): number {
  return Math.floor(token / CLAIMS_MAX);
}

interface Lease {
  readonly token: number;
  readonly untilMs: number;
  /** The file took nothing while it ran, so that whoever has it could not say what became of the event. */
  readonly isExcused: boolean;
}

export interface Expired {
  readonly seq: number;
  readonly isExcused: boolean;
}

/**
 * Who works on what, in memory: the file has one process, and when that dies its leases die with it.
 * A lease that has run out ends with the next claim that anyone makes; until then its holder may go on, because
 * stopping work while nobody asks for any helps nobody. All times are steady ones.
 */
export class Leases {
  readonly #bySeq = new UndoMap<number, Lease>();
  /** No lease ends before this. May be too early, never too late, so a claim seldom looks at every lease. */
  #soonestMs = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#bySeq.size;
  }

  get soonestMs(): number | null {
    return this.#bySeq.size === 0 ? null : this.#soonestMs;
  }

  seqs(): Iterable<number> {
    return this.#bySeq.keys();
  }

  has(seq: number): boolean {
    return this.#bySeq.get(seq) !== undefined;
  }

  grant(token: number, untilMs: number): void {
    this.#bySeq.set(seqOf(token), { token, untilMs, isExcused: false });
    this.#soonestMs = Math.min(this.#soonestMs, untilMs);
  }

  /** The event that this token still fences; null when a later claim or a settlement has ended it. */
  held(token: number): number | null {
    const seq = seqOf(token);
    return this.#bySeq.get(seq)?.token === token ? seq : null;
  }

  end(seq: number): void {
    this.#bySeq.delete(seq);
  }

  /** The file takes nothing: that those of now run out proves nothing against their events, unless they are renewed. */
  excuse(): void {
    for (const [seq, lease] of this.#bySeq.entries())
      if (!lease.isExcused) this.#bySeq.set(seq, { ...lease, isExcused: true });
    this.keep();
  }

  /** Ends and gives those that have run out. */
  expire(nowMs: number): readonly Expired[] {
    if (nowMs < this.#soonestMs) return [];
    const expired: Expired[] = [];
    this.#soonestMs = Number.POSITIVE_INFINITY;
    for (const [seq, { untilMs, isExcused }] of this.#bySeq.entries()) {
      if (untilMs <= nowMs) expired.push({ seq, isExcused });
      else this.#soonestMs = Math.min(this.#soonestMs, untilMs);
    }
    for (const { seq } of expired) this.#bySeq.delete(seq);
    return expired;
  }

  keep(): void {
    this.#bySeq.keep();
  }

  undo(): void {
    this.#bySeq.undo();
    this.#soonestMs = Number.NEGATIVE_INFINITY; // Unknown now; the next look finds out.
  }
}
