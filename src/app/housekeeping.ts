import { GatewayError } from "../domain/errors.ts";
import type { ComponentReport } from "../ingress/health.ts";
import type { Clock } from "../ports/clock.ts";
import type { Held } from "../ports/holds.ts";
import type { Retention } from "../ports/retention.ts";
import type { Store } from "../ports/store.ts";
import { messageOf } from "../shared/fault.ts";
import { parseJsonObject } from "../shared/json.ts";
import { DAY_MS, iso } from "../shared/time.ts";
import { createAgentChoices } from "../store/agent-choices.ts";
import { createAnswers } from "../store/answers.ts";
import { createFeedback } from "../store/feedback.ts";
import { createGrants } from "../store/grants.ts";
import { createQuestions } from "../store/questions.ts";
import { createSaidKeys } from "../store/said-keys.ts";
import { createShownMenus } from "../store/shown-menus.ts";
import { forgetTokens } from "../store/tokens.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Duty } from "./duties.ts";
import { within } from "./within.ts";

export interface HousekeepingDeps {
  readonly store: Store;
  /** As the configuration has it now. */
  readonly retention: () => Retention;
  /** What else is swept then. */
  readonly also?: () => Promise<void>;
  /** Seals with the first key what another has sealed, once by each who is elected; absent: there are no keys. */
  readonly reseal?: (() => Promise<void>) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** What operators have said by a key is known so long. */
const SAID_KEPT_MS = 7 * DAY_MS;
const SWEEP_EVERY_MS = 60_000;
/** What the last sweep has come to, for the next process that sweeps and for whoever asks. */
const NOTE = "sweep";
/** `approvals.expires_seconds` is no longer. */
const PARKED_MS_MAX = 7 * DAY_MS;
/** A scrape must not wait for a store that does not answer. */
const GAUGES_TIMEOUT_MS = 2_000;

interface Sweep {
  readonly at_ms: number;
  readonly rows: number;
}

export interface Housekeeping extends Duty {
  /** For /ready. */
  readonly report: () => ComponentReport;
  /** Now, whoever is elected: two at once do no harm. Gives how many rows went. */
  sweep(): Promise<number>;
}

/**
 * Deletes what is past its time, once a minute, and reads gauges when they are scraped. Of the replicas that share a store
 * one sweeps; whoever does so next goes on when the next sweep is due. Two at once would do no harm.
 */
export function createHousekeeping(deps: HousekeepingDeps): Housekeeping {
  const { store, clock, log, metrics } = deps;
  const { notes } = store;
  let last: Sweep | null = null;
  let fault: unknown = null;
  let isSweeping = false;

  async function readNote(): Promise<void> {
    last = sweepOf(await notes.get(NOTE)) ?? last;
    if (last !== null) metrics.sweptAt.set(last.at_ms / 1000);
  }

  /** Of what another process noted by another clock, no more than one turn is believed. */
  function dueInMs(): number {
    const sinceMs = last === null ? 0 : clock.nowMs() - last.at_ms;
    return Math.min(SWEEP_EVERY_MS, Math.max(0, SWEEP_EVERY_MS - sinceMs));
  }

  /** Null: nobody elected us; it is no turn of those who are. */
  async function sweep(held: Held | null): Promise<number> {
    const retention = deps.retention();
    const rows = (await store.sweep(retention)) + (await forgetQuestions(retention));
    if (rows > 0) log.info({ rows }, "store.swept");
    if (held !== null) {
      last = { at_ms: clock.nowMs(), rows };
      metrics.sweptAt.set(last.at_ms / 1000);
      await notes.put(NOTE, JSON.stringify(last), held);
    }
    await deps.also?.();
    return rows;
  }

  /** Those of events that are gone; one that waits may do so for a week. And what was allowed without asking, until now; and what people made of answers. */
  async function forgetQuestions({ finishedMs, deadMs }: Retention): Promise<number> {
    const keptMs = Math.max(finishedMs, deadMs) + PARKED_MS_MAX;
    const nowMs = clock.nowMs();
    const grants = await createGrants(store.vault).forget(nowMs);
    const choices = await createAgentChoices(store.vault, clock).forget();
    const menus = await createShownMenus(store.vault, clock).forget();
    const feedback = Number.isFinite(keptMs)
      ? await createFeedback(store.vault, clock).forget(nowMs - keptMs)
      : 0;
    const said = await createSaidKeys(store.vault).forget(nowMs - SAID_KEPT_MS);
    const tokens = await forgetTokens(store.vault, nowMs);
    const answers = await createAnswers(store.vault, clock).forget();
    return (
      answers +
      said +
      tokens +
      grants +
      choices +
      menus +
      feedback +
      (Number.isFinite(keptMs) ? await createQuestions(store.vault).forget(nowMs - keptMs) : 0)
    );
  }

  function sweeps(are: boolean): void {
    isSweeping = are;
    metrics.housekeeper.set(are ? 1 : 0);
  }

  async function lead(held: Held, signal: AbortSignal): Promise<void> {
    sweeps(true);
    await readNote().catch(() => {});
    await deps.reseal?.();
    let waitMs = dueInMs();
    for (;;) {
      await clock.sleep(waitMs, signal).catch(() => {});
      if (signal.aborted) break;
      try {
        await sweep(held);
        fault = null;
      } catch (error) {
        fault = error;
        log.error({ err: error }, "store.sweep_failed");
      }
      waitMs = SWEEP_EVERY_MS;
    }
    sweeps(false);
    fault = null;
  }

  async function readGauges(): Promise<void> {
    const [stats, health] = await Promise.all([
      within(store.journal.stats(), GAUGES_TIMEOUT_MS, clock).catch(() => null),
      within(store.check(), GAUGES_TIMEOUT_MS, clock).catch(() => null),
      within(readNote(), GAUGES_TIMEOUT_MS, clock).catch(() => null),
    ]);
    // One that can be read and takes no event is of no use: a full disk, a Redis that refuses writes.
    const isUp = stats !== null && health !== null && health.status !== "failed";
    metrics.storeUp.set(isUp ? 1 : 0);
    // Away: the last values stay, and /ready says why.
    if (stats === null) return;
    for (const state of ["queued", "running", "retrying", "parked", "dead"] as const)
      metrics.queueEvents.set({ state }, stats[state]);
    const oldest = stats.oldestAcceptedAtMs;
    metrics.queueOldest.set(oldest === null ? 0 : Math.max(0, clock.nowMs() - oldest) / 1000);
    metrics.storeBytes.set(stats.fileBytes);
  }

  metrics.beforeScrape(readGauges);
  return {
    lead,
    report() {
      if (fault !== null)
        return {
          status: "degraded",
          code: codeOf(fault),
          details: `it sweeps, in vain: ${messageOf(fault)}`,
        };
      const who = isSweeping ? "this process sweeps" : "another process sweeps";
      const when = last === null ? "" : `; last at ${iso(last.at_ms)}, ${last.rows} rows`;
      return { status: "ok", details: who + when };
    },
    sweep: () => sweep(null),
  };
}

function codeOf(error: unknown): string {
  return error instanceof GatewayError ? error.code : "STORE_WRITE_FAILED";
}

/** Null: there is none that can be read. */
function sweepOf(note: string | null): Sweep | null {
  const parsed = note === null ? null : parseJsonObject(note);
  if (parsed?.ok !== true) return null;
  const { at_ms, rows } = parsed.value;
  return typeof at_ms === "number" && typeof rows === "number" ? { at_ms, rows } : null;
}
