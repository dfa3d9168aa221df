import { AggregatorRegistry } from "prom-client";
import type { Clock } from "../../ports/clock.ts";
import type { Snapshot } from "../../telemetry/metrics.ts";
import { within } from "../within.ts";
import type { Child } from "./messages.ts";

/** A process that is stuck is counted as it was last seen. */
const SNAPSHOT_TIMEOUT_MS = 3_000;

/**
 * The metrics of all processes as one. What an ended process had counted stays in the sums, as far as it was ever
 * seen: a sum that shrinks looks like a restart of everything, and would be counted again from zero.
 */
export class Scrapes {
  readonly #clock: Clock;
  /** What the supervisor itself counts. */
  readonly #own: () => Promise<Snapshot>;
  readonly #asked = new Map<number, (snapshot: Snapshot) => void>();
  readonly #last = new Map<Child, Snapshot>();
  readonly #gone = new WeakSet<Child>();
  readonly #ended: Snapshot[] = [];
  #ids = 0;
  #inProgress: Promise<string> | null = null;

  constructor(clock: Clock, own: () => Promise<Snapshot>) {
    this.#clock = clock;
    this.#own = own;
  }

  /** Several at once share one look. */
  scrape(children: readonly Child[]): Promise<string> {
    this.#inProgress ??= this.#scrape(children).finally(() => {
      this.#inProgress = null;
    });
    return this.#inProgress;
  }

  answered(id: number, snapshot: Snapshot): void {
    this.#asked.get(id)?.(snapshot);
  }

  ended(child: Child): void {
    const last = this.#last.get(child);
    this.#last.delete(child);
    this.#gone.add(child);
    // Gauges say how things are, and with the process those are over.
    if (last !== undefined) this.#ended.push(last.filter(({ type }) => COUNTED.has(String(type))));
  }

  async #scrape(children: readonly Child[]): Promise<string> {
    const own = await this.#own();
    await this.#compact();
    await Promise.all(children.map((child) => this.#look(child)));
    // Nothing is waited for from here on: a process that ended meanwhile is among the ended, and nowhere else.
    const alive = children.flatMap((child) => this.#last.get(child) ?? []);
    return await AggregatorRegistry.aggregate([alive, ...this.#ended, own]).metrics();
  }

  async #look(child: Child): Promise<void> {
    const id = ++this.#ids;
    const { promise, resolve } = Promise.withResolvers<Snapshot>();
    this.#asked.set(id, resolve);
    child.send({ kind: "snapshot", id });
    const snapshot = await within(promise, SNAPSHOT_TIMEOUT_MS, this.#clock);
    this.#asked.delete(id);
    if (snapshot !== null && !this.#gone.has(child)) this.#last.set(child, snapshot);
  }

  /** However many have ended, they are one. */
  async #compact(): Promise<void> {
    const count = this.#ended.length;
    if (count < 2) return;
    const sum = await AggregatorRegistry.aggregate(this.#ended.slice(0, count)).getMetricsAsJSON();
    this.#ended.splice(0, count, sum);
  }
}

const COUNTED: ReadonlySet<string> = new Set(["counter", "histogram"]);
