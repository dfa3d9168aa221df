import { decisionOn } from "../../src/domain/approval.ts";
import type { ReplyAddress } from "../../src/domain/event.ts";
import type { Delivery } from "../../src/domain/reply.ts";
import type { Progress } from "../../src/domain/run.ts";
import type { Job, Settlement } from "../../src/ports/queue.ts";
import { Joins } from "./joins.ts";
import { Terms } from "./terms.ts";
import type { VirtualTime } from "./time.ts";

/** One message as a person saw it. */
export interface Said {
  readonly order: number;
  readonly eventId: string;
  readonly index: number;
  readonly text: string;
  readonly to: string;
  readonly isMarked: boolean;
}

/** In the order of all that happened, and by the clocks. */
export interface Moment {
  readonly order: number;
  readonly atMs: number;
}

/** One delivery of a message, as its platform saw it. */
export interface Acked {
  readonly acked: Moment;
  /** When the first delivery was sent. */
  readonly issued: Moment;
  readonly eventId: string;
  readonly conversation: string;
  /** If a spool took it: refused, or for a conversation that may be none, it leaves no record in the store. */
  readonly mayVanish: boolean;
}

export interface Claimed extends Pick<Job, "event" | "progress" | "refusal" | "attempt"> {
  /** The ids of what was joined to it before. */
  readonly joined: readonly string[];
}

/** A run that is under way. */
interface Work {
  readonly eventId: string;
  readonly lane: string;
  readonly life: number;
}

/**
 * Sees everything that leaves the process, and says at once what must never happen. Lives outside all processes: what
 * one of them forgets, this remembers.
 */
export class Witness {
  readonly trace: string[] = [];
  readonly violations: string[] = [];
  readonly said: Said[] = [];
  /** Where those were told who wait for a model that is away, by their event. */
  readonly waits = new Map<string, ReplyAddress>();
  /** US cents that the provider may charge for. */
  spentCents = 0;
  readonly acked: Acked[] = [];
  /** When each event was ended, in the order of all that happened. */
  readonly ended = new Map<string, number>();
  /** Conversations of which an event has been claimed. */
  readonly known = new Set<string>();
  /** Resets that were begun; true: and heard of. */
  readonly resets = new Map<string, boolean>();
  /** Why each event that was claimed only to be refused was. */
  readonly refusals = new Map<string, string>();
  /** Events with which a process went on after another had taken them over. */
  readonly outrun = new Set<string>();
  readonly joins = new Joins((what) => this.violate(what));
  readonly terms = new Terms((what) => this.violate(what));
  /** Questions, and what was told of those that nobody decided. */
  readonly asides = new Map<string, readonly { readonly isMarked: boolean }[]>();
  previews = 0;
  grants = 0;
  parkings = 0;
  crashes = 0;
  drains = 0;
  freezes = 0;
  /** Calls of the store that failed, or were not heard of. */
  storeFaults = 0;
  readonly #time: VirtualTime;
  #order = 0;
  readonly #troubles = new Map<string, string[]>();
  #active: readonly Work[] = [];
  /** Which process claimed an event last. */
  readonly #holders = new Map<string, number>();
  readonly #durable = new Map<string, Progress>();
  readonly #modelCalls = new Map<string, number>();
  /** By which process an answer was heard. */
  readonly #answered = new Map<string, number>();
  readonly #texts = new Map<string, string>();
  readonly #toolRuns = new Map<string, number>();
  readonly #attempts = new Map<string, number>();
  /** What is known about the last send of a part: `open` until somebody knows what became of it. */
  readonly #parts = new Map<string, { readonly state: "open" | "closed"; readonly losses: number }>();
  readonly #inDoubt = new Set<string>();

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  note(what: string): void {
    this.trace.push(`${this.#time.nowMs()} ${what}`);
  }

  violate(what: string): void {
    this.note(`VIOLATION ${what}`);
    this.violations.push(what);
  }

  next(): number {
    return this.#order++;
  }

