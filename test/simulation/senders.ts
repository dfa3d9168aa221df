import type { SampleRequest } from "../../adapters/shared/sample.ts";
import type { Reception } from "../../src/ingress/reception.ts";
import { rawRequest } from "../contract/raw-request.ts";
import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";
import type { Gateway } from "./gateway.ts";
import type { Life } from "./life.ts";
import { forged, requestFor, signedAt, twinOf } from "./requests.ts";
import type { VirtualTime } from "./time.ts";
import type { Moment, Witness } from "./witness.ts";
import type { Forgery, Message, Workload } from "./workload.ts";

/** The slowest platform gives up on a request after this. */
const TIMEOUT_MS = 3_000;

/** The process that takes requests. */
export interface Receiver {
  readonly life: Life;
  /** Null until it has started. */
  gateway: Gateway | null;
  /** Requests that are open: they break when the process ends. */
  readonly open: Set<() => void>;
}

export interface SendersOptions {
  readonly dice: Dice;
  readonly faults: Faults;
  readonly time: VirtualTime;
  readonly witness: Witness;
  /** The processes that are there. */
  readonly receivers: () => readonly Receiver[];
}

type Answer = number | "no answer";

/** The near side of the platforms: they deliver what people write, again and again until it is acknowledged. */
export class Senders {
  /** Deliveries not yet acknowledged. */
  undelivered = 0;
  readonly #options: SendersOptions;
  /** When the first delivery of a message, answered or not, was sent. */
  readonly #firstIssue = new Map<Message, Moment>();

  constructor(options: SendersOptions) {
    this.#options = options;
  }

  schedule({ messages, forgeries }: Workload): void {
    const { time } = this.#options;
    for (const message of messages) {
      this.undelivered += 1 + message.copies.length;
      time.after(message.atMs, () => this.#send(message));
    }
    for (const forgery of forgeries) time.after(forgery.atMs, () => void this.#forge(forgery));
  }

  #send(message: Message): void {
    const first = requestFor(message, this.#options.time.nowMs());
    void this.#deliver(message, first);
    for (const { afterMs, isTwin } of message.copies) {
      const copy = isTwin ? twinOf(first) : first;
      this.#options.time.after(afterMs, () => void this.#deliver(message, copy));
    }
  }

  /** Again and again until it is acknowledged, each time to another process where there is one. */
  async #deliver(message: Message, request: SampleRequest): Promise<void> {
    let receiver: Receiver | null = null;
    for (;;) {
      receiver = this.#receiver(receiver);
      const status = await this.#post(message, request, receiver);
      if (status === 200) break;
      if (typeof status === "number" && status !== 503) {
        this.#options.witness.violate(`a genuine delivery of ${message.sample.id} was answered ${status}`);
        break;
      }
      await this.#pause(this.#options.dice.between(500, 20_000));
    }
    this.undelivered--;
  }

  async #forge(forgery: Forgery): Promise<void> {
    const request = forged(forgery, this.#options.time.nowMs());
    const receiver = this.#receiver(null);
    if (!receiver?.gateway) return;
    const { ack } = await receiver.gateway.receive(this.#raw(request), forgery.platform);
    if (ack.status !== 401) this.#options.witness.violate(`${forgery.how} was answered ${ack.status}`);
  }

  #receiver(last: Receiver | null): Receiver | null {
    const all = this.#options.receivers();
    const others = all.filter((receiver) => receiver !== last);
    const choices = others.length > 0 ? others : all;
    return choices.length > 0 ? this.#options.dice.pick(choices) : null;
  }

  #post(message: Message, request: SampleRequest, receiver: Receiver | null): Promise<Answer> {
    const gateway = receiver?.gateway;
    if (!receiver || !gateway) return Promise.resolve("no answer");
    const issued = this.#firstIssue.get(message) ?? this.#options.witness.moment();
    this.#firstIssue.set(message, issued);
    const signed = signedAt(request, message.platform, this.#options.time.nowMs());
    return new Promise((resolve) => {
      const answer = (status: Answer) => {
        cancel();
        receiver.open.delete(breakOff);
        resolve(status);
      };
      const breakOff = () => answer("no answer");
      const cancel = this.#options.time.after(TIMEOUT_MS, breakOff);
      receiver.open.add(breakOff);
      receiver.life.reach(() => {
        this.#receive(receiver.life, gateway, message, signed, issued).then(answer, (error: unknown) => {
          this.#options.witness.violate(`receive threw ${String(error)}`);
          answer(500);
        });
      });
    });
  }

  async #receive(
    life: Life,
    gateway: Gateway,
    message: Message,
    request: SampleRequest,
    issued: Moment,
  ): Promise<Answer> {
    const wasKnown = this.#isKnown(message);
    const reception = await gateway.receive(this.#raw(request), message.platform);
    await life.pass("ack");
    this.#options.witness.note(`${message.sample.id}: ${reception.outcome} ${reception.reason ?? ""}`);
    if (reception.ack.status === 200) this.#acknowledged(message, reception, { issued, wasKnown });
    return this.#options.faults.ack() === "lost" ? "no answer" : reception.ack.status;
  }

  #acknowledged(
    { isFollowUp, sample }: Message,
    { outcome, eventId, conversation }: Reception,
    { issued, wasKnown }: { issued: Moment; wasKnown: boolean },
  ): void {
    if (outcome === "ignored") {
      if (!isFollowUp || wasKnown) this.#options.witness.violate(`${sample.id} was ignored`);
      return;
    }
    if (eventId === undefined || conversation === undefined)
      this.#options.witness.violate(`${sample.id} was acknowledged as ${outcome}`);
    else
      this.#options.witness.acked.push({
        acked: this.#options.witness.moment(),
        issued,
        eventId,
        conversation,
        mayVanish: outcome === "refused" || (isFollowUp && !wasKnown),
      });
  }

  #isKnown({ sample: { channel, thread } }: Message): boolean {
    return this.#options.witness.known.has(`slack:T1:${channel}:${thread}`);
  }

  #raw(request: SampleRequest) {
    return rawRequest(request, { nowMs: this.#options.time.nowMs() });
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.time.after(ms, resolve);
    });
  }
}
