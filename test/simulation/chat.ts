import { KeyedSlots } from "../../adapters/shared/pace.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { Delivery, Receipt, ReplyPart } from "../../src/domain/reply.ts";
import type { Adapter } from "../../src/ports/adapter.ts";
import { GROWING } from "../../src/reply/texts.ts";
import type { Permit } from "../../src/shared/call.ts";
import type { Dice } from "./dice.ts";
import type { Faults, SendFate } from "./faults.ts";
import type { Life } from "./life.ts";
import { PART_MARK } from "./script.ts";
import type { VirtualTime } from "./time.ts";
import type { Witness } from "./witness.ts";

/**
 * What can be found out about a message that may have been said: it can be looked up (Slack), the platform refuses a
 * copy (Discord), or nothing (Telegram, WhatsApp).
 */
export type Memory = "lookup" | "refuses-copies" | "nothing";

/** Longest way of a message to its platform. A process that follows a dead one starts later than that. */
export const WAY_MS_MAX = 300;
const CONNECT_MS_MAX = 50;
const SLOW_MS_MAX = 45_000;
const PREVIEW_EVERY_MS = 1_100;
/** Somebody deletes a message before it is whole. */
const DELETED_SHARE = 0.05;

/** What becomes of a message that is on its way when its sender dies. */
export type OnTheWay = "arrives" | "is lost" | "either";

export interface ChatOptions {
  readonly onTheWay: OnTheWay;
  readonly recovery: Memory;
  readonly dice: Dice;
  readonly faults: Faults;
  readonly time: VirtualTime;
  readonly witness: Witness;
}

/** The far side of one platform: what was said there, and what one may ask about it. Outlives all processes. */
export class Chat {
  readonly #options: ChatOptions;
  /** By their ids, those that were deleted too. */
  readonly #messages = new Map<string, Message>();

  constructor(options: ChatOptions) {
    this.#options = options;
  }

  /** The real adapter's way in, with this platform behind its way out. */
  adapter(real: Adapter, life: Life): Adapter {
    const slots = new KeyedSlots();
    return {
      platform: real.platform,
      webhook: real.webhook,
      screen: (head) => real.screen(head),
      verify: (request) => real.verify(request),
      parse: (request) => real.parse(request),
      render: (markdown) => markdown.split(PART_MARK) as ReplyPart[],
      send: (delivery, signal, permit) =>
        life.call("send", async () => {
          await this.#connect(life, signal, permit);
          return await this.#send(delivery, life, signal);
        }),
      ...(this.#options.recovery !== "refuses-copies" &&
        real.edit !== undefined && {
          previewInMs: (to) => slots.take(to, PREVIEW_EVERY_MS, life.clock.nowMs()),
          edit: (receipt, delivery, signal, permit) =>
            life.call("edit", async () => {
              await this.#connect(life, signal, permit);
              return await this.#edit(receipt, delivery, life, signal);
            }),
        }),
      recover: (delivery, signal) => life.call("recover", () => this.#recover(delivery, life, signal)),
      async typing(_to, signal) {
        while (!signal.aborted) await life.clock.sleep(5_000, signal).catch(() => {});
      },
    };
  }

  /** Takes a while, in which the process may be stopped; when the connection stands, the first byte leaves at once. */
  async #connect(life: Life, signal: AbortSignal, permit: Permit | undefined): Promise<void> {
    try {
      await life.clock.sleep(this.#options.dice.between(0, CONNECT_MS_MAX), signal);
    } catch {
      throw new DeliveryError("retry", "broken off before it began");
    }
    await life.pass("connection stands");
    while (permit !== undefined && permit.leftMs() <= 0) await permit.renew();
  }

  async #send(delivery: Delivery, life: Life, signal: AbortSignal) {
    const { witness } = this.#options;
    const messageId = `${delivery.partId}#${this.#messages.size}`;
    const fate = this.#fateOf(delivery);
    witness.sending(delivery, fate);
    const closed = () => witness.partClosed(delivery.partId);
    await this.#call({ fate, life, signal, closed }, () => this.#hear(messageId, delivery, life));
    return { messageId, via: "simulated" };
  }

