import type { AskedDeps } from "../dispatch/asked.ts";
import type { ControlDeps } from "../dispatch/control.ts";
import type { FilesDeps } from "../dispatch/files.ts";
import type { Guide } from "../dispatch/guide.ts";
import type { AgentMemory } from "../dispatch/memory.ts";
import type { RolesDeps } from "../dispatch/roles.ts";
import type { Selection } from "../dispatch/selection.ts";
import type { Platform, TriggerEvent } from "../domain/event.ts";
import type { Route } from "../domain/route.ts";
import type { PausedFor } from "../domain/switches.ts";
import type { Adapter, Render } from "../ports/adapter.ts";
import type { AgentRuntime, Allowance } from "../ports/agent.ts";
import type { Answers } from "../ports/answers.ts";
import type { Clock, NewId } from "../ports/clock.ts";
import type { Feedback } from "../ports/feedback.ts";
import type { Hooks } from "../ports/hooks.ts";
import type { Memory } from "../ports/memory.ts";
import type { Outbox } from "../ports/outbox.ts";
import type { Queue } from "../ports/queue.ts";
import type { ShownMenus } from "../ports/shown-menus.ts";
import type { DeliverDeps } from "../reply/deliver.ts";
import type { Previews } from "../reply/preview.ts";
import type { WaitNotices } from "../reply/waiting.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";

export interface WorkerDeps {
  readonly queue: Pick<Queue, "checkpoint" | "join">;
  readonly memory: Memory;
  readonly adapters: ReadonlyMap<string, Adapter>;
  readonly runtime: AgentRuntime;
  readonly routes: readonly Route[];
  readonly agents: ReadonlyMap<string, AgentMemory>;
  readonly selection: Pick<
    Selection,
    "agentFor" | "refusal" | "choose" | "now" | "obey" | "forget" | "choosable"
  >;
  readonly control: Omit<ControlDeps, "selection" | "guide">;
  readonly guide: Pick<Guide, "help" | "menuFor">;
  /** Where a number means one of the menu that was shown last; absent: there are no menus. */
  readonly menus?: Pick<ShownMenus, "show" | "leave">;
  /** Of platforms whose messages do not tell roles; absent: there is none. */
  readonly roles?: RolesDeps;
  readonly render: Render;
  readonly delivery: Omit<DeliverDeps, "isHeld" | "leftMs" | "outbox"> & { readonly outbox: Outbox };
  /** What the model calls of a run may cost today; absent: as much as the run may. */
  readonly allowanceOf?: (event: TriggerEvent, agent: string) => Allowance;
  /** By which the model of a run is known; absent: as its agent has it. */
  readonly modelOf?: (event: TriggerEvent, agent: string) => string | null;
  readonly attemptsMax: number;
  /** How long nothing may have come before what `busy: collect` has collected is answered; absent: no time. */
  readonly quietMsOf?: (event: TriggerEvent, agent: string) => number;
  /** For whoever reacts to what is said; absent: no reaction means anything. */
  readonly feedback?: Pick<Feedback, "said">;
  /** Where questions are found by their ids; absent: in their conversations alone. */
  readonly questions?: Omit<AskedDeps, "clock" | "log">;
  /** Answers that may be given again; absent: none may. */
  readonly answers?: Pick<Answers, "find" | "keep">;
  /** Told of what was answered; absent: nobody. */
  readonly hooks?: Hooks;
  /** Tells who waits for a model that is away; absent: nobody. */
  readonly waiting?: WaitNotices;
  /** A message waits no longer than this for a model that is away; absent: for ever. */
  readonly waitMsMax?: number;
  /** Where files of messages are kept; absent: they are named to the model, and not read. */
  readonly files?: FilesDeps;
  /** Shows answers while they grow; absent: none. */
  readonly previews?: Previews;
  readonly isPaused: (of: PausedFor) => boolean;
  /** Whether a press on a button starts a run there; absent: everywhere. */
  readonly hearsPresses?: (platform: Platform) => boolean;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly log: Logger;
  readonly metrics: Metrics;
}
