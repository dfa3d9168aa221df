import { backoffMs } from "../domain/backoff.ts";
import { BreakerOpen, type Breakers } from "../domain/breaker.ts";
import { redacted } from "../domain/redact.ts";
import type { Bus } from "../ports/bus.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Deliveries, HookDelivery, HookState, HookStates } from "../ports/hooks.ts";
import { messageOf } from "../shared/fault.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { HookBody, PostEnd, PostOptions } from "./post.ts";
import { HOOKS_TOPIC } from "./publisher.ts";
import { type HookTarget, originOf } from "./target.ts";

/** Calls of one hook at the same time: one that is slow keeps no other waiting. */
export const AT_ONCE = 4;
/** 5 s, 10 s, 20 s … 4 h: with 16 attempts a hook may be away for most of a day. */
const BACKOFF = { baseMs: 5_000, capMs: 4 * 3_600_000, exponential: true };
/** Word of something new may be lost. */
const LOOK_MS = 5_000;
/** Where the store is away. */
const STORE_AGAIN_MS = 1_000;

export interface CourierDeps {
  readonly deliveries: Pick<Deliveries, "put" | "remove" | "next">;
  readonly states: HookStates;
  readonly bus: Pick<Bus, "subscribe">;
  /** As they are now. */
  readonly targets: () => readonly HookTarget[];
  /** By the names of hooks. */
  readonly breakers: Breakers;
  readonly post: (target: HookTarget, body: HookBody, options: PostOptions) => Promise<PostEnd>;
  /** What was asked and answered; null: it is gone. */
  readonly textOf: (eventId: string) => Promise<Readonly<Record<string, string>> | null>;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Pick<Logger, "info" | "warn" | "error">;
  readonly metrics: Pick<Metrics, "hookDeliveries" | "hookSeconds">;
}

/**
 * Delivers what is due, to all hooks side by side. Of all processes one does. What is under way when that one dies is
 * still on its way in the store, and is sent once more.
 */
export class Courier {
  readonly #deps: CourierDeps;
  readonly #running = new Map<string, Set<string>>();
  readonly #states = new Map<string, HookState>();
  #wake = () => {};

  constructor(deps: CourierDeps) {
    this.#deps = deps;
  }

  /** Until the signal; resolves when nothing is under way. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { bus, clock, log } = this.#deps;
    const leave = bus.subscribe(HOOKS_TOPIC, () => this.#wake());
    let isAway = false;
    while (!signal.aborted) {
      const woken = new AbortController();
      this.#wake = () => woken.abort("woken");
      let waitMs = STORE_AGAIN_MS;
      try {
        waitMs = await this.#begin(signal);
        isAway = false;
      } catch (error) {
        if (!isAway) log.warn({ cause: messageOf(error) }, "hook.store_away");
        isAway = true;
      }
      const until = AbortSignal.any([woken.signal, signal]);
      await clock.sleep(waitMs, until).catch(() => {});
    }
    leave();
    while ([...this.#running.values()].some(({ size }) => size > 0)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Begins what is due and has room. Gives how long nothing else will be due. */
  async #begin(signal: AbortSignal): Promise<number> {
    const waits = await Promise.all(this.#deps.targets().map((target) => this.#beginFor(target, signal)));
    return Math.min(LOOK_MS, ...waits);
  }

