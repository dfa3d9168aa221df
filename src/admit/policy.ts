import type { ChosenBy } from "../domain/asking.ts";
import type { BusyMode } from "../domain/busy.ts";
import type { Platform } from "../domain/event.ts";
import type { KnownCommands } from "../domain/named-command.ts";
import type { Route } from "../domain/route.ts";
import type { PausedFor } from "../domain/switches.ts";
import type { RateLimit } from "../ports/inbox.ts";

/** `any`, or only the ids listed. */
export type AllowList = "any" | ReadonlySet<string>;

export interface PlatformPolicy {
  readonly tenants: AllowList;
  readonly channels: AllowList;
  readonly users: AllowList;
  /** Of what the platform tells with a message; who is told of with none has none. */
  readonly roles: AllowList;
  /** All that any rule goes by there; absent: none does. */
  readonly rolesNamed?: ReadonlySet<string>;
  readonly directMessages: "deny" | AllowList;
  /** Other bots that may start a run; their messages are otherwise ignored, so that two bots cannot talk forever. */
  readonly bots: "none" | AllowList;
  readonly respondTo: "mention" | "all";
  readonly dedupMs: number;
  /** Whether a press on a button, a choice or a sent form starts a run. */
  readonly buttons: "run" | "ignore";
}

export interface Allowance {
  readonly messages: number;
  readonly perMs: number;
}

/** What admission decides by. The operator's configuration, in the units of the code. */
export interface AdmissionPolicy {
  readonly platforms: Readonly<Record<Platform, PlatformPolicy>>;
  readonly limits: Readonly<Record<RateLimit["scope"], Allowance | null>>;
  readonly routes: readonly Route[];
  /** Absent: none but those of routes. */
  readonly commands?: KnownCommands;
  /** What a message does while a run of its agent is in hand, by the agent's name. */
  readonly agents: ReadonlyMap<string, BusyMode>;
  /** Who may ask for each of them by name; absent: nobody. */
  readonly chosenBy?: ReadonlyMap<string, ChosenBy>;
  /** null: any age. */
  readonly maxAgeMs: number | null;
  readonly noticeWindowMs: number;
  /** The kill switch: everything is acknowledged, nothing is run. */
  readonly isPaused: (of?: PausedFor) => boolean;
}
