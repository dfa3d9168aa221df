import { GatewayError } from "../../domain/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Acceptance, Inbox, Offer } from "../../ports/inbox.ts";
import type { Store } from "../../ports/store.ts";
import type { Watermark } from "../../ports/watermarks.ts";
import { describe } from "../../shared/fault.ts";
import { toEntry } from "./entry.ts";
import { countWaiting, type Round } from "./forwarder.ts";
import type { ClaimGate } from "./gate.ts";
import { Kept } from "./kept.ts";
import { Latecomers } from "./latecomers.ts";
import { isUnavailable, unavailable } from "./trouble.ts";

const TICK_MS = 250;
/**
 * The store has its own, shorter time-out; this is for one that hangs all the same. Counted in ticks, so that a
 * process that stood still for a while reads the answers that came meanwhile before it loses patience.
 */
const PATIENCE_TICKS = 6;
/** With so few left, what comes waits for them to be forwarded, instead of keeping the spool from ever being empty. */
const LAST_MAX = 64;
const HOLD_MS_MAX = 500;
/** What does not move for so long, though the store answers, waits for work that must not wait for it. */
const STUCK_MS = 15_000;

interface Arrival {
  readonly offer: Offer;
  readonly atMs: number;
  readonly tick: number;
  readonly answer: PromiseWithResolvers<Acceptance>;
}

export interface IntakeDeps {
  readonly file: Store;
  readonly store: Inbox;
  readonly gate: ClaimGate;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  /** What an earlier process left. */
  readonly waiting: number;
  readonly oldestAtMs: number | null;
  /** Whether another replica may hold what came before: then a conversation that is not known yet may become so. */
  readonly isSettling: () => boolean;
  /** Resolves when what was just spooled may be acknowledged. */
  readonly published: () => Promise<void>;
  readonly onChange: (waiting: number) => void;
}

/**
 * Where an event is made durable.
 * - `store`: nothing is spooled; the store is asked
 * - `spool`: something waits in the file, and what comes now goes behind it
 * - `hold`: the last ones are being forwarded; what comes now waits for that in memory, and is not yet acknowledged
 *
 * Invariant: an event is never offered to the store while one that came before it is in the file, and never written
 * to the file before one that came before it and is still undecided.
 */
