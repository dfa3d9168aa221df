import type { Breakers } from "../domain/breaker.ts";
import { beforeChoices } from "../domain/choices.ts";
import { DeliveryError } from "../domain/errors.ts";
import { redacted, redactedPart } from "../domain/redact.ts";
import type { Delivery, Receipt, ReplyPart } from "../domain/reply.ts";
import type { Adapter, Render } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";
import type { Outbox } from "../ports/outbox.ts";
import type { Job } from "../ports/queue.ts";
import { messageOf } from "../shared/fault.ts";
import { eventIds } from "../telemetry/event-ids.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { countPause, partIdOf } from "./deliver.ts";
import { LeasePermit, type Leave } from "./permit.ts";
import { sendReserved } from "./send-reserved.ts";
import { GROWING } from "./texts.ts";

/** A quicker answer is said, and not shown before. */
const SHOWN_AFTER_MS = 500;
/** Of what a model says at once after it has thought for long, nothing is shown before it is whole; who waits sees the rest soon. */
const GATHERED_MS = 20;
/** Fewer say nothing yet. */
const CHARS_MIN = 20;
/** What comes after it is not shown: a message holds hardly more, and each preview is rendered anew. */
const CHARS_MAX = 3_000;

export interface PreviewsDeps {
  /** Names of those whose answers are shown. */
  readonly agents: ReadonlySet<string>;
  readonly render: Render;
  readonly clock: Pick<Clock, "nowMs" | "timer">;
  readonly metrics: Pick<Metrics, "previews" | "platform429" | "platformPauseSeconds">;
}

export interface ShowingDeps extends Leave {
  readonly outbox: Pick<Outbox, "reserve" | "record">;
  readonly breakers: Breakers;
  /** As in Delivery. */
  readonly follows?: boolean;
  readonly log: Logger;
}

type PreviewDeps = PreviewsDeps & ShowingDeps;

export class Previews {
  readonly #deps: PreviewsDeps;

  constructor(deps: PreviewsDeps) {
    this.#deps = deps;
  }

