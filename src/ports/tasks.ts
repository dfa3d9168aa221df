import type { Priority } from "../domain/priority.ts";
import type { EventRecord } from "./journal.ts";

/** What a program wants done. */
export interface TaskOrder {
  readonly goal: string;
  /** Absent: as the routes have it. */
  readonly agent?: string | undefined;
  /** What it belongs to: order and memory. Absent: it stands alone. */
  readonly conversation?: string | undefined;
  readonly priority: Priority;
  /** The same order by the same key is one task. */
  readonly key?: string | undefined;
  readonly by: string;
  readonly requestId: string;
}

export type TaskBegun =
  /** It is durable, or was already, by its key. `id`: that of its event. */
  | { readonly kind: "accepted" | "duplicate"; readonly id: string; readonly agent: string }
  /** Nothing was stored: the order is wrong; another one came by this key; it may not run now. */
  | { readonly kind: "wrong" | "conflict" | "refused"; readonly message: string }
  | { readonly kind: "full" };

/** Work that programs ask for, on the one path that all messages take. Rejects with STORE_*. */
export interface TaskDesk {
  begin(order: TaskOrder): Promise<TaskBegun>;
  /** Null: there is no task of this id. */
  find(id: string): Promise<EventRecord | null>;
}
