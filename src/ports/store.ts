import type { ErrorCode } from "../domain/errors.ts";
import type { Archive } from "./archive.ts";
import type { AuditLog } from "./audit-log.ts";
import type { Bus } from "./bus.ts";
import type { Holds } from "./holds.ts";
import type { Inbox } from "./inbox.ts";
import type { Journal } from "./journal.ts";
import type { Lanes } from "./lanes.ts";
import type { Memory } from "./memory.ts";
import type { Notes } from "./notes.ts";
import type { Outbox } from "./outbox.ts";
import type { People } from "./people.ts";
import type { Purse } from "./purse.ts";
import type { Queue } from "./queue.ts";
import type { Records } from "./records.ts";
import type { RequestLog } from "./request-log.ts";
import type { Retention } from "./retention.ts";
import type { Upkeep } from "./upkeep.ts";
import type { Vault } from "./vault.ts";

/**
 * Whether the store would take an event now. `failed`: it would not. `degraded`: it would, and somebody should come and
 * look. Of one that is not well, `details` says what is wrong.
 */
export interface StoreHealth {
  readonly status: "ok" | "degraded" | "failed";
  readonly code?: ErrorCode;
  readonly details?: string;
}

/** What an acknowledgement survives: a power cut, only the death of our process, or neither. */
export type Durability = "power" | "process" | "none";

/** One database, narrow views. */
export interface Store extends AsyncDisposable {
  readonly inbox: Inbox;
  readonly queue: Queue;
  readonly outbox: Outbox;
  readonly memory: Memory;
  readonly people: People;
  readonly purse: Purse;
  readonly journal: Journal;
  readonly lanes: Lanes;
  readonly archive: Archive;
  readonly requests: RequestLog;
  readonly holds: Holds;
  readonly notes: Notes;
  readonly vault: Vault;
  readonly audit: AuditLog;
  readonly records: Records;
  readonly upkeep: Upkeep;
  readonly bus: Bus;
  readonly durability: Durability;
  /** Found out by a small write, and by what became of the last others. Rejects with STORE_*, which is `failed` too. */
  check(): Promise<StoreHealth>;
  /** Deletes what is past its time, in small batches. Gives how many rows went. */
  sweep(retention: Retention): Promise<number>;
}