  /**
   * For one try at answering; undefined where nothing is ever shown before it is whole. The signal ends the job, not only the
   * run: who stops that is told in the place of the preview.
   */
  begin(
    job: Job,
    agent: string,
    adapter: Adapter,
    deps: ShowingDeps,
    signal: AbortSignal,
  ): Preview | undefined {
    if (adapter.edit === undefined || !this.#deps.agents.has(agent)) return undefined;
    return new Preview(job, adapter, { ...this.#deps, ...deps }, signal);
  }
}

/**
 * An answer while it grows, in one message that is changed now and then: the first part of the reply, which `deliver` then
 * changes into what is said in the end. One call at a time, and the latest text wins; what cannot be shown is left out,
 * and no reason for the run to wait or to fail. What was begun stays with the event: whoever goes on changes that message.
 */
export class Preview {
  readonly #job: Job;
  readonly #adapter: Adapter;
  readonly #deps: PreviewDeps;
  readonly #signal: AbortSignal;
  #text = "";
  /** The last that was looked at. */
  #markdown = "";
  #shown: ReplyPart | null = null;
  #receipt: Receipt | null = null;
  #notBeforeMs: number;
  #callOff: (() => void) | null = null;
  #changing: Promise<void> | null = null;
  #isOver = false;

  constructor(job: Job, adapter: Adapter, deps: PreviewDeps, signal: AbortSignal) {
    this.#job = job;
    this.#adapter = adapter;
    this.#deps = deps;
    this.#signal = signal;
    this.#notBeforeMs = deps.clock.nowMs() + SHOWN_AFTER_MS;
  }

  /** There is a message of it already. */
  get isOut(): boolean {
    return this.#receipt !== null;
  }

  /** All that was said so far of the answer that is being given; nothing: it is begun anew. */
  show(text: string): void {
    if (this.#isOver || text === "") return;
    const isFirst = this.#text === "";
    this.#text = text;
    if (this.#callOff !== null || this.#changing !== null) return;
    // Asked for no moment before: most answers are there by then.
    if (isFirst) this.#after(Math.max(GATHERED_MS, this.#leftMs()), () => this.#plan());
    else this.#plan();
  }

  /** What is on its way comes to its end, and nothing follows before there is more to show: something else is said now. */
  async pause(): Promise<void> {
    do {
      this.#callOff?.();
      this.#callOff = null;
      // It may have planned the next.
      await this.#changing;
    } while (this.#callOff !== null || this.#changing !== null);
  }

  /** Nothing is shown after this has resolved, and what was on its way has come to its end. */
  async end(): Promise<void> {
    this.#isOver = true;
    this.#callOff?.();
    this.#callOff = null;
    await this.#changing;
  }

  /** There is something new: it is shown at the next moment that the platform has for it. */
  #plan(): void {
    const inMs = this.#adapter.previewInMs?.(this.#job.event.replyTo, this.#receipt === null) ?? null;
    if (inMs === null) {
      this.#isOver = true;
      return;
    }
    this.#after(Math.max(inMs, this.#leftMs()), () => {
      const text = this.#text;
      this.#changing = this.#change().then(() => {
        this.#changing = null;
        if (!this.#isOver && this.#text !== text) this.#plan();
      });
    });
  }

  #leftMs(): number {
    return this.#notBeforeMs - this.#deps.clock.nowMs();
  }

  #after(ms: number, then: () => void): void {
    if (ms <= 0) {
      then();
      return;
    }
    this.#callOff = this.#deps.clock.timer(ms, () => {
      this.#callOff = null;
      then();
    });
  }

  /** Never rejects. */
  async #change(): Promise<void> {
    try {
      const part = await this.#next();
      if (part !== null && this.#mayShow()) await this.#put(part);
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Null: there is nothing new, or it does not fit into one message any more. */
  async #next(): Promise<ReplyPart | null> {
    const { render } = this.#deps;
    const { shownCharsMax } = this.#adapter;
    const markdown = growing(beforeChoices(this.#text), shownCharsMax);
    if (markdown === this.#markdown || markdown.length < CHARS_MIN) return null;
    this.#markdown = markdown;
    const { replyTo } = this.#job.event;
    const to = this.#adapter.growingAt?.(replyTo) ?? replyTo;
    const [rendered, ...more] = await render(this.#adapter, markdown, to);
    if (rendered === undefined || (more.length > 0 && shownCharsMax === undefined)) return null;
    const part = redactedPart(rendered);
    return part === this.#shown ? null : part;
  }

  #mayShow(): boolean {
    return !this.#isOver && this.#deps.breakers.of(this.#adapter.platform).state() === "closed";
  }

  async #put(part: ReplyPart): Promise<void> {
    if (this.#receipt === null) await this.#begin(part);
    else await this.#edit(part, this.#receipt);
  }

  async #begin(part: ReplyPart): Promise<void> {
    const { outbox } = this.#deps;
    const { partId } = this.#delivery(part);
    const reservation = await outbox.reserve(this.#job, partId);
    if (reservation.kind === "shown") return await this.#edit(part, reservation.receipt);
    if (reservation.kind !== "fresh") {
      this.#isOver = true;
      return;
    }
    if (this.#isOver) return await outbox.record(partId, "not-sent");
    const delivery = this.#delivery(part, reservation.sendsBefore);
    const receipt = await sendReserved(delivery, this.#adapter, this.#deps, this.#signal);
    this.#receipt = receipt;
    this.#shown = part;
    await outbox.record(partId, { kind: "shown", receipt });
    this.#count("shown");
    this.#deps.log.info({ ...this.#about, via: receipt.via }, "reply.shown");
  }

  async #edit(part: ReplyPart, before: Receipt): Promise<void> {
    const permit = new LeasePermit(this.#deps);
    await permit.renew();
    const receipt = await this.#adapter.edit?.(before, this.#delivery(part), this.#signal, permit);
    // One that was deleted is for `deliver` to find.
    if (receipt === undefined || receipt === "gone") {
      this.#endAs("gone");
      return;
    }
    this.#receipt = before;
    this.#shown = part;
    this.#count("edited");
  }

  #delivery(part: ReplyPart, sendsBefore = 0): Delivery {
    const { event } = this.#job;
    const follows = this.#deps.follows === true ? { follows: true as const } : {};
    return {
      ...follows,
      partId: partIdOf(this.#job, 0),
      to: event.replyTo,
      part,
      index: 0,
      sendsBefore,
      mayRepeat: false,
      isGrowing: true,
    };
  }

  #failed(error: unknown): void {
    if (!(error instanceof DeliveryError) || error.kind !== "retry") {
      const cause = messageOf(error);
      if (!this.#signal.aborted) this.#deps.log.warn({ ...this.#about, cause }, "reply.preview_failed");
      this.#endAs("failed");
      return;
    }
    if (error.status !== 429) {
      this.#count("failed");
      return;
    }
    const { clock, metrics } = this.#deps;
    this.#notBeforeMs = clock.nowMs() + (error.retryAfterMs ?? 0);
    countPause(error, this.#adapter.platform, metrics);
    this.#count("throttled");
  }

  #endAs(outcome: "gone" | "failed"): void {
    this.#isOver = true;
    this.#count(outcome);
  }

  #count(outcome: "shown" | "edited" | "throttled" | "gone" | "failed"): void {
    this.#deps.metrics.previews.inc({ platform: this.#adapter.platform, outcome });
  }

  get #about() {
    const { event } = this.#job;
    return {
      ...eventIds(event),
      conversation_id: event.conversation,
      platform: this.#adapter.platform,
    };
  }
}

/** What ends like this is the end of a block, or a mark of one: more behind it would be read as a part of that. */
const BLOCK_END = /(?:^|\n)[ >]*(?:(?:[`~|=_*-]{3,}|\|)[^\n]*|#{1,6})$/;

/** What may be shown of a text that goes on: whole words, because the beginning of one may be that of a secret. */
export function growing(text: string, charsMax = CHARS_MAX): string {
  const start = text.slice(0, charsMax);
  let end = start.length;
  while (end > 0 && isOfWord(start.charCodeAt(end - 1))) end--;
  const words = redacted(start.slice(0, end).trimEnd().toWellFormed());
  return words === "" ? "" : `${words}${BLOCK_END.test(words) ? "\n\n" : " "}${GROWING}`;
}

/** Of a script that has blanks between its words, and of what keys are made of. */
function isOfWord(code: number): boolean {
  return code > 0x20 && code < 0x7f;
}