  async #beginFor(target: HookTarget, signal: AbortSignal): Promise<number> {
    const { deliveries, breakers, clock } = this.#deps;
    const running = this.#runningOf(target.name);
    // Who comes back, wakes us.
    if (running.size >= AT_ONCE) return LOOK_MS;
    const found = await deliveries.next(target.name, running.size + AT_ONCE);
    for (const delivery of found.filter((one) => !running.has(placeOf(one)))) {
      const inMs = delivery.dueMs - clock.nowMs();
      if (inMs > 0) return inMs;
      if (running.size >= AT_ONCE) return LOOK_MS;
      try {
        const leave = breakers.of(target.name).enter();
        running.add(placeOf(delivery));
        void this.#deliver(delivery, target, leave, signal).finally(() => {
          running.delete(placeOf(delivery));
          this.#wake();
        });
      } catch (error) {
        // It waits, and uses up no attempt.
        if (error instanceof BreakerOpen) return error.retryAfterMs;
        throw error;
      }
    }
    return LOOK_MS;
  }

  #runningOf(hook: string): Set<string> {
    const running = this.#running.get(hook) ?? new Set();
    this.#running.set(hook, running);
    return running;
  }

  async #deliver(
    delivery: HookDelivery,
    target: HookTarget,
    leave: ReturnType<ReturnType<Breakers["of"]>["enter"]>,
    signal: AbortSignal,
  ): Promise<void> {
    const { post, clock, version, log, metrics } = this.#deps;
    const { name: hook } = target;
    const startedAt = performance.now();
    try {
      const body = await this.#bodyOf(delivery, target);
      const end = await post(target, body, { id: delivery.id, version, nowMs: clock.nowMs(), signal });
      metrics.hookSeconds.observe({ hook }, (performance.now() - startedAt) / 1000);
      metrics.hookDeliveries.inc({ hook, outcome: end.kind === "delivered" ? "delivered" : "failed" });
      if (end.kind === "delivered") leave("ok");
      else leave("failed", { code: "HOOK_FAILED", message: end.cause });
      await this.#settle(delivery, target, end);
    } catch (error) {
      leave("unknown");
      // Stopped, or the store is away: it is on its way as before.
      if (!signal.aborted) log.warn({ hook, id: delivery.id, cause: messageOf(error) }, "hook.unsettled");
      if (!signal.aborted) await clock.sleep(STORE_AGAIN_MS, signal).catch(() => {});
    }
  }

  /** Text is looked up for each call, so that it is kept nowhere, and what was erased is not told. */
  async #bodyOf(
    { type, atMs, data, eventId }: HookDelivery,
    { includesText }: HookTarget,
  ): Promise<HookBody> {
    if (!includesText || eventId === undefined) return { type, atMs, data };
    return { type, atMs, data: { ...data, ...(await this.#deps.textOf(eventId)) } };
  }

  async #settle(delivery: HookDelivery, target: HookTarget, end: PostEnd): Promise<void> {
    const { deliveries, clock, random, log, metrics } = this.#deps;
    const { hook, id, type } = delivery;
    const nowMs = clock.nowMs();
    const attempts = delivery.attempts + 1;
    if (end.kind === "delivered") {
      await deliveries.remove(delivery);
      await this.#saw(hook, { deliveredAtMs: nowMs, failure: null });
      return;
    }
    const cause = redacted(end.cause);
    const about = { hook, id, type, to: originOf(target), attempts, cause };
    const isOver = end.kind === "gone" || attempts >= target.attemptsMax;
    if (isOver) {
      const why =
        end.kind === "gone" ? `${cause}: it wants no more` : `gave up after ${attempts} attempts: ${cause}`;
      await deliveries.put({ ...delivery, attempts, died: { atMs: nowMs, cause: why } }, delivery);
      metrics.hookDeliveries.inc({ hook, outcome: "dead" });
      log.error(about, "hook.dead");
    } else {
      const inMs = Math.max(backoffMs(attempts, BACKOFF, random), end.retryAfterMs ?? 0);
      await deliveries.put({ ...delivery, attempts, dueMs: nowMs + inMs }, delivery);
      log.warn({ ...about, retry_ms: inMs }, "hook.failed");
    }
    const { deliveredAtMs = null } = this.#states.get(hook) ?? {};
    await this.#saw(hook, { deliveredAtMs, failure: { atMs: nowMs, cause } });
  }

  /** Written when it is another than before, and now and then: for whoever lists hooks, on whatever replica. */
  async #saw(hook: string, state: HookState): Promise<void> {
    const known = this.#states.get(hook) ?? (await this.#deps.states.get(hook));
    const isNews =
      known.failure?.cause !== state.failure?.cause ||
      (state.deliveredAtMs ?? 0) - (known.deliveredAtMs ?? 0) >= STATE_MS;
    const now = { ...state, deliveredAtMs: state.deliveredAtMs ?? known.deliveredAtMs };
    this.#states.set(hook, isNews ? now : known);
    if (isNews) await this.#deps.states.put(hook, now);
  }
}

/** How old may be what is told of the last delivery. */
const STATE_MS = 10_000;

/** The same delivery at another time is another: it may be settled twice, and is harmless. */
function placeOf({ id, dueMs }: HookDelivery): string {
  return `${id}/${dueMs}`;
}
