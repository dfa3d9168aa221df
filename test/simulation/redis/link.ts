import {
  type Argument,
  closed,
  type Link,
  type Patience,
  unavailable,
} from "../../../src/store/redis/link.ts";
import type { ScriptName } from "../../../src/store/redis/scripts.ts";
import type { Dice } from "../dice.ts";
import type { Life } from "../life.ts";
import type { VirtualTime } from "../time.ts";
import type { Witness } from "../witness.ts";
import type { Network, Station } from "./network.ts";
import type { Word } from "./wire.ts";

/** As the real link has them. */
const BRIEF_MS = 1_000;
const SILENT_MS = 10_000;
const OPEN_MS = 15_000;
const RECONNECT_MS_MIN = 50;
const RECONNECT_MS_MAX = 1_000;
/** What a lost connection had sent may still come through, after what the next one sends. */
const LATE_MS_MAX = 2_000;
/** The scripts that are refused when Redis is out of memory. */
const NEEDS_ROOM: ReadonlySet<ScriptName> = new Set(["accept", "replay"]);

interface Pending {
  readonly reject: (error: Error) => void;
  /** Null once it has arrived; then it is carried out whatever happens here. */
  arrival: "in time" | "never" | { readonly lateMs: number } | null;
}

export interface SimulatedLinkOptions {
  readonly life: Life;
  readonly replica: number;
  readonly owner: string;
  readonly network: Network;
  readonly time: VirtualTime;
  readonly dice: Dice;
  readonly witness: Witness;
}

/** One process's way to Redis, with the manners of the real link, over a network that is simulated. */
export class SimulatedLink implements Link, Station {
  readonly replica: number;
  readonly owner: string;
  readonly #options: SimulatedLinkOptions;
  readonly #pending = new Set<Pending>();
  readonly #backs: (() => void)[] = [];
  readonly #listeners = new Map<string, (message: string) => void>();
  #isUp = false;
  #isSilent = false;
  #isClosed = false;
  #lastArrivalMs = 0;
  #lastAnswerMs = 0;

  constructor(options: SimulatedLinkOptions) {
    this.#options = options;
    this.replica = options.replica;
    this.owner = options.owner;
    options.network.join(this);
    options.life.whenDying(() => options.network.leave(this));
  }

  get life(): number {
    return this.#options.life.number;
  }

  async open(): Promise<void> {
    const { clock } = this.#options.life;
    const giveUpMs = clock.nowMs() + OPEN_MS;
    this.#connect();
    while (!this.#isUp) {
      if (clock.nowMs() >= giveUpMs) throw unavailable("no connection");
      await clock.sleep(RECONNECT_MS_MIN);
    }
  }

