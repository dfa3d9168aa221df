import type { TriggerEvent } from "../../../src/domain/event.ts";
import type { Refusal } from "../../../src/domain/refusal.ts";
import type { Progress } from "../../../src/domain/run.ts";
import type { Settlement } from "../../../src/ports/queue.ts";
import type { Argument } from "../../../src/store/redis/link.ts";
import type { ScriptName } from "../../../src/store/redis/scripts.ts";
import { idsOf } from "../joins.ts";
import type { VirtualTime } from "../time.ts";
import type { Witness } from "../witness.ts";
import type { Station } from "./network.ts";

interface Lease {
  readonly token: number;
  readonly event: TriggerEvent;
  readonly lane: string;
  readonly attempt: number;
  readonly owner: string;
  endsAtMs: number;
  isHeld: boolean;
  /** The settlement that ended it. */
  settledBy: string | null;
}

/** What claim.lua gives of each job; see there. */
type ClaimedRow = readonly [
  token: string,
  seq: string,
  lane: string,
  attempt: number,
  failures: number,
  cutOffs: number,
  at: string,
  body: string,
  refusal: string,
  progress: string,
  crashes: number,
  replay: number,
  stop: unknown,
  since: unknown,
  signals: unknown,
  kind: unknown,
  agent: unknown,
  busy: unknown,
  joined: readonly string[],
];

/**
 * Watches what Redis does with leases at the moment at which it does it, whoever hears of it: no lane has two, and what
 * is done under one that is over is without effect.
 */
export class Referee {
  readonly #witness: Witness;
  readonly #time: VirtualTime;
  readonly #byToken = new Map<string, Lease>();
  /** The last of each lane. */
  readonly #byLane = new Map<string, Lease>();
  readonly #reservedBy = new Map<string, string>();
  #lastToken = 0;

  constructor(witness: Witness, time: VirtualTime) {
    this.#witness = witness;
    this.#time = time;
  }

  carriedOut(station: Station, script: ScriptName, args: readonly Argument[], answer: unknown): void {
    const [, first, second, third, fourth] = args.map(String);
    switch (script) {
      case "claim":
        // One for commands alone leaves leases that are overdue to those who hold them.
        if (third === "0") this.#endOverdue();
        this.#claimed(station, Number(second), answer as readonly [unknown, ...ClaimedRow[]]);
        break;
      case "extend":
        if (answer !== 0) this.#held(second, script).endsAtMs = this.#time.nowMs() + Number(third);
        break;
      case "checkpoint":
        if (answer !== 0)
          this.#witness.recorded(this.#held(second, script).event.id, JSON.parse(String(third)) as Progress);
        break;
      case "join":
        this.#joined(second, answer as readonly string[]);
        break;
      case "reserve":
        this.#begun(second, String(args[6] ?? ""), (answer as readonly [string])[0]);
        this.#reserved(second, String(third), String(fourth), (answer as readonly [string])[0]);
        break;
      case "settle":
        if ((answer as readonly [number])[0] === 1)
          this.#settled(second, String(third), fourth as Settlement["kind"]);
        break;
      case "release":
        this.#released(String(first), String(second), new Set(args.slice(4).map(String)));
        break;
      default:
    }
  }

  #endOverdue(): void {
    for (const lease of this.#byToken.values())
      if (lease.endsAtMs <= this.#time.nowMs()) lease.isHeld = false;
  }

  #claimed(
    { owner, life }: Station,
    leaseMs: number,
    [, ...rows]: readonly [unknown, ...ClaimedRow[]],
  ): void {
    const nowMs = this.#time.nowMs();
    for (const [token, , lane, attempt, , , , body, refusal, progress, ...more] of rows) {
      const event = JSON.parse(body) as TriggerEvent;
      const before = this.#byLane.get(lane);
      if (before?.isHeld)
        this.#witness.violate(`${event.id} was claimed while ${before.event.id} of its lane was leased`);
      if (Number(token) <= this.#lastToken)
        this.#witness.violate(`${event.id} was claimed with token ${token} after ${this.#lastToken}`);
      this.#lastToken = Number(token);
      const lease: Lease = {
        ...{ token: Number(token), event, lane, attempt, owner },
        ...{ endsAtMs: nowMs + leaseMs, isHeld: true, settledBy: null },
      };
      this.#byToken.set(String(token), lease);
      this.#byLane.set(lane, lease);
      this.#witness.claimed(
        {
          event,
          attempt,
          joined: idsIn(more[8]),
          refusal: refusal === "" ? null : (JSON.parse(refusal) as Refusal),
          progress: progress === "" ? null : (JSON.parse(progress) as Progress),
        },
        life,
      );
    }
  }

  #held(token: string | undefined, what: string): Lease {
    const lease = this.#byToken.get(String(token));
    if (lease === undefined) throw new Error(`Expected a token that was given out, got ${token} for ${what}`);
    if (!lease.isHeld) this.#witness.violate(`${what} of ${lease.event.id}, whose lease was over`);
    return lease;
  }

  #joined(token: string | undefined, texts: readonly string[]): void {
    if (texts.length > 0) this.#witness.joined(this.#held(token, "join").event.id, idsIn(texts));
  }

  #begun(token: string | undefined, progress: string, kind: string): void {
    if (kind === "lost" || progress === "") return;
    this.#witness.recorded(this.#held(token, "begin").event.id, JSON.parse(progress) as Progress);
  }

  /** The same call made twice is one. */
  #reserved(token: string | undefined, op: string, partId: string, kind: string): void {
    if (kind === "lost") return;
    this.#held(token, "reserve");
    if (kind === "sent" || kind === "shown" || this.#reservedBy.get(partId) === op) return;
    this.#reservedBy.set(partId, op);
    this.#witness.partReserved(partId);
  }

  #settled(token: string | undefined, op: string, kind: Settlement["kind"]): void {
    if (this.#byToken.get(String(token))?.settledBy === op) return;
    const lease = this.#held(token, "settle");
    lease.isHeld = false;
    lease.settledBy = op;
    this.#witness.settling(lease.event.id, kind, lease.attempt);
  }

  #released(owner: string, why: string, good: ReadonlySet<string>): void {
    for (const [token, lease] of this.#byToken) {
      if (lease.owner !== owner || !lease.isHeld || good.has(token)) continue;
      lease.isHeld = false;
      if (why === "lost") this.#witness.handedBack(lease.event.id, lease.attempt);
    }
  }
}

function idsIn(texts: readonly string[]): readonly string[] {
  return idsOf(texts.map((text) => JSON.parse(text) as TriggerEvent));
}
