import { lastDueMs, nextDueMs } from "../config/cron.ts";
import type { ScheduleSpec } from "../config/schedules-schema.ts";
import { conversationKey } from "../domain/conversation.ts";
import type { ReplyAddress, TriggerEvent } from "../domain/event.ts";
import type { PausedFor } from "../domain/switches.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";
import type { Held } from "../ports/holds.ts";
import type { Offer } from "../ports/inbox.ts";
import type { ScheduleDesk, ScheduleReport, TurnOutcome } from "../ports/schedules.ts";
import type { Store } from "../ports/store.ts";
import { messageOf } from "../shared/fault.ts";
import { get, getString, parseJsonObject } from "../shared/json.ts";
import { DAY_MS, iso } from "../shared/time.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Duty } from "./duties.ts";

export interface SchedulesDeps {
  readonly store: Pick<Store, "inbox" | "notes">;
  readonly adapters: ReadonlyMap<string, Adapter>;
  /** As the configuration has them now. */
  readonly specs: () => readonly ScheduleSpec[];
  readonly isPaused: (of: PausedFor) => boolean;
  readonly clock: Clock;
  readonly log: Pick<Logger, "info" | "warn">;
  readonly metrics: Pick<Metrics, "schedules">;
}

/** The last turn, as it is noted; `outcome` null: there was none since it is configured. */
interface NotedTurn {
  readonly dueMs: number;
  readonly outcome: TurnOutcome | null;
  /** When the last one that was fired was due; null: none is known. */
  readonly firedMs: number | null;
}

/** A configuration that was read again is looked at so soon; and a clock that was set. */
const LOOK_MS = 5_000;
/** Later than this it was missed: longer than a hand-over takes. */
const LATE_MS = 60_000;
/** Longer than any process may be away with a turn that it has begun. */
const DEDUP_MS = 30 * DAY_MS;

/**
 * Asks agents by the clock: of all replicas one looks at it. A turn is an event with an id of its own, so a turn that is
 * fired again, because whoever fired it died before it was noted, is a duplicate.
 */
export class Schedules implements ScheduleDesk, Duty {
  readonly #deps: SchedulesDeps;

  constructor(deps: SchedulesDeps) {
    this.#deps = deps;
  }

  /** By any process, also one that never looks at the clock. */
  async list(): Promise<readonly ScheduleReport[]> {
    return await Promise.all(this.#deps.specs().map((spec) => this.#report(spec)));
  }

  async #report(spec: ScheduleSpec): Promise<ScheduleReport> {
    const { clock, isPaused } = this.#deps;
    const { name, enabled, cron, time_zone: timeZone, agent, missed } = spec;
    const last = await this.#lastTurn(spec);
    return {
      ...{ name, cron, timeZone, agent, missed, ...placeOf(spec) },
      isEnabled: enabled,
      isPaused: isPaused({ platform: spec.to.platform, agent }),
      nextDueMs: enabled ? nextDueMs(spec, Math.max(clock.nowMs(), last?.dueMs ?? 0)) : null,
      ...{ firedMs: last?.firedMs ?? null, outcome: last?.outcome ?? null },
    };
  }

  /** Looks at the clock. */
  async lead(held: Held, signal: AbortSignal): Promise<void> {
    const { specs, clock, log } = this.#deps;
    while (!signal.aborted) {
      let waitMs = LOOK_MS;
      for (const spec of specs()) {
        if (signal.aborted) return;
        try {
          waitMs = Math.min(waitMs, await this.#look(spec, held));
        } catch (error) {
          log.warn({ schedule: spec.name, cause: messageOf(error) }, "schedule.put_off");
          waitMs = 1_000;
        }
      }
      await clock.sleep(waitMs, signal).catch(() => {});
    }
  }

  /** Gives how long there is nothing to do. */
  async #look(spec: ScheduleSpec, held: Held): Promise<number> {
    const { clock } = this.#deps;
    const nowMs = clock.nowMs();
    const last = await this.#lastTurn(spec);
    // What was due before it was configured was not missed.
    if (last === null) await this.#note(spec, { dueMs: nowMs, outcome: null, firedMs: null }, held);
    const sinceMs = last?.dueMs ?? nowMs;
    const dueMs = lastDueMs(spec, sinceMs, nowMs);
    if (dueMs !== null) {
      await this.#turn(spec, { dueMs, firedMs: last?.firedMs ?? null }, held);
      // Behind that, which is tried again until it is noted.
      if (nowMs - dueMs <= LATE_MS) this.#countLeftOut(spec, lastDueMs(spec, sinceMs, dueMs - 1));
    }
    const nextMs = nextDueMs(spec, Math.max(nowMs, sinceMs));
    return nextMs === null ? LOOK_MS : Math.max(0, nextMs - nowMs);
  }