  run(script: ScriptName, args: readonly Argument[], patience: Patience): Promise<unknown> {
    const { network } = this.#options;
    if (this.#isClosed) return Promise.reject(closed());
    if (!this.#isUp) {
      // What became of a send is forgotten if it cannot be recorded.
      const error =
        script === "record" ? this.#failed(script, "no connection") : unavailable("no connection");
      return Promise.reject(error);
    }
    if (patience === "brief" && this.#isSilent) return Promise.reject(unavailable("it does not answer"));
    if (NEEDS_ROOM.has(script) && network.isFull)
      return Promise.reject(this.#failed(script, "OOM command not allowed"));
    const fate = network.fate();
    if (fate === "refused") {
      this.lose(`before ${script}`);
      return Promise.reject(unavailable("the connection was lost"));
    }
    return new Promise((resolve, reject) => {
      const pending: Pending = { reject, arrival: "in time" };
      this.#pending.add(pending);
      if (network.silentUntilMs(this) !== null) this.#expectSilence(pending, script, patience);
      this.#send(pending, () => {
        network.carryOut(this, script, args, (answer) => {
          this.#options.life.step(`${script} carried out`);
          if (fate === "unheard") this.lose(`before the answer to ${script}`);
          else if (answer instanceof Error)
            this.#options.witness.violate(`${script} failed: ${answer.message}`);
          else this.#answer(pending, () => resolve(answer));
        });
      });
    });
  }

  async subscribe(channel: string, heard: (message: string) => void): Promise<void> {
    if (!this.#isUp) throw unavailable("no connection");
    this.#listeners.set(channel, heard);
  }

  onBack(back: () => void): void {
    this.#backs.push(back);
  }

  usedBytes(): Promise<number> {
    return Promise.resolve(0);
  }

  /** It has none. */
  rewriteFiles(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#options.network.leave(this);
    for (const { reject } of this.#pending) reject(closed());
    this.#pending.clear();
  }

  hear({ channel, message }: Word): void {
    this.#options.life.reach(() => this.#listeners.get(channel)?.(message));
  }

  /** The connection breaks; what is on its way may get through, also late, or not. */
  lose(why: string): void {
    const { life, dice } = this.#options;
    if (!this.#isUp || this.#isClosed || !life.isAlive) return;
    this.#isUp = false;
    this.#failed("connection", why);
    for (const pending of this.#pending) {
      if (pending.arrival === "in time") pending.arrival = this.#arrivalAfterLoss(dice);
      life.reach(() => pending.reject(unavailable("the connection was lost")));
    }
    this.#pending.clear();
    this.#reconnectSoon();
  }

  #arrivalAfterLoss(dice: Dice): Pending["arrival"] {
    const choice = dice.weighted({ never: 5, "in time": 4, late: 1 });
    return choice === "late" ? { lateMs: dice.between(1, LATE_MS_MAX) } : choice;
  }

  #connect(): void {
    const { network } = this.#options;
    if (this.#isClosed || this.#isUp) return;
    if (!network.isReachable(this)) {
      this.#reconnectSoon();
      return;
    }
    this.#isUp = true;
    this.#isSilent = false;
    this.#lastArrivalMs = 0;
    for (const back of this.#backs) back();
  }

  #reconnectSoon(): void {
    const { time, dice, life } = this.#options;
    time.after(dice.between(RECONNECT_MS_MIN, RECONNECT_MS_MAX), () => life.reach(() => this.#connect()));
  }

  /** What one connection carries arrives in the order sent. */
  #send(pending: Pending, arrive: () => void): void {
    const { network, time } = this.#options;
    const nowMs = time.nowMs();
    const leavesMs = network.silentUntilMs(this) ?? nowMs;
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, leavesMs + network.wayMs());
    time.after(this.#lastArrivalMs - nowMs, () => {
      const { arrival } = pending;
      if (arrival === "never") return;
      pending.arrival = null;
      if (arrival !== null && arrival !== "in time") time.after(arrival.lateMs, arrive);
      else arrive();
    });
  }

  #answer(pending: Pending, settle: () => void): void {
    const { network, time, life } = this.#options;
    this.#lastAnswerMs = Math.max(this.#lastAnswerMs, time.nowMs() + network.wayMs());
    time.after(this.#lastAnswerMs - time.nowMs(), () =>
      life.reach(() => {
        if (!this.#pending.delete(pending)) return;
        this.#isSilent = false;
        settle();
      }),
    );
  }

  #expectSilence(pending: Pending, script: ScriptName, patience: Patience): void {
    const { time, life } = this.#options;
    time.after(BRIEF_MS, () =>
      life.reach(() => {
        if (!this.#pending.has(pending)) return;
        this.#isSilent = true;
        if (patience === "brief") pending.reject(this.#failed(script, "no answer"));
      }),
    );
    time.after(SILENT_MS, () =>
      life.reach(() => {
        if (this.#pending.has(pending)) this.lose(`no answer to ${script}`);
      }),
    );
  }

  #failed(what: string, why: string): Error {
    this.#options.witness.storeFailed(`${this.life} ${what}: ${why}`);
    return unavailable(why);
  }
}
