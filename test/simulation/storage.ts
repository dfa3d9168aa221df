import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Offer } from "../../src/ports/inbox.ts";
import type { StoreStats } from "../../src/ports/journal.ts";
import type { Store } from "../../src/ports/store.ts";
import type { StoreLimits } from "../../src/store/sqlite/protocol.ts";
import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";
import type { Ledger } from "./ledger.ts";
import type { Life } from "./life.ts";
import type { VirtualTime } from "./time.ts";
import type { Witness } from "./witness.ts";

/** Where the simulated processes store. Outlives them all. */
export interface Storage extends AsyncDisposable {
  /** Opens it for one process, and arranges what the death of that process does to it. Rejects as its driver does. */
  open(options: OpenOptions): Promise<OpenedStore>;
  /** Resolves once nothing is on its way to it that time has not to bring there first. */
  quiet(): Promise<void>;
  /** What it holds when no process has it open. */
  ledger(): Promise<Ledger>;
}

export interface OpenOptions {
  readonly life: Life;
  /** Names the process to others that share the storage. */
  readonly owner: string;
  /** Its place among the replicas. */
  readonly replica: number;
  readonly limits: StoreLimits;
  readonly random: () => number;
  /** Admission, for events that waited in a spool. */
  readonly offerOf: (event: TriggerEvent) => Offer | null;
}

export interface OpenedStore {
  /** As the process uses it: with steps, and a witness of what it said. */
  readonly store: Store;
  /** To be looked at is no step of the process. */
  stats(): Promise<StoreStats>;
}

/** The world that a storage is in. */
export interface Surroundings {
  /** Whether processes keep what a shared store cannot take. */
  readonly hasSpool: boolean;
  readonly time: VirtualTime;
  readonly dice: Dice;
  readonly faults: Faults;
  readonly witness: Witness;
}

export type OpenStorage = (surroundings: Surroundings) => Promise<Storage>;
