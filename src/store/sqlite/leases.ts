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
    this.#bySeq.set(seqOf(token), { token, untilMs });
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

  /** Ends and gives those that have run out. */
  expire(nowMs: number): readonly number[] {
    if (nowMs < this.#soonestMs) return [];
    const expired: number[] = [];
    this.#soonestMs = Number.POSITIVE_INFINITY;
    for (const [seq, { untilMs }] of this.#bySeq.entries()) {
      if (untilMs <= nowMs) expired.push(seq);
      else this.#soonestMs = Math.min(this.#soonestMs, untilMs);
    }
    for (const seq of expired) this.#bySeq.delete(seq);
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
