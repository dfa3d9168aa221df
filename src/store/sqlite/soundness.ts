import { describe, isDamage } from "./fault.ts";
import type { Kind, Log } from "./protocol.ts";
import { damaged, type Fault, FileWatch, type Look } from "./watch.ts";

/** What makes a promise: not on a file that is gone, or that cannot be trusted. */
const PROMISES: ReadonlySet<Kind> = new Set(["accept", "replay", "check", "sweep"]);
/** What begins something. A run whose steps cannot be recorded would be paid for again and again. */
const BEGINNINGS: ReadonlySet<Kind> = new Set([...PROMISES, "claim"]);

/** Whether the open file can be relied on. Damage, once seen, is believed until the process ends. */
export class Soundness {
  readonly #file: string;
  readonly #log: Log;
  readonly #watch: FileWatch;
  #damage: Fault | null = null;
  #isMoved = false;

  /** Before the file is opened. */
  constructor(file: string, log: Log) {
    this.#file = file;
    this.#log = log;
    this.#watch = new FileWatch(file);
  }

  get damage(): Fault | null {
    return this.#damage;
  }

  /** Null, or why what was opened is not to be used. */
  opened(): Fault | null {
    return this.#seen(this.#watch.opened());
  }

  /** Before it is opened again, when its log may be gone in order. */
  beforeOpening(): Fault | null {
    return this.#seen(this.#watch.lookAtFile());
  }

  saved(): void {
    this.#watch.saved();
  }

  now(): Look {
    const look = this.#watch.look();
    return look === "log-lost" ? (this.#damage ?? look) : this.#seen(look);
  }

  /** An error that says so of the file. */
  failed(error: unknown): void {
    if (isDamage(error)) this.#keep(damaged(this.#file, describe(error)));
  }

  #keep(fault: Fault): void {
    if (this.#damage !== null) return;
    this.#damage = fault;
    this.#log(`${fault.code}: ${fault.message}`, "error");
  }

  /** Says what begins and ends, once. */
  #seen(fault: Fault | null): Fault | null {
    if (fault?.code === "STORE_DAMAGED") this.#keep(fault);
    const isMoved = fault?.code === "STORE_MOVED";
    if (isMoved && !this.#isMoved) this.#log(`${fault.code}: ${fault.message}`, "error");
    if (!isMoved && this.#isMoved) this.#log(`${this.#file} is back; events are accepted again`, "warn");
    this.#isMoved = isMoved;
    return this.#damage ?? fault;
  }
}

export function isRefused(kind: Kind, fault: Fault | null): boolean {
  if (fault === null) return false;
  return (fault.code === "STORE_DAMAGED" ? BEGINNINGS : PROMISES).has(kind);
}
