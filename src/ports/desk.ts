import type { Platform } from "../domain/event.ts";

/** What a person's runs cost today. */
export interface TodayUsage {
  readonly costCents: number;
  readonly limitCents: number;
  readonly modelCalls: number;
}

/** What somebody may be shown of themselves, beside answers. */
export interface Desk {
  /** Null: it is not counted by person. Rejects with STORE_*. */
  usageToday(person: { platform: Platform; tenant: string; id: string }): Promise<TodayUsage | null>;
}

/** Shows or opens something at once, which is no answer and is not kept: whatever comes of it, nobody waits. Never throws. */
export type Aside = (desk: Desk) => Promise<void>;