  /** One that was due before the last, while nobody looked, though that one is in time. */
  #countLeftOut({ name: schedule, agent, enabled, missed }: ScheduleSpec, dueMs: number | null): void {
    if (dueMs === null || missed !== "skip" || !enabled) return;
    const { clock, log, metrics } = this.#deps;
    metrics.schedules.inc({ schedule, outcome: "skipped" });
    const late_ms = clock.nowMs() - dueMs;
    log.warn({ schedule, agent, due: iso(dueMs), outcome: "skipped", late_ms }, "schedule.due");
  }

  async #turn(
    spec: ScheduleSpec,
    { dueMs, firedMs }: Pick<NotedTurn, "dueMs" | "firedMs">,
    held: Held,
  ): Promise<void> {
    const { clock, log, metrics } = this.#deps;
    const outcome = await this.#fire(spec, dueMs);
    metrics.schedules.inc({ schedule: spec.name, outcome });
    const about = { schedule: spec.name, agent: spec.agent, due: iso(dueMs), outcome };
    log[outcome === "fired" || outcome === "off" ? "info" : "warn"](
      { ...about, late_ms: clock.nowMs() - dueMs },
      "schedule.due",
    );
    await this.#note(spec, { dueMs, outcome, firedMs: outcome === "fired" ? dueMs : firedMs }, held);
  }

  /** Rejects when it cannot be stored now: then it is tried again. */
  async #fire(spec: ScheduleSpec, dueMs: number): Promise<TurnOutcome> {
    const { store, adapters, isPaused, clock } = this.#deps;
    const { platform } = spec.to;
    if (!spec.enabled) return "off";
    if (spec.missed === "skip" && clock.nowMs() - dueMs > LATE_MS) return "skipped";
    if (isPaused({ platform, agent: spec.agent })) return "paused";
    const id = turnId(spec, dueMs);
    const place = {
      tenant: spec.to.tenant,
      channel: spec.to.channel,
      thread: spec.to.thread ?? null,
      eventId: id,
    };
    const replyTo = adapters.get(platform)?.addressOf?.(place) ?? null;
    if (replyTo === null) return "platform_off";
    const acceptance = await store.inbox.accept(offerOf(eventOf(spec, { id, dueMs, replyTo }), spec));
    if (acceptance.kind === "full") throw new Error("too much is waiting already");
    return "fired";
  }

  async #lastTurn({ name }: ScheduleSpec): Promise<NotedTurn | null> {
    return turnIn(await this.#deps.store.notes.get(noteOf(name)));
  }

  /** Only by whoever holds the clock: who has lost it leaves the note to the next, who knows the turn by its id. */
  async #note({ name }: ScheduleSpec, turn: NotedTurn, held: Held): Promise<void> {
    await this.#deps.store.notes.put(noteOf(name), JSON.stringify(turn), held);
  }
}

/** Of a turn: the same whoever fires it. */
function turnId({ name, to }: ScheduleSpec, dueMs: number): string {
  return `${to.platform}:schedule:${name}:${dueMs}`;
}

function noteOf(name: string): string {
  return `schedule/${name}`;
}

function turnIn(note: string | null): NotedTurn | null {
  const parsed = note === null ? null : parseJsonObject(note);
  if (parsed?.ok !== true) return null;
  const dueMs = get(parsed.value, "dueMs");
  const outcome = (getString(parsed.value, "outcome") as TurnOutcome | undefined) ?? null;
  if (typeof dueMs !== "number") return null;
  const noted = get(parsed.value, "firedMs");
  // A process of an older version writes none.
  const firedMs = typeof noted === "number" ? noted : outcome === "fired" ? dueMs : null;
  return { dueMs, outcome, firedMs };
}

function placeOf({ to }: Pick<ScheduleSpec, "to">) {
  const { platform, tenant, channel: place, thread = null } = to;
  const there = { platform, tenant, place, thread };
  return { ...there, conversation: conversationKey(there) };
}

function eventOf(
  { name, agent, to, text }: ScheduleSpec,
  { id, dueMs, replyTo }: { readonly id: string; readonly dueMs: number; readonly replyTo: ReplyAddress },
): TriggerEvent {
  return {
    ...{ id, aliases: [], ...placeOf({ to }), isDirect: false },
    sender: { id: `schedule:${name}`, name, isBot: false },
    ...{ trigger: "mention", command: null, agent, text, attachments: [], replyTo, occurredAtMs: dueMs },
  };
}

/** The operator has written it: access and rate limits are for others. Budgets hold. */
function offerOf(event: TriggerEvent, { agent }: ScheduleSpec): Offer {
  return {
    ...{ event, lane: event.conversation, kind: "message", agent, busy: "queue", refusal: null },
    ...{ limits: [], onlyIfKnown: false, isTold: false, dedupMs: DEDUP_MS },
  };
}