  /** The same words twice are one, so it is never in doubt. */
  async #edit(receipt: Receipt, delivery: Delivery, life: Life, signal: AbortSignal) {
    const { witness, dice } = this.#options;
    const message = this.#messages.get(receipt.messageId ?? "");
    if (message === undefined) throw new Error(`Expected a message to edit, got ${receipt.messageId}`);
    witness.partClosed(delivery.partId);
    const fate = this.#fateOf(delivery);
    if (message.state === "preview" && dice.chance(DELETED_SHARE)) message.state = "deleted";
    witness.note(`edit ${receipt.messageId}, ${message.state}: ${fate}`);
    await this.#call({ fate, life, signal, closed: () => {} }, () => this.#change(message, delivery, life));
    return message.state === "deleted" ? ("gone" as const) : { ...receipt, via: "simulated edit" };
  }

  #fateOf(delivery: Delivery): SendFate {
    const { faults, witness } = this.#options;
    const fate = faults.send();
    if (fate !== "ok" && fate !== "slow") witness.trouble(eventOf(delivery), `send ${fate}`);
    return fate;
  }

  /** `arrive` is what comes of it; `closed`, when it is known whether it came to anything. */
  async #call({ fate, life, signal, closed }: OnItsWay, arrive: () => void): Promise<void> {
    const { dice, time, onTheWay } = this.#options;
    const wayMs = dice.between(1, WAY_MS_MAX);
    const refusal = refusalOf(fate, dice);
    const outlivesSender = onTheWay === "arrives" || (onTheWay === "either" && dice.chance(0.5));
    if (refusal === null && fate !== "vanished") {
      time.after(wayMs, () => {
        if (life.isAlive || outlivesSender) arrive();
      });
    }
    await this.#wait(wayMs, life, signal);
    await life.pass("send arrives");
    if (refusal !== null) {
      closed();
      throw refusal;
    }
    if (fate === "lost" || fate === "vanished") throw new DeliveryError("unknown", "the connection was lost");
    await this.#wait(fate === "slow" ? dice.between(1_000, SLOW_MS_MAX) : dice.between(1, 200), life, signal);
    closed();
  }

  /** Breaks off as a real client does: nobody knows what became of the message. */
  async #wait(ms: number, life: Life, signal: AbortSignal): Promise<void> {
    try {
      await life.clock.sleep(ms, signal);
    } catch (cause) {
      throw new DeliveryError("unknown", "broken off", { cause });
    }
  }

  async #recover(delivery: Delivery, life: Life, signal: AbortSignal) {
    const { recovery, dice, witness } = this.#options;
    if (recovery === "nothing") return "unknown";
    if (recovery === "lookup") await life.clock.sleep(dice.between(1, 500), signal).catch(() => {});
    if (signal.aborted) return "unknown";
    const [messageId] = this.#ofPart(delivery.partId);
    if (recovery === "lookup" && messageId !== undefined) return { messageId, via: "simulated" };
    // What was looked for and not found may still be on its way: whoever says it again may mark it, or not.
    if (recovery === "lookup") return "absent";
    witness.partAbsent(delivery.partId);
    return "repeatable";
  }

  #hear(messageId: string, delivery: Delivery, life: Life): void {
    const { recovery, witness } = this.#options;
    const isCopy = this.#ofPart(delivery.partId).length > 0;
    const state = isPreview(delivery) ? "preview" : "final";
    this.#lookAside(delivery, life);
    this.#messages.set(messageId, { partId: delivery.partId, state });
    if (isCopy && recovery === "refuses-copies") witness.note(`copy of ${delivery.partId} refused`);
    else if (isWaitLine(delivery.partId)) witness.waitHeard(eventOf(delivery), delivery, life.number);
    else if (isAside(delivery.partId)) witness.asideHeard(eventOf(delivery), delivery, life.number);
    else if (state === "preview") witness.previewSeen(eventOf(delivery), delivery, life.number);
    else witness.heard(eventOf(delivery), delivery, life.number);
  }

  /** Nothing stands beside a preview, unless it says that it may be a repeat. */
  #lookAside(delivery: Delivery, life: Life): void {
    const { witness } = this.#options;
    const isBeside = this.previewsLeft.includes(delivery.partId);
    if (isBeside && !delivery.mayRepeat && !witness.isOutrun(eventOf(delivery), life.number))
      witness.violate(`${delivery.partId} was sent beside its preview`);
  }

  #change(message: Message, delivery: Delivery, life: Life): void {
    const { witness } = this.#options;
    const eventId = eventOf(delivery);
    if (message.state === "deleted") return;
    if (isPreview(delivery)) {
      const isOver = message.state === "final" && !witness.isOutrun(eventId, life.number);
      if (isOver) witness.violate(`${delivery.partId} is no answer any more, but what was shown before it`);
      return;
    }
    // One that said this already says it still.
    if (message.state === "final") return;
    message.state = "final";
    witness.heard(eventId, delivery, life.number);
  }

  #ofPart(partId: string): string[] {
    return [...this.#messages].flatMap(([id, message]) =>
      message.partId === partId && message.state !== "deleted" ? [id] : [],
    );
  }

  /** Parts of which a message stands there that is no answer. */
  get previewsLeft(): readonly string[] {
    return [...this.#messages.values()].flatMap(({ state, partId }) => (state === "preview" ? [partId] : []));
  }
}

interface Message {
  readonly partId: string;
  state: "preview" | "final" | "deleted";
}

interface OnItsWay {
  readonly fate: SendFate;
  readonly life: Life;
  readonly signal: AbortSignal;
  readonly closed: () => void;
}

function isPreview({ part }: Delivery): boolean {
  return part.endsWith(GROWING);
}

/** A part is named after its event: `…/0`, in a notice `…/notice/0`, a line to whoever waits `…/wait`, a question `…/ask/1/0`. */
function eventOf({ partId }: Delivery): string {
  return partId.replace(/(\/notice|\/ask\/\d+(\/expired)?)?\/\d+$|\/wait$/, "");
}

/** What was asked, or that nobody has decided. */
export function isAside(partId: string): boolean {
  return /\/ask\/\d+(\/expired)?\/\d+$/.test(partId);
}

export function isWaitLine(partId: string): boolean {
  return partId.endsWith("/wait");
}

function refusalOf(fate: SendFate, dice: Dice): DeliveryError | null {
  switch (fate) {
    case "busy":
      return new DeliveryError("retry", "429", { status: 429, retryAfterMs: dice.between(1_000, 30_000) });
    case "broken":
      return new DeliveryError("retry", "500", { status: 500 });
    case "unreachable":
      return new DeliveryError("retry", "no connection");
    case "rejected":
      return new DeliveryError("rejected", "channel is archived", { status: 403 });
    default:
      return null;
  }
}