  moment(): Moment {
    return { order: this.next(), atMs: this.#time.nowMs() };
  }

  /** What may make this event be tried again, or fail. */
  trouble(eventId: string, what: string): void {
    this.note(`trouble ${what} for ${eventId}`);
    this.#troubles.set(eventId, [...this.troublesOf(eventId), what]);
  }

  /** The same, for everything that runs. */
  troubleForAll(what: string): void {
    for (const { eventId } of this.#active) this.trouble(eventId, what);
  }

  storeFailed(how: string): void {
    this.note(how);
    this.storeFaults++;
  }

  troublesOf(eventId: string): readonly string[] {
    return this.#troubles.get(eventId) ?? [];
  }

  /** How often this event may have been tried again: each trouble, and all that may cost a process its lease. */
  retriesExplained(eventId: string): number {
    return this.troublesOf(eventId).length + this.crashes + this.freezes + this.storeFaults;
  }

  /** Whether another process has this event since. What one does then must be without effect. */
  isOutrun(eventId: string, life: number): boolean {
    const isOutrun = this.#holders.get(eventId) !== life;
    if (isOutrun) this.outrun.add(`${eventId} of ${life}`);
    return isOutrun;
  }

  /** One that was outrun may go on beside its follower, until it is told. */
  workBegan({ lane, event: { id: eventId } }: Job, life: number): void {
    const isLate = this.isOutrun(eventId, life);
    const beside = this.#active.find(
      (other) =>
        other.lane === lane && (other.life === life || !(isLate || this.isOutrun(other.eventId, other.life))),
    );
    if (beside !== undefined) this.violate(`${eventId} runs beside ${beside.eventId} in the lane ${lane}`);
    this.#active = [...this.#active, { eventId, lane, life }];
  }

  workEnded({ event: { id: eventId } }: Job, life: number): void {
    this.#active = this.#active.filter((work) => work.eventId !== eventId || work.life !== life);
  }

  processEnded(life: number): void {
    this.#active = this.#active.filter((work) => work.life !== life);
  }

  claimed(job: Claimed, life: number): void {
    const { event, progress, refusal, attempt, joined } = job;
    this.joins.claimed(event.id, joined);
    this.#texts.set(event.id, event.text);
    const attempts = this.#attempts.get(event.id) ?? 0;
    // A deferral that reached the disk, but was reported to have failed, is repeated and counts twice.
    if (attempt <= attempts - this.storeFaults)
      this.violate(`${event.id} was claimed as attempt ${attempt} after attempt ${attempts}`);
    this.#attempts.set(event.id, attempt);
    if (this.#holders.get(event.id) !== life)
      for (const key of this.#answered.keys())
        if (key.startsWith(`${event.id} round `)) this.#answered.delete(key);
    this.#holders.set(event.id, life);
    if (refusal === null) this.known.add(event.conversation);
    else this.refusals.set(event.id, refusal.cause);
    const before = this.#durable.get(event.id);
    if (before !== undefined && !continues(before, progress))
      this.violate(`${event.id} was claimed without progress that had been recorded`);
    if (progress !== null) this.#durable.set(event.id, progress);
  }

  /** Also if nobody hears whether it was stored. */
  settling(eventId: string, kind: Settlement["kind"], attempt: number): void {
    this.note(`settle ${eventId}: ${kind}`);
    if (kind === "park") this.parkings++;
    if (kind === "defer" || kind === "park") this.#attempts.set(eventId, attempt - 1);
    if (kind !== "defer" && kind !== "park" && kind !== "retry") this.ended.set(eventId, this.next());
  }

  joined(eventId: string, ids: readonly string[]): void {
    if (ids.length > this.joins.of(eventId).length) this.note(`joined to ${eventId}: ${ids.join(" ")}`);
    this.joins.joined(eventId, ids);
  }

  /** What the person wrote. */
  textOf(eventId: string): string {
    return this.#texts.get(eventId) ?? "";
  }

  /** A claim that nobody got is not counted. */
  handedBack(eventId: string, attempt: number): void {
    this.#attempts.set(eventId, attempt - 1);
  }

  recorded(eventId: string, progress: Progress): void {
    const before = this.#durable.get(eventId);
    if (before !== undefined && before.runId !== progress.runId)
      this.violate(`${eventId} has a second run: ${before.runId}, then ${progress.runId}`);
    this.#durable.set(eventId, progress);
  }

  modelCalled(eventId: string, round: number, life: number): void {
    this.note(`model call for ${eventId}, round ${round}`);
    const progress = this.#durable.get(eventId);
    const recorded = progress?.steps.filter(({ kind }) => kind === "model").length ?? 0;
    if (!this.isOutrun(eventId, life)) {
      if (progress?.answer) this.violate(`${eventId}: the model was called after its answer was recorded`);
      else if (round !== recorded)
        this.violate(`${eventId}: the model was called for round ${round}, with ${recorded} rounds recorded`);
    }
    if (this.#answered.get(`${eventId} round ${round}`) === life)
      this.violate(`${eventId}: a process called the model again for round ${round}, which it had answered`);
    this.#count(this.#modelCalls, `${eventId} round ${round}`, "model calls", eventId);
  }

  /** What the provider may charge for, told when it is asked, and corrected when it tells. */
  maySpend(cents: number): void {
    this.spentCents += cents;
  }

  /** What a process has heard it knows, whether its store takes it or not; unless another has had the event since. */
  modelAnswered(eventId: string, round: number, life: number): void {
    if (!this.isOutrun(eventId, life)) this.#answered.set(`${eventId} round ${round}`, life);
  }

  toolRan(eventId: string, callId: string, repeatable: boolean, life: number): void {
    this.note(`tool ${callId} runs for ${eventId}`);
    const steps = this.#durable.get(eventId)?.steps ?? [];
    if (!this.isOutrun(eventId, life) && steps.some((step) => step.kind === "tool" && step.callId === callId))
      this.violate(`${eventId}: the tool call ${callId} was made again after its result was recorded`);
    if (!repeatable && this.#toolRuns.has(callId)) this.violate(`${eventId}: ${callId} was paid for twice`);
    this.#count(this.#toolRuns, callId, "tool runs", eventId);
  }

  /** Only what somebody has approved, and that was recorded before. */
  granted(eventId: string, callId: string, life: number): void {
    this.grants++;
    const steps = this.#durable.get(eventId)?.steps ?? [];
    const asked = steps.find((step) => step.kind === "tool-asked" && step.callId === callId);
    const decided = asked?.kind === "tool-asked" ? decisionOn(asked, steps) : null;
    if (decided?.verdict !== "approved" && !this.isOutrun(eventId, life))
      this.violate(`${eventId}: ${callId} was granted, but ${decided?.verdict ?? "nobody was asked"}`);
  }

  /** About to be sent: the gateway is in doubt if it cannot know what became of the send before. */
  partReserved(partId: string): void {
    const part = this.#parts.get(partId);
    // What was known may have been lost on the way to the store.
    if (part !== undefined && (part.state === "open" || part.losses < this.#losses()))
      this.#inDoubt.add(partId);
    this.#parts.set(partId, { state: "open", losses: this.#losses() });
  }

  /** The platform answered: said, or certainly not said this time. */
  partClosed(partId: string): void {
    this.#parts.set(partId, { state: "closed", losses: this.#losses() });
  }

  /** The platform was asked, and knows nothing of this part. */
  partAbsent(partId: string): void {
    this.#inDoubt.delete(partId);
  }

  #losses(): number {
    return this.crashes + this.freezes + this.storeFaults + this.drains;
  }

  sending({ partId, mayRepeat }: Delivery, what: string): void {
    this.note(`send ${partId}${mayRepeat ? " marked" : ""}: ${what}`);
    if (mayRepeat && !this.#inDoubt.has(partId)) this.violate(`${partId} was marked without any doubt`);
  }

  heard(eventId: string, { partId, index, mayRepeat, part: text, to }: Delivery, life: number): void {
    this.note(`said ${partId}${mayRepeat ? " marked" : ""}: ${text}`);
    const earlier = this.said.filter((said) => said.eventId === eventId && said.index === index);
    // One that lost its lease as it began to say it knows of no doubt; whoever followed it has marked the copy.
    const isMarkedElsewhere = this.isOutrun(eventId, life) && earlier.every(({ isMarked }) => isMarked);
    if (earlier.length > 0 && !mayRepeat && !isMarkedElsewhere)
      this.violate(`${partId} was said twice without a mark`);
    if (earlier.some((said) => said.text !== text)) this.violate(`${partId} was said in two versions`);
    this.said.push({ order: this.next(), eventId, index, text, to, isMarked: mayRepeat });
  }

  /** An answer that is not whole yet: of each part one, and none beside the answer, unless that is marked. */
  previewSeen(eventId: string, { partId, index, part: text }: Delivery, life: number): void {
    this.note(`shown ${partId}: ${text}`);
    this.previews++;
    const isSaid = this.said.some(
      (said) => said.eventId === eventId && said.index === index && !said.isMarked,
    );
    if (isSaid && !this.isOutrun(eventId, life)) this.violate(`${partId} was shown beside its answer`);
  }

  /** A line to whoever waits for a model that is away: once, or not at all, and never after the answer. */
  waitHeard(eventId: string, { partId, part: text, to }: Delivery, life: number): void {
    this.note(`said ${partId}: ${text}`);
    if (this.waits.has(eventId)) this.violate(`${partId} was said twice`);
    const isAnswered = this.said.some((said) => said.eventId === eventId);
    // What a process has sent before another took its place may come late.
    if (isAnswered && !this.isOutrun(eventId, life)) this.violate(`${partId} was said after the answer`);
    this.waits.set(eventId, to);
  }

  /** What is no part of the answer: once, unless it is marked, and never after the answer. */
  asideHeard(eventId: string, { partId, mayRepeat, part: text }: Delivery, life: number): void {
    this.note(`said ${partId}${mayRepeat ? " marked" : ""}: ${text}`);
    const earlier = this.asides.get(partId) ?? [];
    const isLate = this.isOutrun(eventId, life);
    if (earlier.length > 0 && !mayRepeat && !(isLate && earlier.every(({ isMarked }) => isMarked)))
      this.violate(`${partId} was said twice without a mark`);
    if (this.said.some((said) => said.eventId === eventId) && !isLate)
      this.violate(`${partId} was said after the answer`);
    this.asides.set(partId, [...earlier, { isMarked: mayRepeat }]);
  }

  #count(counts: Map<string, number>, key: string, what: string, eventId: string): void {
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    // A drain uses up no attempt, nor does what interrupts it, but what is broken off is begun again.
    const allowed = 1 + this.retriesExplained(eventId) + this.drains + this.joins.of(eventId).length;
    if (count > allowed) this.violate(`${key}: ${count} ${what}, but only ${allowed} are explained`);
  }
}

/** Once an answer is recorded, the steps that led to it may go. */
function continues(before: Progress, now: Progress | null): boolean {
  if (now === null || now.runId !== before.runId) return false;
  return now.answer !== null || (before.answer === null && done(now) >= done(before));
}

/** A call that was begun may be taken back: when it has certainly cost nothing. */
function done({ steps }: Progress): number {
  return steps.filter(({ kind }) => kind !== "model-started").length;
}