export class Intake {
  readonly #deps: IntakeDeps;
  readonly #closing = new AbortController();
  #mode: "store" | "spool" | "hold";
  #waiting: number;
  /** Offered to the store and not yet answered, in order of arrival. */
  readonly #undecided = new Set<Arrival>();
  readonly #writes = new Set<Promise<void>>();
  #held: Arrival[] = [];
  #holdOver = new AbortController();
  #tick = 0;
  #isWatching = false;
  #spooled = 0;
  #lostAtMs = 0;
  readonly #kept: Kept;
  readonly #latecomers: Latecomers;
  #lowAtMs = 0;
  #movedAtMs = 0;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
    this.#kept = new Kept(deps.waiting, deps.oldestAtMs);
    this.#latecomers = new Latecomers(deps.store);
    this.#waiting = deps.waiting;
    this.#mode = deps.waiting > 0 ? "spool" : "store";
  }

  get waiting(): number {
    return this.#waiting;
  }

  get isHolding(): boolean {
    return this.#mode === "hold";
  }

  /** What others have to know of it. */
  get mark(): Watermark {
    const nowMs = this.#deps.clock.nowMs();
    const [undecided] = this.#undecided;
    const atMs = [this.#kept.firstAtMs, undecided?.atMs, this.#held[0]?.atMs];
    const lowAtMs = Math.min(nowMs, ...atMs.filter((one) => one !== undefined));
    const isMoving = lowAtMs !== this.#lowAtMs || nowMs < this.#movedAtMs;
    if (isMoving || this.#deps.gate.areOffersFailing) this.#movedAtMs = nowMs;
    this.#lowAtMs = lowAtMs;
    const isStuck = nowMs - this.#movedAtMs > STUCK_MS;
    return { lowAtMs, isSpooling: !isStuck && (this.#waiting > 0 || this.#writes.size > 0) };
  }

  accept(offer: Offer): Promise<Acceptance> {
    if (this.#closing.signal.aborted) {
      return Promise.reject(new GatewayError("STORE_CLOSED", "The store is closed"));
    }
    const answer = Promise.withResolvers<Acceptance>();
    const arrival = { offer, atMs: this.#deps.clock.nowMs(), tick: this.#tick, answer };
    if (this.#mode === "store") this.#ask(arrival);
    else if (this.#mode === "spool") this.#spool(arrival);
    else this.#held.push(arrival);
    return answer.promise;
  }

  /** A round is about to offer so many. */
  beforeRound(claimed: number): void {
    if (this.#mode !== "spool" || this.#deps.gate.areOffersFailing) return;
    if (this.#waiting - claimed > LAST_MAX) return;
    this.#mode = "hold";
    const over = new AbortController();
    this.#holdOver = over;
    this.#deps.clock.sleep(HOLD_MS_MAX, over.signal).then(
      () => this.release(),
      () => {}, // Over before that.
    );
  }

  async afterRound({ claimed, gone, store, cause }: Round): Promise<void> {
    for (const id of gone) {
      this.#kept.remove(id);
      this.#latecomers.left(id);
    }
    this.#count(-gone.length);
    if (store === "away") this.#lost(cause ?? "it does not answer");
    if (store === "answers") this.#found();
    if (this.#mode === "spool") {
      if (claimed === 0) await this.#recount();
      return await this.#leaveEmptySpool();
    }
    if (this.#mode !== "hold") return;

    if (gone.length < claimed) return this.release();
    const isProgress = claimed + this.#writes.size > 0;
    await Promise.all(this.#writes);
    const waiting = await countWaiting(this.#deps.file);
    if (!this.isHolding) return; // It has taken too long.
    if (waiting === 0) this.#toStore();
    else if (!isProgress) this.release();
  }

  /** What is held goes to the file: its turn does not come soon. */
  release(): void {
    if (this.#mode !== "hold") return;
    this.#mode = "spool";
    this.#holdOver.abort();
    for (const arrival of this.#held.splice(0)) this.#spool(arrival);
  }

  /** Takes nothing more. Resolves when what was taken for the file is in it. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.release();
    await Promise.all(this.#writes);
  }

  #ask(arrival: Arrival): void {
    this.#undecided.add(arrival);
    this.#watch();
    this.#deps.store.accept(arrival.offer).then(
      (acceptance) => {
        const isOurs = this.#undecided.has(arrival); // Else it is in the file by now; a late answer says little.
        // The message that makes it known may wait in the spool of another replica: ours asks again.
        if (isOurs && acceptance.kind === "unknown-conversation" && this.#deps.isSettling())
          return this.#toSpool();
        this.#undecided.delete(arrival);
        if (isOurs) this.#found();
        arrival.answer.resolve(acceptance);
      },
      (error: unknown) => {
        const isOurs = this.#undecided.has(arrival); // Else it is in the file by now, which answers for it.
        if (isOurs && isUnavailable(error) && !this.#closing.signal.aborted)
          return this.#divert(describe(error));
        this.#undecided.delete(arrival);
        if (isOurs) arrival.answer.reject(error);
      },
    );
  }

  #divert(cause: string): void {
    this.#lost(cause);
    this.#toSpool();
  }

  /** All that is undecided goes to the file, so that it stays in the order in which it came. */
  #toSpool(): void {
    this.#mode = "spool";
    const arrivals = [...this.#undecided];
    this.#undecided.clear();
    for (const arrival of arrivals) this.#spool(arrival);
  }

  #spool({ offer, atMs, answer }: Arrival): void {
    this.#spooled++;
    this.#count(1);
    const { id } = offer.event;
    const isNew = this.#kept.add(id, atMs);
    const notQueued = () => {
      if (isNew) this.#kept.remove(id);
      this.#count(-1);
    };
    const published = this.#deps.published();
    const write = this.#deps.file.inbox.accept(toEntry(offer, atMs)).then(
      (acceptance) => {
        const isQueued = acceptance.kind === "accepted" || (acceptance.kind === "refused" && acceptance.told);
        if (!isQueued) notQueued();
        if (acceptance.kind === "duplicate")
          this.#latecomers.came(offer, atMs, this.#kept.mayHold(offer.event.id));
        void published.then(() => answer.resolve(acceptance));
      },
      (error: unknown) => {
        notQueued();
        answer.reject(unavailable(`The store is away, and the spool failed: ${describe(error)}`, error));
      },
    );
    this.#writes.add(write);
    void write.then(async () => {
      this.#writes.delete(write);
      if (this.#mode === "spool") await this.#leaveEmptySpool();
    });
  }

  /** A settlement whose failure was reported may have been kept: then less waits than we think. */
  async #recount(): Promise<void> {
    if (this.#waiting === 0 || this.#writes.size > 0) return;
    const before = this.#spooled;
    const waiting = await countWaiting(this.#deps.file);
    if (this.#spooled === before) this.#count(waiting - this.#waiting);
  }

  /** A spool in which nothing could be written, or only duplicates, has nothing to forward that would find the store. */
  async #leaveEmptySpool(): Promise<void> {
    if (this.#waiting > 0 || this.#writes.size > 0) return;
    const before = this.#spooled;
    // A file that cannot even be read holds nothing that we know of.
    const waiting = await countWaiting(this.#deps.file).catch(() => 0);
    if (this.#mode !== "spool" || this.#spooled !== before) return;
    if (waiting === 0) this.#toStore();
    else this.#count(waiting - this.#waiting);
  }

  #toStore(): void {
    this.#mode = "store";
    this.#holdOver.abort();
    this.#kept.clear();
    this.#latecomers.allLeft();
    this.#count(-this.#waiting);
    for (const arrival of this.#held.splice(0)) this.#ask(arrival);
  }

  #watch(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    void this.#watchUndecided();
  }

  async #watchUndecided(): Promise<void> {
    const { signal } = this.#closing;
    while (this.#undecided.size > 0 && !signal.aborted) {
      await this.#deps.clock.sleep(TICK_MS, signal).catch(() => {});
      this.#tick++;
      const [oldest] = this.#undecided;
      const isOverdue = oldest !== undefined && this.#tick - oldest.tick >= PATIENCE_TICKS;
      if (isOverdue && !signal.aborted) this.#divert("it does not answer");
    }
    this.#isWatching = false;
  }

  #count(change: number): void {
    if (change === 0) return;
    // A write whose failure was reported may have been kept, and is then counted only as it goes.
    this.#waiting = Math.max(0, this.#waiting + change);
    this.#deps.onChange(this.#waiting);
  }

  #lost(cause: string): void {
    const { gate, clock, log } = this.#deps;
    if (!gate.areOffersFailing) {
      this.#lostAtMs = clock.nowMs();
      log(`The store takes no events (${cause}); they are spooled until it does`);
    }
    gate.offersFailed();
  }

  #found(): void {
    const { gate, clock, log } = this.#deps;
    if (!gate.areOffersFailing) return;
    const awaySeconds = Math.round((clock.nowMs() - this.#lostAtMs) / 1000);
    log(`The store takes events again after ${awaySeconds} s; ${this.#waiting} wait in the spool`);
    gate.offersWork();
  }
}
