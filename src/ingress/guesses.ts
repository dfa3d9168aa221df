import { isIPv6 } from "node:net";
import { LRUCache } from "lru-cache";
import type { Audit } from "../ports/audit.ts";
import type { Clock } from "../ports/clock.ts";
import { type Rate, Tap } from "../shared/tap.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** What a token of the operator's opens. */
export type Door = "admin" | "developer" | "metrics";

/** A request without the right token. */
export interface Guess {
  readonly requestId: string;
  readonly peer: string | null;
  /** Whether there was a token at all. */
  readonly isGiven: boolean;
  readonly userAgent?: string | null;
}

/** Of one peer: so many wrong tokens at once, then one in so many seconds. */
const PER_PEER: Rate = [10, 1 / 6];
const PEERS_MAX = 1_000;
/** Of each door, whoever knocks. */
const LINES: Rate = [20, 1 / 10];
/** The same for the audit, which is kept for long: a day of guessing must not crowd out what was done. */
const ENTRIES: Rate = [10, 1 / 600];

interface Deps {
  readonly clock: Pick<Clock, "nowMs">;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Absent: nobody keeps who guessed. */
  readonly audit?: Audit;
}

/** What is left out because it comes too fast, and told with the next. */
interface Told {
  readonly tap: Tap;
  leftOut: number;
}

/**
 * Wrong tokens are counted, logged and, when one peer gives many, answered 429. The right one is taken all the same:
 * behind one proxy all have one address, and whoever guesses there must not lock the operator out.
 */
export class Guesses {
  readonly #peers = new LRUCache<string, Tap>({ max: PEERS_MAX });
  readonly #lines = new Map<Door, Told>();
  readonly #entries = new Map<Door, Told>();
  readonly #deps: Deps;

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /** Counts it. Gives the seconds to wait when these are too many; null: it is merely refused. */
  refuse(door: Door, guess: Guess): number | null {
    const { clock, metrics } = this.#deps;
    const nowMs = clock.nowMs();
    const waitSeconds = guess.isGiven ? this.#waitOf(`${door} ${networkOf(guess.peer ?? "")}`, nowMs) : null;
    const answer = waitSeconds !== null ? "slowed" : guess.isGiven ? "wrong" : "missing";
    metrics.authFailures.inc({ surface: door, answer });
    this.#say(door, guess, answer, nowMs);
    if (guess.isGiven) this.#keep(door, guess, answer, nowMs);
    return waitSeconds;
  }

  #waitOf(key: string, nowMs: number): number | null {
    const tap = this.#peers.get(key) ?? new Tap(PER_PEER);
    this.#peers.set(key, tap);
    return tap.give(nowMs) ? null : Math.max(1, Math.ceil(tap.secondsUntilNext));
  }

  #say(door: Door, { requestId, peer }: Guess, answer: string, nowMs: number): void {
    const alike = this.#alike(this.#lines, LINES, door, nowMs);
    if (alike !== null)
      this.#deps.log.warn({ request_id: requestId, peer, answer, ...alike }, `${door}.unauthorized`);
  }

  /** Nobody waits for it. */
  #keep(door: Door, { requestId, peer, userAgent = null }: Guess, answer: string, nowMs: number): void {
    const alike = this.#alike(this.#entries, ENTRIES, door, nowMs);
    if (alike === null) return;
    void this.#deps.audit?.write({
      ...{ actor: "unknown", role: "stranger", action: "token.refused", subject: door },
      ...{ peer, userAgent, requestId, after: { answer, ...alike } },
    });
  }

  /** Null: this one is left out, too. */
  #alike(of: Map<Door, Told>, rate: Rate, door: Door, nowMs: number): { left_out?: number } | null {
    const told = of.get(door) ?? { tap: new Tap(rate), leftOut: 0 };
    of.set(door, told);
    if (!told.tap.give(nowMs)) {
      told.leftOut++;
      return null;
    }
    const { leftOut } = told;
    told.leftOut = 0;
    return leftOut === 0 ? {} : { left_out: leftOut };
  }
}

/** An IPv6 host has 2^64 addresses of its own, so it is counted by its network. */
export function networkOf(address: string): string {
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (v4 !== undefined) return v4;
  if (!isIPv6(address)) return address;
  const [head = "", tail] = (address.split("%", 1)[0] ?? "").split("::");
  const groups = head === "" ? [] : head.split(":");
  // What `::` leaves out is at least one group of zeros; how many more matters only within the first four.
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap =
    tail === undefined ? [] : Array<string>(Math.max(0, 8 - groups.length - after.length)).fill("0");
  const network = [...groups, ...gap, ...after].slice(0, 4).map((group) => Number.parseInt(group, 16));
  return `${network.map((group) => group.toString(16)).join(":")}::/64`;
}
