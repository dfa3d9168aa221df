import type { Platform, TriggerEvent } from "../domain/event.ts";

/** What a person's runs cost today. */
export interface TodayUsage {
  readonly costCents: number;
  readonly limitCents: number;
  readonly modelCalls: number;
}

/** What was spent on a day, as far as it is counted by person and by conversation. */
export interface SpentThere {
  readonly day: string;
  readonly timeZone: string;
  /** Each that has a budget of its own. */
  readonly of: readonly (TodayUsage & {
    readonly whose: "user" | "conversation";
    /** Of calls in progress and of those that broke off: the most that they can have cost. */
    readonly heldCents: number;
  })[];
}

/** What somebody may be shown of themselves, beside answers. */
export interface Desk {
  /** Null: it is not counted by person. Rejects with STORE_*. */
  usageToday(person: { platform: Platform; tenant: string; id: string }): Promise<TodayUsage | null>;
  /** By whoever said this, and in its conversation; `day` as `2026-11-29`, null: today. Rejects with STORE_*. */
  spentThere(event: TriggerEvent, day: string | null): Promise<SpentThere>;
}

/** Shows or opens something at once, which is no answer and is not kept: whatever comes of it, nobody waits. Never throws. */
export type Aside = (desk: Desk) => Promise<void>;
