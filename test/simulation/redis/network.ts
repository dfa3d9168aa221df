import type { Argument } from "../../../src/store/redis/link.ts";
import type { ScriptName } from "../../../src/store/redis/scripts.ts";
import type { Dice } from "../dice.ts";
import type { CommandFate, NetworkFaults } from "../network-faults.ts";
import type { VirtualTime } from "../time.ts";
import type { Witness } from "../witness.ts";
import type { Referee } from "./referee.ts";
import type { Wire, Word } from "./wire.ts";

/** Most of the way one way, in ms; so short that nothing else happens meanwhile is as likely. */
const WAY_MS_MAX = 3;

/** One process's end of the network. */
export interface Station {
  readonly replica: number;
  readonly life: number;
  readonly owner: string;
  lose(why: string): void;
  hear(word: Word): void;
}

export interface NetworkOptions {
  readonly wire: Wire;
  readonly prefix: string;
  readonly time: VirtualTime;
  readonly dice: Dice;
  readonly faults: NetworkFaults;
  readonly witness: Witness;
  readonly referee: Referee;
}

/** Between the simulated processes and the wire: what takes time, what is cut, and what gets lost. */
export class Network {
  readonly #options: NetworkOptions;
  readonly #stations = new Set<Station>();
  #lastWordMs = 0;

  constructor(options: NetworkOptions) {
    this.#options = options;
    const { time, faults } = options;
    for (const { replica, how, fromMs } of faults.outages) {
      if (how !== "refuses") continue;
      time.after(fromMs - time.nowMs(), () => {
        if (faults.outage(replica === "all" ? 0 : replica, time.nowMs()) === null) return;
        for (const station of this.#stations)
          if (replica === "all" || replica === station.replica) station.lose("refused");
      });
    }
  }

  join(station: Station): void {
    this.#stations.add(station);
  }

  leave(station: Station): void {
    this.#stations.delete(station);
  }

  get isFull(): boolean {
    return this.#options.faults.isFull(this.#options.time.nowMs());
  }

  isReachable({ replica }: Station): boolean {
    return this.#options.faults.outage(replica, this.#options.time.nowMs()) === null;
  }

  /** When a replica that gets no answer now will be answered; null: it is answered. */
  silentUntilMs({ replica }: Station): number | null {
    const outage = this.#options.faults.outage(replica, this.#options.time.nowMs());
    return outage?.how === "silent" ? outage.untilMs : null;
  }

  fate(): CommandFate {
    return this.#options.faults.command();
  }

  wayMs(): number {
    return this.#options.dice.between(0, WAY_MS_MAX);
  }

  /** Redis has it. Its clock is the virtual one, whatever time the caller had. */
  carryOut(
    station: Station,
    script: ScriptName,
    args: readonly Argument[],
    done: (answer: unknown) => void,
  ): void {
    const { wire, prefix, time, referee } = this.#options;
    const now = [time.nowMs(), ...args.slice(1)];
    wire.carryOut(script, `{${prefix}}:meta`, now, (answer, words) => {
      if (!(answer instanceof Error)) referee.carriedOut(station, script, now, answer);
      for (const word of words) if (word.channel.startsWith(`{${prefix}}:`)) this.#say(word);
      done(answer);
    });
  }

  /** To all that listen, in the order said. Who is cut off does not hear it, then or later. */
  #say(word: Word): void {
    const { time, faults, witness } = this.#options;
    for (const station of this.#stations) {
      if (faults.word() === "lost") {
        witness.note(`a word lost on its way to ${station.life}`);
        continue;
      }
      this.#lastWordMs = Math.max(this.#lastWordMs, time.nowMs() + this.wayMs());
      time.after(this.#lastWordMs - time.nowMs(), () => {
        if (this.#stations.has(station) && this.isReachable(station)) station.hear(word);
      });
    }
  }
}
