import { setTimeout as sleep } from "node:timers/promises";
import {
  type Conversation,
  nextQuestion,
  type Question,
  type Sending,
  sendUntilTaken,
  Tally,
} from "../e2e/load.ts";
import type { Dice } from "../simulation/dice.ts";
import type { Fleet } from "./fleet.ts";

/** Senders at work at the same time. */
const SENDERS = 24;
/** Slack waits three seconds for its answer. */
const PATIENCE_MS = 3_000;
/** Platforms wait longer before they send again; this is to have more happen in the time. */
const AGAIN_MS = { min: 100, max: 400 };
/** Said in one go, without waiting for an answer. */
const BURST_MAX = 3;
/** So many may wait for their answer: what faults keep a machine from answering would pile up, and not be done in the end. */
const UNANSWERED_MAX = 1_000;
const PAUSE_MS = 200;
/** An older message would be refused as a replay: Slack's signatures are good for five minutes. */
const REDELIVERY_MS_MAX = 200_000;

export interface Traffic {
  /** Webhooks that were sent, again or for the first time. */
  readonly sent: () => number;
  /** Webhooks that were not answered 200, by what they were answered. */
  readonly refused: ReadonlyMap<string, number>;
  /** Every webhook with its answer, in the order in which the answers came. */
  readonly trail: readonly string[];
  /** Sent again although they had been acknowledged. */
  readonly redelivered: () => number;
  /** Resolves when all that was begun is acknowledged. */
  readonly done: Promise<void>;
}

/** Sends until it is over: each conversation speaks in turn, and each message goes to any of the gateways. */
export function startTraffic(
  conversations: readonly Conversation[],
  {
    fleet,
    dice,
    isOver,
    answered,
  }: { fleet: Fleet; dice: Dice; isOver: () => boolean; answered: () => number },
): Traffic {
  const refused = new Map<string, number>();
  const trail: string[] = [];
  const begun = new Tally();
  const acknowledged = new Tally();
  const silent = dice.shuffled(conversations);
  const sentAtMs = new Map<Question, number>();
  let redelivered = 0;
  const sending: Sending = {
    door: { url: async () => dice.pick(await fleet.urls()) },
    begun,
    acknowledged,
    patienceMs: PATIENCE_MS,
    async answered({ topic }, { url, status }) {
      const answer = String(status ?? "no answer");
      trail.push(`${new Date().toISOString()} ${url} ${topic}: ${answer}`);
      if (status === 200) return;
      refused.set(answer, (refused.get(answer) ?? 0) + 1);
      await sleep(dice.between(AGAIN_MS.min, AGAIN_MS.max));
    },
  };

  /** The next message follows when this one is acknowledged: before that, their order would be anybody's guess. */
  async function speak(conversation: Conversation): Promise<void> {
    const late: Promise<void>[] = [];
    for (let left = dice.between(1, BURST_MAX); left > 0; left--) {
      const question = nextQuestion(conversation);
      sentAtMs.set(question, Date.now());
      const copies = dice.chance(0.2) ? 2 : 1;
      await Promise.all(Array.from({ length: copies }, () => sendUntilTaken(question, sending)));
      // Again, after it was acknowledged: an older one, out of order.
      if (dice.chance(0.15)) late.push(sendAgain(dice.pick(conversation.asked)));
    }
    await Promise.all(late);
  }

  async function sendAgain(question: Question): Promise<void> {
    if (Date.now() - (sentAtMs.get(question) ?? 0) > REDELIVERY_MS_MAX) return;
    redelivered++;
    await sendUntilTaken(question, sending);
  }

  /** Each once, however often it was sent. */
  function waiting(): number {
    return conversations.reduce((sum, { asked }) => sum + asked.length, 0) - answered();
  }

  async function sender(): Promise<void> {
    while (!isOver()) {
      const conversation = silent.shift();
      if (conversation === undefined) return;
      while (waiting() > UNANSWERED_MAX && !isOver()) await sleep(PAUSE_MS);
      await speak(conversation);
      silent.push(conversation);
    }
  }

  const senders = Array.from({ length: SENDERS }, () => sender());
  return {
    sent: () => begun.count,
    refused,
    trail,
    redelivered: () => redelivered,
    done: Promise.all(senders).then(() => {}),
  };
}
