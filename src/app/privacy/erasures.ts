import { describe } from "../../shared/fault.ts";
import type { Logger } from "../../telemetry/log.ts";
import { SharedNote, type SharedNoteDeps } from "../shared-note.ts";

export interface ErasuresDeps {
  /** Names of people that this process holds in memory. */
  readonly forgetNames: () => void;
  /** The file of this process in which events wait for the store; null: there is none. */
  readonly clearSpool: (() => Promise<void>) | null;
  readonly log: Pick<Logger, "warn">;
}

/**
 * Counts erasures in the store, for all processes: each forgets then what it holds by itself. Who of them was away hears of it
 * as soon as it is back, and whoever starts later, at its start.
 */
export class Erasures {
  readonly #note: SharedNote<number>;
  readonly #deps: ErasuresDeps;
  #seen = 0;
  #clearing: Promise<void> = Promise.resolve();

  constructor(deps: ErasuresDeps) {
    this.#deps = deps;
    this.#note = new SharedNote({
      name: "erasures",
      event: "erasures",
      parse: (note) => (note === null ? 0 : Number(JSON.parse(note))),
      onTake: (count) => this.#take(count),
    });
  }

  async open(deps: SharedNoteDeps, signal: AbortSignal): Promise<void> {
    await this.#note.open(deps, signal);
  }

  /** Resolves once this process has done its part. */
  async tellAll(): Promise<void> {
    await this.#note.change((count) => count + 1);
    await this.#clearing;
  }

  #take(count: number): void {
    if (count === this.#seen) return;
    this.#seen = count;
    const { forgetNames, clearSpool, log } = this.#deps;
    forgetNames();
    this.#clearing = this.#clearing
      .then(() => clearSpool?.())
      .catch((error: unknown) => log.warn({ cause: describe(error) }, "spool.not_cleared"));
  }
}
